"""Cuts question and passage into the token windows that the networks read. Pure; shared by training and inference.

A window is [CLS] question [SEP] consecutive sentences [SEP], at most `limit` tokens; where the passage has a context (the
title of its document and the headings above it), every window is [CLS] question [SEP] context [SEP] sentences [SEP].
A passage that fits is one window; a longer one is split at sentence boundaries, and only a sentence longer than a window
is split inside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.blocks.block import Span

CLS, SEP = 101, 102
QUESTION_LIMIT = 64
CONTEXT_LIMIT = 40


@dataclass(frozen=True)
class Tokens:
    """The token ids of a text, without special tokens, and each token's range of code points."""

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Window:
    """One input of the reader network; all arrays have the window's length T.

    `sentence_ids` is k for tokens of sentence `sentences[k - 1]` and 0 elsewhere. `firsts[k - 1]` is the position of that
    sentence's first token. `offsets` (T, 2) are code points into the passage, (0, 0) outside it.
    """

    input_ids: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]
    sentence_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sentences: range
    firsts: tuple[int, ...]


def windows(
    question: Sequence[int],
    passage: Tokens,
    sentences: Sequence[Span],
    limit: int,
    head_limit: int = QUESTION_LIMIT,
    context: Sequence[int] = (),
) -> list[Window]:
    """The windows of a passage, in order; at least one, so that even an empty passage has a relevance.

    `question` and `context` are token ids without special tokens, cut after `head_limit` and `CONTEXT_LIMIT` tokens.
    `limit` counts all tokens of a window.
    """
    asked = [CLS, *question[:head_limit], SEP]
    head = [*asked, *context[:CONTEXT_LIMIT], SEP] if context else asked
    pieces = list(_pieces(_token_ranges(passage, sentences), limit - len(head) - 1))
    return [_window(head, len(asked), passage, piece) for piece in pieces] or [_window(head, len(asked), passage, [])]


_Piece = list[tuple[int, int, int]]


def _token_ranges(passage: Tokens, sentences: Sequence[Span]) -> list[tuple[int, int, int]]:
    """(sentence, first token, last token + 1) of every sentence that has a token."""
    ranges: list[tuple[int, int, int]] = []
    token, count = 0, len(passage.ids)
    for number, sentence in enumerate(sentences):
        while token < count and passage.offsets[token][1] <= sentence.start:
            token += 1
        first = token
        while token < count and passage.offsets[token][0] < sentence.end:
            token += 1
        if first < token:
            ranges.append((number, first, token))
    return ranges


def _pieces(ranges: list[tuple[int, int, int]], room: int) -> Iterator[_Piece]:
    """Runs of sentences, each as long as `room` tokens allow, including the gaps between them."""
    piece: _Piece = []
    for number, begin, last in ranges:
        first = begin
        if piece and last - piece[0][1] > room:
            yield piece
            piece = []
        while last - first > room:
            yield [(number, first, first + room)]
            first += room
        piece.append((number, first, last))
    if piece:
        yield piece


def _window(head: Sequence[int], asked: int, passage: Tokens, piece: _Piece) -> Window:
    begin, end = (piece[0][1], piece[-1][2]) if piece else (0, 0)
    ids = [*head, *passage.ids[begin:end], SEP]
    shift = len(head) - begin
    types = np.zeros(len(ids), dtype=np.int64)
    types[asked:] = 1
    offsets = np.zeros((len(ids), 2), dtype=np.int64)
    if begin < end:
        offsets[len(head) : -1] = passage.offsets[begin:end]
    sentence_ids = np.zeros(len(ids), dtype=np.int64)
    for place, (_, first, last) in enumerate(piece, start=1):
        sentence_ids[first + shift : last + shift] = place
    sentences = range(piece[0][0], piece[-1][0] + 1) if piece else range(0)
    firsts = tuple(first + shift for _, first, _ in piece)
    return Window(np.asarray(ids, dtype=np.int64), types, sentence_ids, offsets, sentences, firsts)
