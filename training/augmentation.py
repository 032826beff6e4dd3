"""Data augmentation: titles, inserted lines, passages cut to single sentences, and questions as people type them.

In use, passages stand under titles that name an organisation and a period, with headings and labels between the sentences.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from training.batches import gold_sentences
from training.negatives import FUNCTION_WORDS, names
from training.search import words
from training.sources import Group, PassagePair

_ORGANISATIONS = [
    "Arlen Foods", "Bexley Council", "Corvid Systems", "Dunmore College", "Eastgate Hospital", "Fennel Logistics",
    "Gorse Energy", "Harrow Mills", "Ingot Bank", "Juniper Labs", "Kestrel Air", "Lindqvist AB", "Marlow Insurance",
    "Northwater Utilities", "Orrin Software", "Pell Robotics", "Quarry Group", "Rowan Pharma", "Sable Motors", "Tarn Telecom",
]  # fmt: skip
_KINDS = [
    "annual report", "quarterly report", "Form 10-Q", "handbook", "minutes", "press release", "policy", "budget",
    "release notes", "survey", "audit", "newsletter",
]  # fmt: skip
NO_TITLE, OWN_TITLE = 0.4, 0.75
"""A random number below the first: no context; below the second: the group's own titles; else: an invented title."""


@dataclass(frozen=True)
class _Title:
    organisation: str
    kind: str
    period: str

    @property
    def text(self) -> str:
        return f"{self.organisation} {self.kind} {self.period}"


def set_context(group: Group, rng: random.Random) -> Group:
    """The group without context, under its own titles, or under an invented title.

    With half of the invented titles, the question names the organisation or period, and the group gets a near miss: the
    answering passage under the title of another organisation or period, which does not answer that question.
    """
    roll = rng.random()
    if roll < NO_TITLE:
        return tuple(replace(pair, context="") for pair in group)
    if roll < OWN_TITLE:
        return group
    title = _random_title(rng)
    titled = tuple(replace(pair, context=title.text) for pair in group)
    if rng.random() < 0.5:
        return titled
    names_period = rng.random() < 0.5
    question = _question_naming(group[0].question, title, names_period, rng)
    asked = tuple(replace(pair, question=question) for pair in titled)
    named = title.period if names_period else title.organisation
    answering = [r for r in asked if r.relevant and not set(words(named)) & set(words(r.passage))]
    if not answering:
        return titled
    other = replace(title, period=_period(rng)) if names_period else replace(title, organisation=_organisation(rng))
    if other == title:
        return asked
    near_miss = replace(rng.choice(answering), relevant=False, gold=(), answer=None, context=other.text)
    return (*asked, near_miss)


def _random_title(rng: random.Random) -> _Title:
    return _Title(_organisation(rng), rng.choice(_KINDS), _period(rng))


def _organisation(rng: random.Random) -> str:
    return rng.choice(_ORGANISATIONS)


def _period(rng: random.Random) -> str:
    year = rng.randrange(2005, 2027)
    return rng.choice([str(year), str(year), f"Q{rng.randrange(1, 5)} {year}", f"{year} Q{rng.randrange(1, 5)}"])


def _question_naming(question: str, title: _Title, period: bool, rng: random.Random) -> str:
    bare = question.rstrip(" ?")
    first = bare[:1].lower() + bare[1:]
    if period:
        options = [f"{bare} in {title.period}?", f"In {title.period}, {first}?", f"{bare} ({title.period})?"]
    else:
        options = [
            f"{bare} at {title.organisation}?",
            f"{title.organisation}: {first}?",
            f"For {title.organisation}, {first}?",
        ]
    options.append(f"According to the {title.text}, {first}?")
    return rng.choice(options)


def insert_line(pair: PassagePair, rng: random.Random) -> PassagePair:
    """The pair with a separate line inserted in its passage: a heading of the question's words, or a name as in a table.

    Such a line repeats the question or looks like an answer, but does not answer it. A pair is returned as it is where the
    place of the answer is unknown or no line fits.
    """
    line = _line(pair, rng)
    gold = pair.gold or ()
    starts = [s.start for s in sentence_spans(pair.passage) if not any(g.start < s.start < g.end for g in gold)]
    if line is None or pair.gold is None or not starts:
        return pair
    place = rng.choice(starts)
    before = pair.passage[:place].rstrip()
    opening = f"{before}\n\n{line}\n\n" if before else f"{line}\n\n"
    shift = len(opening) - place

    def shifted(span: Span) -> Span:
        return Span(span.start + shift, span.end + shift) if span.start >= place else span

    answer = shifted(pair.answer) if pair.answer else None
    return replace(
        pair, passage=opening + pair.passage[place:], gold=tuple(shifted(span) for span in gold), answer=answer
    )


def _line(pair: PassagePair, rng: random.Random) -> str | None:
    if rng.random() < 0.6:
        content = [word for word in pair.question.rstrip(" ?").split() if word.lower() not in FUNCTION_WORDS]
        return " ".join(content).title() if len(content) > 1 else None
    answers = {pair.passage[span.start : span.end] for span in pair.gold or ()}
    usable = [name for name in names(pair.passage) if not any(name in text or text in name for text in answers)]
    return rng.choice(usable) if usable else None


CUT_SHARE = 0.25
"""Share of the groups whose passages are cut to a single sentence."""
_KEEP_PREVIOUS_SHARE = 0.3
"""Share of the cut passages that keep the sentence before it."""


def cut_to_sentences(group: Group, rng: random.Random) -> Group:
    """The group as it is, or, for a share of `CUT_SHARE`, with each passage cut to a single sentence.

    The reader reads its best sentence again by itself; this prepares it. An answering passage is cut to a sentence that
    answers, any other to the sentence that shares most words with the question; some keep the sentence before it. A group
    stays whole where the place of an answer is unknown.
    """
    if rng.random() >= CUT_SHARE or any(pair.gold is None for pair in group):
        return group
    return tuple(_cut_passage(pair, rng) for pair in group)


def _cut_passage(pair: PassagePair, rng: random.Random) -> PassagePair:
    spans = sentence_spans(pair.passage)
    gold = sorted(gold_sentences(pair.gold or (), spans))
    if not spans or (pair.relevant and not gold):
        return pair
    place = rng.choice(gold) if gold else _closest_sentence(pair, spans)
    first = place - 1 if place and rng.random() < _KEEP_PREVIOUS_SHARE else place
    start, end = spans[first].start, spans[place].end
    inside = [span for span in pair.gold or () if start <= span.start and span.end <= end]
    if pair.relevant and not inside:
        return pair
    answer = pair.answer if pair.answer in inside else None
    return replace(
        pair,
        passage=pair.passage[start:end],
        gold=tuple(Span(span.start - start, span.end - start) for span in inside),
        answer=Span(answer.start - start, answer.end - start) if answer else None,
    )


def _closest_sentence(pair: PassagePair, spans: Sequence[Span]) -> int:
    """The number of the sentence that shares most words with the question; the first of equals."""
    asked = set(words(pair.question))
    shared = [len(asked & set(words(pair.passage[span.start : span.end]))) for span in spans]
    return shared.index(max(shared))


_KEYWORD_STOPWORDS = frozenset(
    "a an the of in on at to for is are was were do does did be been by with what which who how that".split()
)


def perturb_question(question: str, rng: random.Random) -> str:
    """The question as people type it: often in lower case or without its question mark, sometimes as keywords or misspelt."""
    if rng.random() < 0.3:
        question = question.lower()
    if rng.random() < 0.3:
        question = question.rstrip(" ?")
    tokens = question.split()
    if rng.random() < 0.06:
        kept = [word for word in tokens if word.lower() not in _KEYWORD_STOPWORDS]
        tokens = kept if len(kept) > 1 else tokens
    if rng.random() < 0.05 and tokens:
        place = rng.randrange(len(tokens))
        word = tokens[place]
        if len(word) > 4 and word.isalpha():
            cut = rng.randrange(1, len(word) - 2)
            swapped = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
            tokens[place] = rng.choice([swapped, word[:cut] + word[cut + 1 :]])
    return " ".join(tokens)
