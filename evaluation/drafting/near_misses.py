"""Near misses: questions whose passages look right although the collection does not answer them.

A name or an organisation is exchanged for another from the collection, or a date for one of another year; or something is
asked about a program or company that the collection explains but does not say: when it was released, who wrote it. That no
document answers is checked twice: by words, over every passage of the collection, and by the reader, over the passages that
hold what was put in or is asked about. Passages without it are not read: they are what the question is to be refused in
spite of, and whether Quoth refuses it is not what decides here.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from evaluation.drafting.gold import Candidate, WordSearch
from evaluation.drafting.wording import content_words
from index.chunking.units import chunk_rendering
from index.collection import Collection
from index.records import Hit
from service.scoring.reader import Reader

HAS_WORDS = "near misses whose words one passage has together"
IS_READ = "near misses that the reader finds an answer to"

_DEPTH = 40
_YEARS_BACK = (2, 6)
_MAX_READ = 24
_ANSWERS_FROM = 0.0
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_OFTEN_SAID = {
    re.compile(
        r"(?:an?|the) (?:[\w-]+ ){0,4}?(?:tool|program|package|command|script|software|application|library|server|daemon|suite|"
        r"editor|distribution|manager|browser|interface|utility|framework)\b"
    ): (
        ("When was {} first released?", "released release appeared introduced began since"),
        ("Who wrote {}?", "wrote written author authors developed maintainer created"),
        ("In which programming language is {} written?", "written language Perl Python Java Ruby"),
    ),
    re.compile(
        r"(?:an?|the) (?:[\w-]+ ){0,4}?(?:company|leader|manufacturer|organi[sz]ation|agency|bank|foundation|provider)\b"
    ): (
        ("When was {} founded?", "founded established incorporated"),
        ("Where is {} headquartered?", "headquartered headquarters located based offices"),
    ),
}
"""What is often said of programs and companies, with the words of which one would say it."""

_EXCHANGED_KINDS = frozenset({"year", "place", "count", "cell", "field"})


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that nothing answers, if the checks agree: what was put in, and the sets of words that no text may have.

    Of an organisation exchanged for another, the document of the first may have the words.
    """

    question: str
    put_in: str
    asked: tuple[frozenset[str], ...]
    apart_from: str = ""


def proposed_misses(candidates: Sequence[Candidate], rng: random.Random) -> Iterator[Miss]:
    """Questions with a name or year exchanged, one for each question."""
    subjects = [candidate.proposal.subject for candidate in candidates if candidate.proposal.subject]
    owners = sorted({candidate.proposal.owner for candidate in candidates if candidate.proposal.owner})
    turns = (_with_other_year, _with_other_owner)
    for number, candidate in enumerate(candidates):
        made = (
            _with_other_name(candidate, subjects, rng),
            turns[number % 2](candidate, owners, rng),
            turns[1 - number % 2](candidate, owners, rng),
            _unsaid(candidate, rng),
        )
        miss = next((miss for miss in made if miss is not None), None)
        if miss is not None:
            yield miss


def _with_other_name(candidate: Candidate, subjects: Sequence[str], rng: random.Random) -> Miss | None:
    proposal = candidate.proposal
    if proposal.kind not in _EXCHANGED_KINDS or not proposal.subject:
        return None
    alike = {other for other in subjects if _are_alike(proposal.subject, other)}
    fresh = sorted(other for other in alike if not content_words(other) & content_words(proposal.question))
    return _miss(proposal.question, proposal.subject, rng.choice(fresh)) if fresh else None


def _with_other_year(candidate: Candidate, _owners: Sequence[str], rng: random.Random) -> Miss | None:
    """The last year of the period exchanged for one of those before it."""
    held = _YEAR.findall(candidate.proposal.period)
    if not held or candidate.proposal.kind not in _EXCHANGED_KINDS:
        return None
    return _miss(candidate.proposal.question, held[-1], str(int(held[-1]) - rng.randint(*_YEARS_BACK)))


def _with_other_owner(candidate: Candidate, owners: Sequence[str], rng: random.Random) -> Miss | None:
    """The organisation of a figure exchanged for another of the collection."""
    proposal = candidate.proposal
    others = [other for other in owners if other != proposal.owner]
    if proposal.kind != "cell" or not (others and proposal.owner and proposal.owner in proposal.question):
        return None
    put_in = rng.choice(others)
    miss = _miss(proposal.question, proposal.owner, put_in)
    asked = content_words(miss.question) - content_words(put_in)
    return replace(miss, asked=(asked,), apart_from=candidate.document)


def _unsaid(candidate: Candidate, rng: random.Random) -> Miss | None:
    """What is often said of a thing of this kind, asked about something that the collection defines."""
    proposal = candidate.proposal
    if proposal.kind != "definition" or proposal.subject.startswith(("a ", "an ")):
        return None
    for kind, questions in _OFTEN_SAID.items():
        if kind.match(proposal.answer):
            question, says = rng.choice(questions)
            name = content_words(proposal.subject)
            asked = tuple(name | content_words(word) for word in says.split())
            return Miss(question.format(proposal.subject), proposal.subject, asked)
    return None


def _miss(question: str, put_out: str, put_in: str) -> Miss:
    changed = put_in.join(question.rsplit(put_out, 1))
    return Miss(changed, put_in, (content_words(changed),))


def _are_alike(subject: str, other: str) -> bool:
    """Whether two names have the same form, so that a question stays grammatical: article, number, capitals."""
    return subject != other and _form(subject) == _form(other)


def _form(subject: str) -> tuple[str, bool, bool, bool]:
    first = subject.split(maxsplit=1)[0] if subject.split() else ""
    article = first if first in ("the", "a", "an") else ""
    bare = subject.removeprefix(f"{article} ") if article else subject
    return ("a" if article in ("a", "an") else article, bare.islower(), bare.isupper(), bare.startswith(("-", "/")))


def absent(
    misses: Sequence[Miss], search: WordSearch, collection: Collection, reader: Reader, wanted: int
) -> tuple[list[Miss], Counter[str]]:
    """The first `wanted` misses that no text answers, by words and by the reader, and what was left out and why."""
    kept: list[Miss] = []
    dropped: Counter[str] = Counter()
    for miss in misses:
        if len(kept) == wanted:
            break
        if any(other.question == miss.question for other in kept):
            continue
        if any(name != miss.apart_from for words in miss.asked for name, _ in search.found.get(words, ())):
            dropped[HAS_WORDS] += 1
        elif _reads_as_answered(miss, collection, reader):
            dropped[IS_READ] += 1
        else:
            kept.append(miss)
    return kept, dropped


def _reads_as_answered(miss: Miss, collection: Collection, reader: Reader) -> bool:
    words = content_words(miss.put_in)
    hits: dict[str, Hit] = {}
    for query in (miss.question, miss.put_in):
        for hit in collection.search(query, k=_DEPTH):
            if words <= content_words(_text(hit)):
                hits.setdefault(hit.chunk.id, hit)
    found = list(hits.values())[:_MAX_READ]
    if not found:
        return False
    readings = reader.read(miss.question, [chunk_rendering(hit.chunk).text for hit in found])
    return any(min(reading.relevance, reading.best) > _ANSWERS_FROM for reading in readings)


def _text(hit: Hit) -> str:
    return f"{hit.title} {' '.join(hit.chunk.trail)} {chunk_rendering(hit.chunk).text}"
