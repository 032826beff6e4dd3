"""Checks drafts against the passages and cites them. A sentence without support is dropped or marked, and counted."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from service.answering.citations import Numbering
from service.answering.quotes import SEPARATOR, SupportingQuotes, best_quotes, evidence_of, premise, weigh
from service.answering.subjects import Claim, SubjectResolver
from service.generators.budget import TRAIL_SEPARATOR
from service.generators.prose import holds_json
from service.generators.protocol import Draft, Passage, Quote
from service.records import Citation, DraftCounts, Sentence
from service.scoring.support import SupportChecker
from service.text.refusals import is_refusal
from service.text.rows import cell_statements, says_what_it_shows
from service.text.subjects import answers_nothing, states_nothing


@dataclass(frozen=True, slots=True)
class SupportPolicy:
    """What happens to a sentence whose support is below `min_support`: `strict` drops it; otherwise it stays and is marked.

    A small model's answers to the golden questions (docs/results.md) were read by hand. Of the sentences with a support of
    .5 or more, .46 were not supported; of those with .7 or more, .15 (.23 in another run), and these hold .93 of all
    supported sentences.
    """

    strict: bool = True
    min_support: float = 0.7


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence to show, and the citations whose numbers appear in it for the first time."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a sentence is not shown, with the probability of its support where that decided.

    `unsupported`: no passage supports it. `refusal`: it says that there is no answer. `heading`, `data`, `empty`: it is a
    heading, is JSON that no passage holds, or states nothing.
    """

    reason: Literal["unsupported", "refusal", "heading", "data", "empty"]
    support: float | None = None


class DraftChecker:
    """Checks the drafts of one answer, sentence by sentence. `numbering` numbers the quotes of the sentences that pass."""

    def __init__(
        self,
        passages: Sequence[Passage],
        numbering: Numbering,
        checker: SupportChecker,
        policy: SupportPolicy,
        question: str = "",
    ) -> None:
        self._passages = passages
        self._numbering = numbering
        self._checker = checker
        self._policy = policy
        self._question = question
        self._subjects = SubjectResolver(passages, question)
        headings = [heading for p in passages for heading in (p.hit.title, *p.hit.chunk.trail)]
        self._headings = frozenset(heading.casefold() for heading in headings)
        self._titles = _in_brackets(headings)
        self._invented: dict[int, None] = {}
        self._released = 0
        self._dropped = 0
        self._marked = 0
        self._moved = 0
        self._empty = 0
        self._refused = False

    @property
    def released(self) -> int:
        """How many sentences have passed so far."""
        return self._released

    @property
    def refused(self) -> bool:
        """Whether a sentence so far says that the passages hold no answer."""
        return self._refused

    @property
    def drafted(self) -> DraftCounts:
        """How many sentences have been checked so far, and how many of them lack support."""
        return DraftCounts(self._released + self._dropped, self._dropped + self._marked)

    def check(self, draft: Draft) -> CheckedSentence | Rejected:
        """The sentence to show, or why it is not shown.

        A sentence made of quotes is supported by them. For any other sentence the quotes are searched for: in the passages
        that it names, then in the others. A sentence that says that there is no answer is not shown, nor is a heading, nor is
        JSON that no passage holds, nor is a line that states nothing.
        """
        if draft.quotes:
            return self._release(Sentence(draft.text, (), supported=True, support=1.0, form="units"), draft.quotes)
        self._invented |= dict.fromkeys(draft.invented)
        draft = replace(draft, text=self._titles.sub("", draft.text) or draft.text)
        if is_refusal(draft.text):
            self._refused = True
            return Rejected("refusal")
        if self._is_heading(draft.text):
            return Rejected("heading")
        if holds_json(draft.text) and not self._is_copied(draft.text):
            self._dropped += 1
            return Rejected("data")
        if not draft.listed and states_nothing(draft.text):
            self._empty += 1
            return Rejected("empty")
        return self._find_quotes(draft)

    def notes(self) -> Iterator[str]:
        """Notes for the caller about the check."""
        if self._refused:
            yield (
                "The language model says that the passages leave part of the question open."
                if self._released
                else "The language model found no answer in the passages."
            )
        if self._dropped:
            yield f"{_sentences(self._dropped)} of the language model left out: without support in the passages."
        if self._empty:
            yield f"{_sentences(self._empty)} of the language model left out: without a statement."
        if self._marked:
            yield f"{_sentences(self._marked)} of the language model marked: without support in the passages."
        if self._invented:
            numbers = ", ".join(f"[{number}]" for number in self._invented)
            yield f"The language model cited passages that do not exist: {numbers}."
        if self._moved:
            yield f"For {_sentences(self._moved)} the quote is from another passage than the language model named."

    def _is_copied(self, text: str) -> bool:
        """Whether a passage holds the text; white space does not count."""
        words = "".join(text.split())
        return any(words in "".join(passage.text.split()) for passage in self._passages)

    def _is_heading(self, text: str) -> bool:
        """Whether the text is a passage's title, a heading above a passage, or the line of these that the model was shown."""
        text = text.strip("[]()")
        parts = text.split(TRAIL_SEPARATOR.strip())
        return text.casefold() in self._headings or all(part.strip().casefold() in self._headings for part in parts)

    def _find_quotes(self, draft: Draft) -> CheckedSentence | Rejected:
        named = [number for number in draft.passages if number < len(self._passages)]
        others = [number for number in range(len(self._passages)) if number not in named]
        min_support = self._policy.min_support
        claims = self._subjects.claims(draft)
        cells = cell_statements(draft.cells)
        claim, evidence = self._best_evidence(claims, named, cells)
        if evidence.support < min_support:
            claim_elsewhere, elsewhere = self._best_evidence(claims, others, cells)
            if elsewhere.support >= min_support or not evidence.quotes:
                self._moved += bool(named) and elsewhere.support >= min_support
                claim, evidence = claim_elsewhere, elsewhere
        supported = evidence.support >= min_support
        quotes = SEPARATOR.join(self._text(quote) for quote in evidence.quotes)
        if supported and not draft.listed and answers_nothing(self._question, draft.text, quotes):
            self._empty += 1
            return Rejected("empty", evidence.support)
        if not supported and self._policy.strict:
            self._dropped += 1
            return Rejected("unsupported", evidence.support)
        self._marked += not supported
        self._subjects.settle(claim)
        shown = self._shaped(draft, claim, supported=supported, support=evidence.support)
        return self._release(shown, evidence.quotes)

    def _shaped(self, draft: Draft, claim: Claim, *, supported: bool, support: float) -> Sentence:
        """The sentence as it is shown. Code is shown as code only if a passage holds it: a copy may differ in one sign."""
        plain = Sentence(claim.text, (), supported=supported, support=support)
        if draft.code:
            shaped = replace(plain, form="code", code=draft.code) if self._is_copied(draft.code) else plain
        elif draft.cells:
            label = draft.under if claim.text != draft.text else ""
            shaped = replace(plain, form="row", cells=draft.cells, label=label)
        else:
            return replace(plain, form="item", ordinal=draft.ordinal) if draft.listed else plain
        return shaped if says_what_it_shows(shaped) else replace(plain, form="item" if draft.listed else "prose")

    def _best_evidence(
        self, claims: Sequence[Claim], among: Sequence[int], cells: Sequence[str]
    ) -> tuple[Claim, SupportingQuotes]:
        """The first of the claims that is supported, else the first, with its quotes."""
        found = []
        for claim in claims:
            found.append((claim, self._evidence(claim, among, cells)))
            if found[-1][1].support >= self._policy.min_support:
                return found[-1]
        return found[0]

    def _evidence(self, claim: Claim, among: Sequence[int], cells: Sequence[str]) -> SupportingQuotes:
        """The quotes that support the claim as it is written and as it reads with its subject, and each of its `cells`."""
        min_support = self._policy.min_support
        best = SupportingQuotes()
        for reading in claim.readings:
            evidence = best_quotes(reading, self._passages, among, self._checker, min_support)
            if evidence.support >= min_support and not self._subjects.is_about(evidence.quotes, claim):
                evidence = replace(evidence, support=0.0)
            alone = [*([claim.text] if reading != claim.text else []), *cells]
            if evidence.support >= min_support and alone:
                cited = evidence_of(evidence.quotes, self._passages)
                found = self._checker.check([(text, premise(cited)) for text in alone])
                weakest = min(weigh(text, cited, support) for text, support in zip(alone, found, strict=True))
                evidence = replace(evidence, support=min(evidence.support, weakest))
            best = max(best, evidence, key=lambda found: (found.support, len(found.quotes)))
            if best.support >= min_support:
                break
        return best

    def _text(self, quote: Quote) -> str:
        return self._passages[quote.passage].text[quote.span.start : quote.span.end]

    def _release(self, sentence: Sentence, quotes: Sequence[Quote]) -> CheckedSentence:
        known = len(self._numbering.citations)
        numbers = tuple(self._numbering.cite(quote).number for quote in quotes)
        self._released += 1
        return CheckedSentence(replace(sentence, citations=numbers), self._numbering.citations[known:])


def _in_brackets(titles: Sequence[str]) -> re.Pattern[str]:
    """The titles as some models cite them, in brackets at the end of a sentence or clause: "(Data sheet)"."""
    names = "|".join(re.escape(title) for title in sorted(set(titles), key=len, reverse=True) if title.strip())
    return re.compile(
        rf"[ ]?[\[(（](?:{names or '(?!)'})[^\[\]()（）]{{0,30}}[\])）](?=[ ]*(?:[.,;:!?]|\Z))", re.IGNORECASE
    )


def _sentences(count: int) -> str:
    return f"{count} sentence{'s' * (count > 1)}"
