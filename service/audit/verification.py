"""Verifies an answer: checks every quote, offset, marker and support verdict against the cited documents. Pure.

An opener gives the texts of the cited versions, a function the support probabilities; the answer itself is not trusted. What
documents cannot prove is not checked: the question, the confidence, the scores.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum

from index.chunking.chunker import chunk_id
from index.records import Document, Hit
from service.answering.citations import citation_page, with_markers
from service.answering.quotes import premise, weigh
from service.audit.cited_units import CitedUnits, Opener, is_made_of
from service.audit.derivation_findings import derivation_findings
from service.audit.findings import AnswerFault, Finding
from service.audit.part_findings import part_findings
from service.records import Answer, Citation, Sentence
from service.text.contradictions import CONTEXT_SEPARATOR, Evidence
from service.text.refusals import REFUSAL, is_own_refusal
from service.text.rows import cell_statements, says_what_it_shows
from service.text.small_talk import is_reply
from service.text.subjects import lacks_subject

TOLERANCE = 0.05
"""How far a probability may be on the wrong side of the limit: the checker's network rounds differently on other CPUs."""
_SHOWN = 160


class Verdict(StrEnum):
    """The result. `unproved`: nothing contradicts the answer, but a version that it cites is not available."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNPROVED = "unproved"


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict with its reasons.

    `quotes` counts the quotes and passages whose text is at the stated offsets, `quoted` the sentences that are made of
    their quotes, `checked` the other sentences whose support verdict the checker confirms, `derived` the derived ones that come
    out the same.
    """

    verdict: Verdict
    quotes: int
    quoted: int
    checked: int
    findings: tuple[Finding, ...]
    derived: int = 0


SupportCheck = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""(claim, premise) pairs -> probabilities that the premise supports the claim; called at most once, only if needed."""


def verify(answer: Answer, opener: Opener, check: SupportCheck, *, min_support: float) -> Verification:
    """Prove or refute `answer`. `min_support` is the lowest probability at which a quote supports a sentence."""
    units = CitedUnits(opener)
    derived, wrong = derivation_findings(answer, opener, units)
    findings = [
        *_number_findings(answer),
        *_text_findings(answer),
        *_shape_findings(answer),
        *part_findings(answer),
        *wrong,
    ]
    quotes = 0
    for subject, place in _places(answer):
        wrong = list(_place_findings(subject, place, opener))
        quotes += not wrong
        findings += wrong
    for citation in answer.citations:
        findings += _source_findings(citation, answer.passages, opener)
    quoted, checked, wrong = _support_findings(answer, units, check, min_support)
    findings += wrong
    return Verification(_verdict(findings), quotes, quoted, checked, tuple(findings), derived)


@dataclass(frozen=True, slots=True)
class _QuotedText:
    document_id: str
    version: str
    start: int
    end: int
    text: str


def _places(answer: Answer) -> Iterator[tuple[str, _QuotedText]]:
    for c in answer.citations:
        yield f"citation {c.number}", _QuotedText(c.document_id, c.version, c.start, c.end, c.quote)
        for excerpt in c.context:
            yield f"context of citation {c.number}", _QuotedText(c.document_id, c.version, *astuple(excerpt))
    for number, hit in enumerate(answer.passages, start=1):
        chunk = hit.chunk
        yield f"passage {number}", _QuotedText(chunk.document_id, chunk.version, chunk.start, chunk.end, chunk.text)


def _place_findings(subject: str, place: _QuotedText, opener: Opener) -> Iterator[Finding]:
    """Check that the text is at its offsets in its version."""
    document = opener(place.document_id, place.version)
    where = f"{place.start}-{place.end}"
    if document is None:
        yield Finding(
            subject,
            AnswerFault.VERSION_MISSING,
            f"No collection here holds version {place.version} of document {place.document_id}. "
            "Index the same file to read it.",
            claimed=place.version,
        )
    elif not 0 <= place.start < place.end <= len(document.text):
        yield Finding(
            subject,
            AnswerFault.OFFSETS_INVALID,
            f"The offsets {where} are not a range of {document.title!r}, which has {len(document.text):,} characters."
            + _actual_place(place.text, document),
            claimed=where,
            found=f"0-{len(document.text)}",
        )
    elif document.text[place.start : place.end] != place.text:
        yield Finding(
            subject,
            AnswerFault.QUOTE_DIFFERS,
            f"The text at {where} in {document.title!r} is different.{_actual_place(place.text, document)}",
            claimed=_shorten(place.text),
            found=_shorten(document.text[place.start : place.end]),
        )


def _actual_place(quote: str, document: Document) -> str:
    at = document.text.find(quote) if quote else -1
    return " The quote stands nowhere in this version." if at < 0 else f" The quote stands at {at}-{at + len(quote)}."


def _source_findings(citation: Citation, passages: Sequence[Hit], opener: Opener) -> Iterator[Finding]:
    """Check that the page, the highlight, the title and the passage of a citation fit the quote and the document."""
    subject = f"citation {citation.number}"
    if citation.highlight and not (citation.start <= citation.highlight[0] < citation.highlight[1] <= citation.end):
        claimed = "{}-{}".format(*citation.highlight)
        yield Finding(subject, AnswerFault.HIGHLIGHT_OUTSIDE, "The highlight is not inside the quote.", claimed)
    hit = next((hit for hit in passages if hit.chunk.id == citation.chunk_id), None)
    if hit is None or not _is_within(citation, hit):
        yield Finding(
            subject,
            AnswerFault.PASSAGE_DIFFERS,
            "The quote is not from the passage that the citation names."
            if hit
            else "The passage that the citation names is not in the answer.",
            claimed=citation.chunk_id,
        )
    document = opener(citation.document_id, citation.version)
    if document is None:
        return
    page = citation_page(document.pages, citation.start)
    if page != citation.page:
        yield Finding(subject, AnswerFault.PAGE_DIFFERS, "The quote is on another page.", str(citation.page), str(page))
    same = document.id == citation.document_id  # a copy has its own URI and perhaps its own title
    for name, claimed, found in (("title", citation.title, document.title), ("URI", citation.uri, document.uri)):
        if same and claimed != found and not (name == "title" and claimed in document.other_titles):
            yield Finding(subject, AnswerFault.SOURCE_DIFFERS, f"The document has another {name}.", claimed, found)


def _is_within(citation: Citation, hit: Hit) -> bool:
    """Whether the citation is inside the passage, and the passage's id is the one for its place."""
    chunk = hit.chunk
    return (
        (chunk.document_id, chunk.version) == (citation.document_id, citation.version)
        and chunk.start <= citation.start <= citation.end <= chunk.end
        and chunk.id == chunk_id(chunk.document_id, chunk.version, chunk.start, chunk.end)
    )


def _number_findings(answer: Answer) -> Iterator[Finding]:
    """Check that citations are numbered from 1 by first use, and that each is used."""
    numbers = [citation.number for citation in answer.citations]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Finding(
            "citations",
            AnswerFault.NUMBERS_DIFFER,
            "The citations are not numbered from 1 without a gap.",
            claimed=_list_numbers(numbers),
            found=_list_numbers(range(1, len(numbers) + 1)),
        )
    used = list(dict.fromkeys(number for sentence in answer.sentences for number in sentence.citations))
    if used != numbers:
        yield Finding(
            "sentences",
            AnswerFault.NUMBERS_DIFFER,
            "The sentences do not cite all citations in the order of their numbers.",
            claimed=_list_numbers(used),
            found=_list_numbers(numbers),
        )


def _text_findings(answer: Answer) -> Iterator[Finding]:
    """Check that `text` is the sentences with their markers, and that an answer without them is a refusal or small talk."""
    if answer.kind == "talk":
        yield from _talk_findings(answer)
        return
    text = " ".join(with_markers(sentence.text, sentence.citations) for sentence in answer.sentences) or REFUSAL
    is_refusal = not answer.sentences and is_own_refusal(answer.text)
    if answer.text != text and not is_refusal:
        yield Finding(
            "text",
            AnswerFault.TEXT_DIFFERS,
            "The text is not that of the sentences with their markers.",
            claimed=_shorten(answer.text),
            found=_shorten(text),
        )
    if answer.refused != (not answer.sentences):
        yield Finding(
            "refused",
            AnswerFault.TEXT_DIFFERS,
            "An answer with sentences is not a refusal, and one without sentences is.",
            claimed=str(answer.refused).lower(),
            found=str(not answer.sentences).lower(),
        )


def _talk_findings(answer: Answer) -> Iterator[Finding]:
    """Check that a reply to small talk is one of the fixed replies, no refusal, and cites nothing."""
    if answer.refused or answer.sentences or answer.citations or not is_reply(answer.text):
        found = "a fixed reply without sentences and citations"
        yield Finding("text", AnswerFault.TEXT_DIFFERS, "This is no reply to small talk.", _shorten(answer.text), found)


def _shape_findings(answer: Answer) -> Iterator[Finding]:
    """Check that the cells of a row and the lines of code say what the text says, which is what the check has read."""
    for number, sentence in enumerate(answer.sentences, start=1):
        if not says_what_it_shows(sentence):
            message = "The cells or the lines of code are not those of the text."
            yield Finding(f"sentence {number}", AnswerFault.TEXT_DIFFERS, message, _shorten(sentence.text))


def _support_findings(
    answer: Answer, units: CitedUnits, check: SupportCheck, min_support: float
) -> tuple[int, int, list[Finding]]:
    """How many sentences are made of their quotes, how many others the checker confirms, and the rest as findings.

    A sentence without a subject ("It weighs 3 kg") may rightly be called unsupported by quotes about another subject.
    """
    by_number = {citation.number: citation for citation in answer.citations}
    quoted = checked = 0
    findings, open_claims = list[Finding](), list[tuple[int, Sentence, list[Evidence]]]()
    for number, sentence in enumerate(answer.sentences, start=1):
        if sentence.kind != "stated":
            continue
        cited = [by_number[place] for place in sentence.citations if place in by_number]
        quotes = [citation.quote for citation in cited]
        if not sentence.supported and lacks_subject(sentence.text):
            checked += 1
        elif cited and is_made_of(sentence.text, quotes, units.statement(cited[0])):
            quoted += sentence.supported
            if not sentence.supported:
                findings.append(_support_finding(number, sentence, 1.0))
        else:
            context = [CONTEXT_SEPARATOR.join((citation.title, *citation.trail)) for citation in cited]
            read = [units.text_as_read(citation) for citation in cited]
            open_claims.append((number, sentence, [Evidence(*pair) for pair in zip(read, context, strict=True)]))
    said = [(sentence.text, *cell_statements(sentence.cells)) for _, sentence, _ in open_claims]
    pairs = [
        (text, premise(open_claim[2])) for texts, open_claim in zip(said, open_claims, strict=True) for text in texts
    ]
    probabilities = iter(check(pairs) if pairs else ())
    for texts, (number, sentence, evidence) in zip(said, open_claims, strict=True):
        found = min(weigh(text, evidence, next(probabilities)) for text in texts)
        if found >= min_support - TOLERANCE if sentence.supported else found < min_support + TOLERANCE:
            checked += 1
        else:
            findings.append(_support_finding(number, sentence, found))
    return quoted, checked, findings


def _support_finding(number: int, sentence: Sentence, found: float) -> Finding:
    said = "supported" if sentence.supported else "not supported"
    is_ = "do not support" if sentence.supported else "support"
    return Finding(
        f"sentence {number}",
        AnswerFault.SUPPORT_DIFFERS,
        f"The answer says that this sentence is {said}, and its quotes {is_} it (probability {found:.2f}).",
        claimed=_shorten(sentence.text),
        found=f"{found:.3f}",
    )


def _verdict(findings: Sequence[Finding]) -> Verdict:
    if not findings:
        return Verdict.PROVED
    return Verdict.UNPROVED if all(f.fault is AnswerFault.VERSION_MISSING for f in findings) else Verdict.REFUTED


def _list_numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 2]} …"
