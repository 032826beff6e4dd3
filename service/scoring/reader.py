"""The reader: a network that reads question and passage in one pass and scores the passage and its sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.inference.blueprint import Parts
from index.inference.runtime import Signature
from index.records import Hit
from service.scoring.trained_model import ModelConfig, TrainedModel
from service.scoring.windows import Tokens, Window, windows

_Floats = NDArray[np.float32]
_MAX_SPAN_TOKENS = 30
"""Tokens of the longest highlight: .99 of SQuAD's answers are shorter."""


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """How well one sentence answers. `start` and `end` are code points into the passage; `score` is a logit.

    `answer` is the part of the sentence that is most likely the answer, also in code points of the passage; None when the
    reader saw no token of the sentence. `alone` is the relevance of the sentence read by itself, None where it was not.
    """

    start: int
    end: int
    score: float
    answer: Span | None
    alone: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How relevant a passage is to a question (a logit; above 0: it answers), and its sentences in order."""

    relevance: float
    sentences: tuple[SentenceReading, ...]

    @property
    def best(self) -> float:
        """The score of the best sentence; minus infinity without any."""
        return max((sentence.score for sentence in self.sentences), default=-math.inf)


class Reader(TrainedModel):
    """Reads passages for a question. Thread-safe; CPU-bound. Make one with `Reader.load`."""

    KIND = "reader"
    SIGNATURE = Signature(
        ("input_ids", "attention_mask", "token_type_ids"),
        (None, "firsts", "input_ids"),
        head=("sentence_ids", "firsts"),
    )

    @classmethod
    def make(cls, folder: Path, config: ModelConfig) -> Parts:
        """See TrainedModel."""
        from service.scoring.weights import make_reader  # noqa: PLC0415  (imports torch: see index/inference/blueprint.py)

        return make_reader(folder, config)

    def read(
        self,
        question: str | Sequence[str],
        passages: Sequence[str],
        contexts: Sequence[str] | None = None,
        sentences: Sequence[Sequence[Span]] | None = None,
    ) -> list[Reading]:
        """A reading of every passage, in the order given, in one batched pass.

        `question` is one for all passages, or one for each. `contexts` has one text for each passage: its document's title and
        the headings above it, "" for none. The network reads them with the passage; they are never quoted. `sentences` has the
        ranges of the units of each passage, which are scored one by one; without it, the passages are split into sentences.
        Passages longer than a window are read in windows of whole sentences: the relevance is that of the best window, and
        every sentence has a score.
        """
        questions = [question] * len(passages) if isinstance(question, str) else question
        asked = {text: self._tokeniser.encode(text, add_special_tokens=False).ids for text in dict.fromkeys(questions)}
        encodings = self._tokeniser.encode_batch(list(passages), add_special_tokens=False)
        above = self._tokeniser.encode_batch(list(contexts or [""] * len(passages)), add_special_tokens=False)
        spans = sentences if sentences is not None else [sentence_spans(passage) for passage in passages]
        cut = [
            windows(asked[text], Tokens(encoding.ids, encoding.offsets), ranges, self.config.limit, context=context.ids)
            for text, encoding, ranges, context in zip(questions, encodings, spans, above, strict=True)
        ]
        logits = iter(self._network.run([_row(window) for pieces in cut for window in pieces]))
        return [
            _join_windows(ranges, [_scores(window, *next(logits)) for window in pieces])
            for ranges, pieces in zip(spans, cut, strict=True)
        ]

    def is_common(self, word: str) -> bool:
        """Whether the network's vocabulary has the word, or the word without an ending, in one piece."""
        return any(self._tokeniser.token_to_id(form) is not None for form in _forms(word.casefold()))

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """The relevance of every text to the query, higher is better. This makes the reader a Reranker."""
        return [reading.relevance for reading in self.read(query, texts)]


_ENDINGS = (
    *(
        ("s", ""),
        ("es", ""),
        ("ies", "y"),
        ("ed", ""),
        ("ed", "e"),
        ("ied", "y"),
        ("ing", ""),
        ("ing", "e"),
        ("er", ""),
    ),
    *(("er", "e"), ("ly", ""), ("ness", ""), ("ation", "e"), ("ation", "ate")),
)


def _forms(word: str) -> list[str]:
    """The word, and what it may be a form of: subletting, sublet; studied, study."""
    forms = [word]
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word[: -len(ending)]
            forms.append(stem + instead)
            if stem[-1] == stem[-2]:
                forms.append(stem[:-1])
    return forms


def passage_context(hit: Hit) -> str:
    """The context of a passage: its document's title and the headings above it, each once."""
    opening = hit.chunk.text.partition("\n")[0]
    return " > ".join(
        [hit.title, *(heading for heading in hit.chunk.trail if heading not in (hit.title, opening.lstrip("# ")))]
    )


@dataclass(frozen=True, slots=True)
class _Scores:
    """The logits of one window: of its relevance, of its sentences, and of start and end for every token (T, 2)."""

    window: Window
    relevance: float
    sentences: Sequence[float]
    span: _Floats


def _row(window: Window) -> dict[str, NDArray[np.int64]]:
    return {
        "input_ids": window.input_ids,
        "token_type_ids": window.token_type_ids,
        "sentence_ids": window.sentence_ids,
        "firsts": np.array(window.firsts, dtype=np.int64),
    }


def _scores(window: Window, relevance: _Floats, sentences: _Floats, span: _Floats) -> _Scores:
    return _Scores(window, float(relevance), sentences.tolist(), span)


def _join_windows(sentences: Sequence[Span], scores: Sequence[_Scores]) -> Reading:
    """One reading from the windows of a passage; a sentence that was cut has the score of its best part."""
    best: dict[int, SentenceReading] = {}
    for part in scores:
        for place, (number, score) in enumerate(zip(part.window.sentences, part.sentences, strict=True), start=1):
            if number not in best or score > best[number].score:
                best[number] = SentenceReading(*sentences[number], score, _answer(part.window, part.span, place))
    readings = [best.get(number, SentenceReading(*span, -math.inf, None)) for number, span in enumerate(sentences)]
    return Reading(max(part.relevance for part in scores), tuple(readings))


def _answer(window: Window, span: _Floats, place: int) -> Span:
    """The span inside the sentence with the highest sum of start and end logits."""
    inside = np.flatnonzero(window.sentence_ids == place)
    sums = span[inside, 0][:, None] + span[inside, 1][None, :]
    length = np.arange(len(inside))[None, :] - np.arange(len(inside))[:, None]
    sums[(length < 0) | (length >= _MAX_SPAN_TOKENS)] = -np.inf
    start, end = np.unravel_index(int(sums.argmax()), sums.shape)
    return Span(int(window.offsets[inside[start], 0]), int(window.offsets[inside[end], 1]))
