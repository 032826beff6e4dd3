"""Document -> chunks: runs of whole sentences, each short enough to embed. Pure.

A chunk aims at `TARGET` word pieces and never passes `LIMIT` (all-MiniLM-L6-v2 reads 256, two of them its own marks). Sections
come first: no chunk crosses a heading. Inside a section a chunk ends after a sentence, if possible where a paragraph ends.
Only a sentence that alone passes the limit is cut, at the best place inside it: a line's end, then a clause's, then a
word's. Chunks do not overlap: the reader would meet the same sentence twice, and citations would compete with their own
copies.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.chunking.sentences import Span, sentence_spans, trimmed
from index.records import Chunk, Document

TARGET = 200
LIMIT = 250

_CHARACTERS_PER_PIECE = 20
_ENDS_OF_CLAUSE = ("\n", "; ", ": ", ", ", " ")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_TOKENISED_AT_ONCE = 100_000

TokenOffsets = Callable[[str], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or part of one that is too long, with its size and whether a paragraph ends after it."""

    start: int
    end: int
    size: int
    ends_paragraph: bool = False


def chunk(document: Document, token_offsets: TokenOffsets) -> list[Chunk]:
    """The chunks of `document`, in order, never overlapping: `document.text[c.start:c.end] == c.text`.

    `token_offsets(text)` gives the code-point ranges of the word pieces of `text`, shape (pieces, 2), in order. The size of
    a stretch is its number of word pieces, or its characters / 20 if that is more: a tokeniser may read one
    enormous "word" as a single unknown piece, and a chunk of a megabyte helps nobody.
    """
    chunks: list[Chunk] = []
    for start, end, trail in _sections(document):
        pieces = _pieces(document.text, start, end, token_offsets)
        for first, last in _runs(pieces):
            span = Span(pieces[first].start, pieces[last].end)
            chunks.append(
                Chunk(
                    id=chunk_id(document.id, document.version, span.start, span.end),
                    document_id=document.id,
                    version=document.version,
                    ordinal=len(chunks),
                    start=span.start,
                    end=span.end,
                    text=document.text[span.start : span.end],
                    trail=trail,
                )
            )
    return chunks


def chunk_id(document_id: str, version: str, start: int, end: int) -> str:
    """The same for the same range of the same document version, on every machine: 32 hexadecimal digits."""
    name = f"{document_id}\0{version}\0{start}\0{end}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _sections(document: Document) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Ranges that no chunk may cross. A heading with nothing under it goes with what follows: alone it answers nothing."""
    starts = [section.start for section in document.sections]
    trails = [section.trail for section in document.sections]
    if not starts or starts[0] > 0:
        starts.insert(0, 0)
        trails.insert(0, ())
    ends = [*starts[1:], len(document.text)]
    begin: int | None = None
    for start, end, trail in zip(starts, ends, trails, strict=True):
        begin = start if begin is None else begin
        heading_only = bool(trail) and "\n" not in document.text[start:end].strip()
        if heading_only and end < len(document.text):
            continue
        yield begin, end, trail
        begin = None


def _pieces(text: str, start: int, end: int, token_offsets: TokenOffsets) -> list[_Piece]:
    """The sentences of `text[start:end]` with their sizes; those that pass the limit are cut."""
    spans = [Span(start + span.start, start + span.end) for span in sentence_spans(text[start:end])]
    pieces: list[_Piece] = []
    for batch in _batches(spans):
        base = batch[0].start
        offsets = token_offsets(text[base : batch[-1].end])
        begins = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)[:, 0] + base
        bounds = np.searchsorted(begins, np.asarray(batch, dtype=np.int64))
        for span, (left, right) in zip(batch, bounds.tolist(), strict=True):
            size = max(right - left, _least_size(span))
            if size <= LIMIT:
                pieces.append(_Piece(span.start, span.end, size))
            else:
                pieces.extend(_cut(text, span, begins[left:right]))
    following = [*(piece.start for piece in pieces), end][1:]
    return [
        replace(piece, ends_paragraph=_BLANK_LINE.search(text, piece.end, after) is not None)
        for piece, after in zip(pieces, following, strict=True)
    ]


def _batches(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """Runs of sentences that together stay near a size that a tokeniser takes without swelling."""
    first = 0
    for place, span in enumerate(spans):
        if span.end - spans[first].start > _TOKENISED_AT_ONCE and place > first:
            yield spans[first:place]
            first = place
    if first < len(spans):
        yield spans[first:]


def _least_size(span: Span) -> int:
    return -(-(span.end - span.start) // _CHARACTERS_PER_PIECE)


def _cut(text: str, span: Span, begins: NDArray[np.int64]) -> Iterator[_Piece]:
    """Parts of one long sentence, each at most `TARGET` in size. `begins` are where its word pieces begin."""
    start = span.start
    while start < span.end:
        left = int(np.searchsorted(begins, start))
        reach = min(span.end, start + TARGET * _CHARACTERS_PER_PIECE)
        if left + TARGET < len(begins):
            reach = min(reach, int(begins[left + TARGET]))
        if reach < span.end:
            reach = _best_cut(text, start, reach)
        part = trimmed(text, start, reach)
        if part.start < part.end:
            count = int(np.searchsorted(begins, part.end)) - left
            yield _Piece(part.start, part.end, max(count, _least_size(part)))
        start = reach


def _best_cut(text: str, start: int, reach: int) -> int:
    """The last good place to cut in the second half of `text[start:reach]`, else `reach` itself."""
    half = start + (reach - start) // 2
    for mark in _ENDS_OF_CLAUSE:
        place = text.rfind(mark, half, reach)
        if place > start:
            return place + len(mark)
    return reach


def _runs(pieces: Sequence[_Piece]) -> Iterator[tuple[int, int]]:
    """First and last piece of each chunk: as even as the sentences allow, paragraphs kept whole where that costs little."""
    remaining = sum(piece.size for piece in pieces)
    first = 0
    while first < len(pieces):
        if remaining <= LIMIT:
            yield first, len(pieces) - 1
            return
        count = max(round(remaining / TARGET), -(-remaining // LIMIT))
        last = _best_end(pieces, first, remaining / count)
        yield first, last
        remaining -= sum(piece.size for piece in pieces[first : last + 1])
        first = last + 1


def _best_end(pieces: Sequence[_Piece], first: int, even: float) -> int:
    """The piece after which to end: near the even size, a quarter off being worth the end of a paragraph."""
    best, least, size = first, float("inf"), 0
    for place in range(first, len(pieces)):
        size += pieces[place].size
        if size > LIMIT:
            break
        cost = abs(size - even) + (0 if pieces[place].ends_paragraph else TARGET / 4)
        if cost <= least:
            best, least = place, cost
    return best
