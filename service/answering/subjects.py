"""Settles what each sentence of an answer is about: from the sentence before it, the heading above it, or the question."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.generators.protocol import Draft, Passage, Quote
from service.text.subjects import common_words, lacks_subject, names, readings


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence as it is shown, and what it says.

    `readings` are the sentence with its subject, then the sentence as it is; one of them must be supported. `about` are the
    names of the subject, in lower case: what supports the sentence must be about them.
    """

    text: str
    readings: tuple[str, ...]
    about: frozenset[str] = frozenset()


class SubjectResolver:
    """Reads the sentences of one answer, in order, with the sentence before each that is shown."""

    def __init__(self, passages: Sequence[Passage], question: str) -> None:
        self._passages = passages
        self._common = common_words([passage.text for passage in passages])
        self._question = question
        self._before = ""

    def settle(self, claim: Claim) -> None:
        """Take note that this sentence is shown: the next may be about its subject."""
        self._before = claim.readings[0]

    def claims(self, draft: Draft) -> tuple[Claim, ...]:
        """What the sentence says; where there are several ways to show it, the best first.

        An item under a label with a name ("PX-40:") is shown with the label. A sentence that lacks a subject has that of the
        sentence before it or, as the first of an answer, is about the names of the question.
        """
        own = names(draft.text, self._common)
        above = names(draft.under, self._common)
        depends = draft.listed or lacks_subject(draft.text) or _numbered(above)
        if above and not above <= own and depends and not _numbered(own):
            labelled = f"{draft.under}: {draft.text}"
            alone = Claim(draft.text, (draft.text,), above)
            return (Claim(labelled, (labelled,), above), alone) if draft.listed else (alone,)
        if draft.listed or not lacks_subject(draft.text):
            return (Claim(draft.text, (draft.text,)),)
        if not self._before:
            return (Claim(draft.text, (draft.text,), self._asked()),)
        found = readings(draft.text, self._before)
        about = names(found[0].subject, self._common) if found else frozenset()
        return (Claim(draft.text, (*(reading.text for reading in found), draft.text), about),)

    def is_about(self, quotes: Sequence[Quote], claim: Claim) -> bool:
        """Whether each quote is about the claim's subject.

        It names it, or it names nothing else like it and the passage names it before, in its headings or in its title.
        """
        return all(self._quote_is_about(quote, claim) for quote in quotes)

    def _quote_is_about(self, quote: Quote, claim: Claim) -> bool:
        passage = self._passages[quote.passage]
        hit = passage.hit
        written = names(passage.text[quote.span.start : quote.span.end], self._common)
        others = written - names(claim.text, self._common) - claim.about
        if claim.about <= written:
            return True
        if _numbered(others) if _numbered(claim.about) else others:
            return False
        context = "\n".join((hit.title, *hit.chunk.trail, passage.text[: quote.span.end]))
        return claim.about <= names(context, self._common)

    def _asked(self) -> frozenset[str]:
        """The names in the question; only those with a digit, if there are such."""
        asked = names(self._question.partition(" ")[2], self._common)
        return _numbered(asked) or asked


def _numbered(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if any(map(str.isdecimal, word)))
