"""Passages as documents show them: under titles that name an organisation and a period, with headings and labels between."""

import random
from dataclasses import dataclass, replace

from index.chunking.sentences import Span, sentence_spans
from training.negatives import DULL, names, words
from training.sources import Group, Reading

_ORGANISATIONS = [
    "Arlen Foods", "Bexley Council", "Corvid Systems", "Dunmore College", "Eastgate Hospital", "Fennel Logistics",
    "Gorse Energy", "Harrow Mills", "Ingot Bank", "Juniper Labs", "Kestrel Air", "Lindqvist AB", "Marlow Insurance",
    "Northwater Utilities", "Orrin Software", "Pell Robotics", "Quarry Group", "Rowan Pharma", "Sable Motors", "Tarn Telecom",
]  # fmt: skip
_KINDS = [
    "annual report", "quarterly report", "Form 10-Q", "handbook", "minutes", "press release", "policy", "budget",
    "release notes", "survey", "audit", "newsletter",
]  # fmt: skip
BARE, OWN = 0.4, 0.75
"""Up to the first number a group is read without context, up to the second under its own title, else under a made one."""


@dataclass(frozen=True)
class _Setting:
    organisation: str
    kind: str
    period: str

    @property
    def title(self) -> str:
        return f"{self.organisation} {self.kind} {self.period}"


def in_context(group: Group, rng: random.Random) -> Group:
    """The group without context, under its own titles, or under a made title.

    Half of the made titles come with a question that names organisation or period, and with a twin: the answering passage
    under a title of another organisation or period, which does not answer that question.
    """
    roll = rng.random()
    if roll < BARE:
        return tuple(replace(reading, context="") for reading in group)
    if roll < OWN:
        return group
    made = _setting(rng)
    placed = tuple(replace(reading, context=made.title) for reading in group)
    if rng.random() < 0.5:
        return placed
    names_period = rng.random() < 0.5
    question = _naming(group[0].question, made, names_period, rng)
    asked = tuple(replace(reading, question=question) for reading in placed)
    told = made.period if names_period else made.organisation
    answering = [r for r in asked if r.relevant and not set(words(told)) & set(words(r.passage))]
    if not answering:
        return placed
    other = replace(made, period=_period(rng)) if names_period else replace(made, organisation=_organisation(rng))
    if other == made:
        return asked
    twin = replace(rng.choice(answering), relevant=False, gold=(), answer=None, context=other.title)
    return (*asked, twin)


def _setting(rng: random.Random) -> _Setting:
    return _Setting(_organisation(rng), rng.choice(_KINDS), _period(rng))


def _organisation(rng: random.Random) -> str:
    return rng.choice(_ORGANISATIONS)


def _period(rng: random.Random) -> str:
    year = rng.randrange(2005, 2027)
    return rng.choice([str(year), str(year), f"Q{rng.randrange(1, 5)} {year}", f"{year} Q{rng.randrange(1, 5)}"])


def _naming(question: str, made: _Setting, period: bool, rng: random.Random) -> str:
    bare = question.rstrip(" ?")
    first = bare[:1].lower() + bare[1:]
    if period:
        options = [f"{bare} in {made.period}?", f"In {made.period}, {first}?", f"{bare} ({made.period})?"]
    else:
        options = [
            f"{bare} at {made.organisation}?",
            f"{made.organisation}: {first}?",
            f"For {made.organisation}, {first}?",
        ]
    options.append(f"According to the {made.title}, {first}?")
    return rng.choice(options)


def laid_out(reading: Reading, rng: random.Random) -> Reading:
    """The passage with a line of its own put in: a heading of the question's words, or a name as in a signature or table.

    Such a line repeats the question or looks like an answer, and is neither.
    """
    line = _line(reading, rng)
    gold = reading.gold or ()
    starts = [s.start for s in sentence_spans(reading.passage) if not any(g.start < s.start < g.end for g in gold)]
    if line is None or reading.gold is None or not starts:
        return reading
    place = rng.choice(starts)
    before = reading.passage[:place].rstrip()
    opening = f"{before}\n\n{line}\n\n" if before else f"{line}\n\n"
    shift = len(opening) - place

    def moved(span: Span) -> Span:
        return Span(span.start + shift, span.end + shift) if span.start >= place else span

    answer = moved(reading.answer) if reading.answer else None
    return replace(
        reading, passage=opening + reading.passage[place:], gold=tuple(moved(span) for span in gold), answer=answer
    )


def _line(reading: Reading, rng: random.Random) -> str | None:
    if rng.random() < 0.6:
        telling = [word for word in reading.question.rstrip(" ?").split() if word.lower() not in DULL]
        return " ".join(telling).title() if len(telling) > 1 else None
    answers = {reading.passage[span.start : span.end] for span in reading.gold or ()}
    found = [name for name in names(reading.passage) if not any(name in text or text in name for text in answers)]
    return rng.choice(found) if found else None
