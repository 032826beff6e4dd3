"""Questions about documents as a whole: what one is about, what a section says, which documents there are. Pure.

They are answered from the structure of the documents (`service.answering.overview`): no sentence answers them by what it says.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Overview(StrEnum):
    """What is asked for: the gist of a document or section, all documents, or the documents about something."""

    GIST = "gist"
    DOCUMENTS = "documents"
    ABOUT = "about"


@dataclass(frozen=True, slots=True)
class OverviewRequest:
    """What is asked for. `name` is the document, section or topic as it is named; empty for "this document"."""

    kind: Overview
    name: str = ""


_DOCUMENTS = (
    r"(?:documents?|files?|reports?|sources?|texts?|papers?|pages?|dokumente?n?|dateien|textes?|fichiers|documentos?|"
    r"archivos)"
)
_ONE = (
    r"(?:(?:the|this|that|these|my|our|your|all|every|an?|whole|entire|following|attached|uploaded|das|dieses|diesem|"
    r"dem|die|der|den|"
    r"le|la|les|ce|cet|cette|el|los|las|este|esta)\s+)*"
)
_THING = (
    r"(?:document|file|report|text|paper|pdf|page|article|thing|dokument|datei|bericht|fichier|texte|documento|"
    r"archivo|texto)"
)
_POLITE = r"\A\W*(?:please\s+|(?:can|could|would|will)\s+you\s+(?:please\s+)?|bitte\s+)?"
_END = r"[\s.?!]*\Z"
_GISTS = [
    re.compile(f"{_POLITE}{form}{_END}", re.IGNORECASE)
    for form in (
        r"what(?:['’]s|\s+is|\s+are)\s+(?P<name>.+?)\s+(?:all\s+)?about",
        r"what\s+(?:does|do)\s+(?P<name>.+?)\s+say",
        r"(?:summari[sz]e|sum\s+up|outline)\s+(?P<name>.+?)(?:\s+for\s+me)?",
        r"(?:give|write|show)\s+(?:me\s+|us\s+)?an?\s+(?:short\s+|brief\s+|quick\s+)?(?:summary|overview|outline)\s+of\s+(?P<name>.+?)",
        r"(?:a\s+)?(?:summary|overview)\s+of\s+(?P<name>.+?)",
        r"tl;?dr(?:\s+of\s+(?P<name>.+?))?",
        r"(?:worum\s+geht\s+es\s+(?:in|bei)|wovon\s+handelt|was\s+steht\s+in)\s+(?P<name>.+?)",
        r"fass(?:e|en\s+sie)?\s+(?P<name>.+?)\s+zusammen",
        r"(?:de\s+quoi\s+(?:parle|traite|s['’]agit-il\s+dans)|résume[rz]?)\s+(?P<name>.+?)",
        r"¿?(?:de\s+qué\s+(?:trata|habla)|resume|resumir)\s+(?P<name>.+?)",
    )
]
_LISTS = [
    re.compile(f"{_POLITE}{form}{_END}", re.IGNORECASE)
    for form in (
        rf"(?:which|what)\s+{_DOCUMENTS}\s+(?:do\s+you\s+(?:have|know|hold)|have\s+you(?:\s+got)?|are\s+(?:there|available|here|indexed)|"
        r"exist|can\s+(?:you|i)\s+(?:search|ask|read|see))(?:\s+(?:here|in\s+.+))?",
        rf"(?:list|show|name|enumerate)\s+(?:me\s+|us\s+)?(?:(?:all|the|your|every|of|available)\s+)*{_DOCUMENTS}",
        r"welche\s+dokumente\s+(?:gibt\s+es|hast\s+du|haben\s+sie)(?:\s+hier)?",
        r"quels\s+documents\s+(?:as-tu|avez-vous|y\s+a-t-il)",
        r"¿?qué\s+documentos\s+(?:hay|tienes|tiene)",
    )
]
_TOPICS = [
    re.compile(f"{_POLITE}{form}{_END}", re.IGNORECASE)
    for form in (
        rf"(?:which|what)\s+{_DOCUMENTS}\s+(?:(?:are|is)\s+(?:there\s+)?(?:about|on)|mentions?|talks?\s+about|deals?\s+with|discuss(?:es)?|"
        r"covers?|says?\s+(?:something|anything)\s+(?:about|on))\s+(?P<name>.+?)",
        rf"(?:list|show|name|find)\s+(?:me\s+|us\s+)?(?:(?:all|the|your|every|of)\s+)*{_DOCUMENTS}\s+"
        r"(?:about|on|that\s+mention|which\s+mention|mentioning|concerning|regarding|dealing\s+with)\s+(?P<name>.+?)",
        r"welche\s+dokumente\s+(?:handeln\s+von|erwähnen)\s+(?P<name>.+?)",
    )
]
_PRONOUN = re.compile(r"(?:it|this|that|es|ihm)\Z", re.IGNORECASE)
_ONLY_THING = re.compile(rf"{_ONE}{_THING}\Z", re.IGNORECASE)
_WRAPPED = re.compile(
    rf"\A{_ONE}(?:(?:section|chapter|part|abschnitt|kapitel|document|file|report)\s+(?:called\s+|named\s+|on\s+|about\s+)?)?"
    r"[\"'“”„«»‘’]*(?P<name>.+?)[\"'“”„«»‘’]*(?:\s+(?:section|chapter|document|file|report|paper|pdf|text|article))?\Z",
    re.IGNORECASE,
)


def overview_request(question: str, *, is_first: bool = True) -> OverviewRequest | None:
    """Return what a question about documents as a whole asks for; None for any other question.

    `is_first`: nothing was asked before, so that "it" is the document.
    """
    text = " ".join(question.split())
    if any(form.match(text) for form in _LISTS):
        return OverviewRequest(Overview.DOCUMENTS)
    for kind, forms in ((Overview.ABOUT, _TOPICS), (Overview.GIST, _GISTS)):
        for form in forms:
            match = form.match(text)
            if match is not None:
                name = match["name"] or ""
                if _PRONOUN.match(name):
                    return OverviewRequest(kind) if is_first and kind is Overview.GIST else None
                return OverviewRequest(kind, _named(name))
    return None


def _named(words: str) -> str:
    """The name alone: without quotation marks, articles and a word such as section; empty for "this document"."""
    if not words or _ONLY_THING.match(words):
        return ""
    match = _WRAPPED.match(words)
    return match["name"] if match else words
