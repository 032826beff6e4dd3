"""The text that a language model writes -> drafts. One path for every generator that writes. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator

from service.generators.draft import Draft
from service.generators.extractive import plain
from service.written import written_sentences

_MOST_REPEATED = 3
_THINKS = "<think>"
_THOUGHT = "</think>"
_HEADING = re.compile(r"\s*#{1,6}\s")
_QUESTION = re.compile(r"[?？؟]\W*\Z")
_HAS_WORD = re.compile(r"\w")


def drafts(pieces: Iterable[str], count: int, was_cut: Callable[[], bool]) -> Iterator[Draft]:
    """Yield a draft for each sentence in the text that arrives in `pieces`, as soon as it is complete.

    `count` is the number of passages that the model saw. `was_cut` is asked after the last piece: whether the model was
    stopped before its end. What states nothing is left out: thoughts, headings, questions, and what was said before; a
    model that keeps saying the same is stopped.
    """
    said: set[str] = set()
    repeated = 0
    for sentence in written_sentences(without_thoughts(pieces), count, was_cut):
        text = plain(sentence.text)
        if not _HAS_WORD.search(text) or _HEADING.match(sentence.text) or _QUESTION.search(text):
            continue
        if text in said:
            repeated += 1
            if repeated == _MOST_REPEATED:
                return
            continue
        said.add(text)
        yield Draft(text, passages=tuple(number - 1 for number in sentence.cited), invented=sentence.invented)


def without_thoughts(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces without a block `<think> ... </think>` at their beginning; nothing, if that block never ends."""
    held = ""
    thinking = False
    answering = False
    for piece in pieces:
        if answering:
            yield piece
            continue
        held += piece
        if not thinking:
            held = held.lstrip()
            if held.startswith(_THINKS):
                thinking = True
            elif not _THINKS.startswith(held):
                answering = True
                yield held
        if thinking:
            _, end, rest = held.partition(_THOUGHT)
            if end:
                answering = True
                yield rest
            else:
                held = held[-len(_THOUGHT) :]
    if not (answering or thinking):
        yield held
