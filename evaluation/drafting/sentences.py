"""Turn English sentences into questions by templates, and only where the question reads well. Pure.

After the overgenerate-and-rank tradition of Heilman & Smith 2010 (https://aclanthology.org/N10-1086), reduced to
templates whose grammar is safe, about subjects that are names or terms: what something is, what it has or does, when and
where something happened, who did it, how many there are, and how something is done.
"""

import re
from collections.abc import Iterator

from evaluation.drafting.names import Names
from evaluation.drafting.proposal import Check, DraftDocument, Proposal, QuestionKind
from evaluation.drafting.wording import content_words, one_line
from index.blocks.block import Kind, Span
from service.text.noun_phrases import DEIXIS, sentence_inner
from service.text.question_templates import MONTH, NUMBER

_PROPERTIES = {
    "provides": "provide",
    "contains": "contain",
    "supports": "support",
    "offers": "offer",
    "requires": "require",
    "includes": "include",
    "describes": "describe",
    "covers": "cover",
    "manages": "manage",
    "defines": "define",
    "recommends": "recommend",
    "prohibits": "prohibit",
    "consists of": "consist of",
    "depends on": "depend on",
    "refers to": "refer to",
    "stands for": "stand for",
}
_PATTERNS: dict[QuestionKind, re.Pattern[str]] = {
    "definition": re.compile(
        r"(?P<subject>[^,;:]{2,60}?) (?P<verb>is|are) (?P<answer>(?:an? |the (?!same|only|first|most|best|case|default|right|"
        r"one |following|reason|responsib|more|less|result|last|next|main\b))[^;:]{12,300})\.$"
    ),
    "property": re.compile(
        rf"(?P<subject>[^,;:]{{2,60}}?) (?P<verb>{'|'.join(_PROPERTIES)}) "
        r"(?P<answer>(?!to\b|that\b|whether\b|how\b|for\b|on\b|in\b|by\b|with\b|not\b|no\b|many\b|several\b|some\b|more\b|both\b|all\b|"
        r"each\b|either\b|everything\b)"
        r"[^;:]{12,300})\.$"
    ),
    "count": re.compile(
        rf"(?P<subject>[^,;:]{{2,60}}?) (?P<verb>has|employs|holds|covers|operates) (?P<answer>{NUMBER}) "
        r"(?P<unit>(?:[a-z][\w-]+ ){0,2}?[a-z][\w-]+s)\b(?P<rest>(?: (?:in|of|for|on) [^.;:,]{3,60})?)\.$"
    ),
    "year": re.compile(
        r"(?P<subject>[^,;:]{2,60}?) (?P<verb>was|were) (?P<participle>[a-z]+(?:ed|en|un|ilt|old|et|ade))(?P<middle>[^.;:,]*?) "
        rf"(?:in|on) (?P<answer>(?:(?:{MONTH}) (?:\d{{1,2}}, )?)?[12]\d{{3}})(?P<rest>[^.;:]*)\.$"
    ),
    "place": re.compile(
        r"(?P<subject>[^,;:]{2,60}?) (?P<verb>is|are|was|were) (?P<participle>located|situated|headquartered|born|buried) "
        r"(?P<answer>(?:in|at|near|on) [^.;:]{3,80})\.$"
    ),
    "agent": re.compile(
        r"(?P<subject>[A-Z][^,;:]{2,60}?) (?P<verb>founded|built|wrote|designed|invented|discovered|acquired|bought|"
        r"developed|created|established|commissioned) "
        r"(?P<rest>(?!in\b|with\b|on\b|by\b|for\b|at\b|upon\b|up\b|into\b|from\b|to\b)[^.;:,]{8,120})\.$"
    ),
}
_QUESTIONS: dict[QuestionKind, str] = {
    "definition": "What {verb} {subject}?",
    "property": "What does {subject} {base}?",
    "count": "How many {unit} does {subject} {base}{rest}?",
    "year": "When {verb} {subject} {participle}{middle}?",
    "place": "Where {verb} {subject} {participle}?",
    "agent": "Who {verb} {rest}?",
}
_BASES = {**_PROPERTIES, "has": "have", "employs": "employ", "holds": "hold", "operates": "operate"}
_NO_DEFINITION = re.compile(
    r"(?:an? |the )(?:\w+ )?(?:bit|lot|few|matter|problem|good|bad|great|must|waste|mistake|violation|requirement|better|poor|"
    r"nice|little|useful|reason|case|way|place|step|candidate|result|consequence|mix|question|part|side|number|issue|"
    r"exception|list|link|solution|choice|option|feature|improvement|approach|example|summary|recommended|work in progress)\b"
)
_GENERIC = frozenset(
    "way example alternative exception solution problem reason result difference option idea approach advantage list number "
    "thing case feature benefit drawback goal purpose aspect detail need task area practice requirement effect rule "
    "tip note point step part kind type choice method place one lot system user person".split()
)
_NO_TERM = re.compile(
    r"\b(?:first|second|third|fourth|new|old|other|similar|common|good|better|best|simple|possible|more|single|last|"
    r"next|certain|further|different|separate|few|recent|important|useful|nice|great|key|main|major|big|small|minimal|"
    r"additional|alternative|full|quick|special|particular|typical|natural|real)\b"
)
_MODAL = re.compile(
    r"\b(?:would|could|should|will|can|may|might|must|not|never|and|or|if|that|which|who|when|where|what|because)\b"
)
_MIN_WORDS, _MAX_WORDS = 5, 60
_TERM = re.compile(r"An? (?:[a-z][\w-]+ ){0,2}[a-z][\w-]+")


def sentence_proposals(document: DraftDocument, names: Names) -> Iterator[Proposal]:
    """The questions that the sentences of a document carry."""
    for place, unit in enumerate(document.units):
        text = one_line(document.read[place])
        if unit.kind not in (Kind.PARAGRAPH, Kind.ITEM) or '"' in text[:60] or "“" in text[:60]:
            continue
        span = Span(unit.start, unit.end)
        quoted = one_line(document.words(span))
        for kind, question, answer, subject, asked in carried(text, names):
            if not answer or quoted.count(answer) == 1:
                yield Proposal(
                    kind, question, ((span,),), _literal(document.words(span), answer), subject, checks=(Check(asked),)
                )


def carried(text: str, names: Names) -> Iterator[tuple[QuestionKind, str, str, str, frozenset[str]]]:
    """The question of one sentence: its kind, the question, the answer, its subject, and the words it asks about."""
    if not _MIN_WORDS <= len(text.split()) <= _MAX_WORDS:
        return
    for kind, pattern in _PATTERNS.items():
        match = pattern.match(text)
        if match is None:
            continue
        parts = match.groupdict()
        subject = parts["subject"] if kind == "agent" else asked_subject(parts["subject"], names)
        if subject is None or not _is_clear(kind, parts, subject, names):
            continue
        parts |= {"subject": subject, "base": _BASES.get(parts["verb"], parts["verb"])}
        question = _QUESTIONS[kind].format_map(parts)
        answer = subject if kind == "agent" else re.split(r"(?<=\w)\. (?=[A-Z])", parts["answer"])[0]
        asked = content_words(question)
        yield kind, question, answer, "" if kind == "agent" else subject, asked
        return


def asked_subject(phrase: str, names: Names) -> str | None:
    """The subject of a sentence as it stands in a question; None if only the context says what it is.

    It is a name, "a" with one to three small words ("a binary package"), or "the" with a phrase that holds a name. Of a
    name with its long form in brackets, the name.
    """
    phrase = re.sub(r" \([^()]*\)$", "", phrase)
    if DEIXIS.search(phrase) or _MODAL.search(phrase) or re.search(r"[()\[\]\"“”`]", phrase):
        return None
    if names.is_named(phrase):
        return phrase
    if _TERM.fullmatch(phrase):
        words = phrase.split()
        fits = words[-1] not in _GENERIC and not _NO_TERM.search(phrase) and not any(w.endswith("ly") for w in words)
        return phrase[0].lower() + phrase[1:] if fits and len(words) > 2 else None
    article, _, rest = phrase.partition(" ")
    if article == "The" and 1 <= len(rest.split()) <= 5 and names.holds_name(rest):
        return f"the {rest}"
    return None


def _is_clear(kind: QuestionKind, parts: dict[str, str], subject: str, names: Names) -> bool:
    answer = parts.get("answer") or ""
    if DEIXIS.match(answer) or (kind == "definition" and _NO_DEFINITION.match(answer)):
        return False
    if kind == "agent":
        return len(subject.split()) > 1 and names.is_named(subject) and names.holds_name(parts["rest"])
    if kind == "year" and DEIXIS.search(parts["middle"]):
        return False
    if kind in ("definition", "property") and (len(answer.split()) < 4 or re.search(r"\bis an?\b", answer)):
        return False
    return kind != "count" or not DEIXIS.search(parts["rest"])


def _literal(quoted: str, answer: str) -> str:
    """The answer as it stands in the quote; empty if a line break stands in it."""
    return answer if answer in quoted else ""


def inner(phrase: str, names: Names) -> str:
    """A phrase that began a line as it reads inside a question."""
    return sentence_inner(phrase, names.is_name(phrase.split(maxsplit=1)[0]) if phrase.split() else False)
