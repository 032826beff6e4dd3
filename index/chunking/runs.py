"""ReadRuns: the stretches of a block that are read, and the sentences in them. Pure.

What is struck out, the marks of notes, markup and page furniture stand inside a block's text and are not read. Sentences are
found in what is left, and lead back to their places.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from index.blocks.block import UNREAD, Block, Kind, Span
from index.blocks.unit import Piece, Unit
from index.chunking.sentences import paragraph_sentences, trim_span

_HOLDERS = frozenset(
    {
        Kind.LIST,
        Kind.TABLE,
        Kind.DEFINITION,
        Kind.QUOTATION,
        Kind.CODE,
        Kind.RECORD,
        Kind.ROW,
        Kind.PARAGRAPH,
        Kind.ITEM,
        Kind.NOTE,
        Kind.CAPTION,
        Kind.FIELD,
        Kind.HEADING,
    }
)


class ReadRuns:
    """Finds the runs of text of the blocks of one document. `children` are the places of the blocks that each block holds."""

    def __init__(self, text: str, blocks: Sequence[Block]) -> None:
        self.children: dict[int | None, list[int]] = defaultdict(list)
        self._text = text
        self._blocks = blocks
        for number, block in enumerate(blocks):
            self.children[block.parent].append(number)

    def sentences(self, kind: Kind, own: Span, number: int, lead: tuple[Span, ...], language: str) -> Iterator[Unit]:
        """The sentences of the range `own` of the block `number`, as units of that kind."""
        ranges = self.ranges(own, number)
        clean = "".join(self._text[start:end] for start, end in ranges)
        starts: list[int] = []
        length = 0
        for start, end in ranges:
            starts.append(length)
            length += end - start
        for sentence in paragraph_sentences(clean, language or "en"):
            pieces: list[Piece] = []
            place = max(0, bisect_left(starts, sentence.start + 1) - 1)
            while place < len(ranges) and starts[place] < sentence.end:
                shift = ranges[place].start - starts[place]
                span = (
                    trim_span(
                        self._text,
                        max(sentence.start + shift, ranges[place].start),
                        min(sentence.end + shift, ranges[place].end),
                    )
                    if len(ranges) > 1
                    else Span(sentence.start + shift, sentence.end + shift)
                )
                if span.start < span.end:
                    pieces.append(self.spaced(pieces[-1] if pieces else None, Piece("", *span)))
                place += 1
            if pieces:
                yield Unit(kind, pieces[0].start, pieces[-1].end, tuple(pieces), lead)

    def ranges(self, own: Span, number: int) -> list[Span]:
        """The stretches of the range that are read: without what is struck out, marks of notes and the like."""
        found: list[Span] = []
        position = own.start
        for left_out in self._unread(number):
            if own.start <= left_out.start < own.end:
                found.append(Span(position, left_out.start))
                position = max(position, left_out.end)
        found.append(Span(position, own.end))
        return [span for span in found if span.start < span.end]

    def spaced(self, previous: Piece | None, piece: Piece) -> Piece:
        """The piece with a space before it where white space stands between it and the piece before, or text left out."""
        if previous is None:
            return piece
        between = self._text[previous.end : piece.start]
        is_parted = between != between.strip() or "<br" in between.lower()
        return piece._replace(before=" " if is_parted else "")

    def is_holder(self, number: int) -> bool:
        """Whether a child is a block of its own and no stretch of its parent's text."""
        return self._blocks[number].kind in _HOLDERS

    def start_of_text(self, block: Block) -> int:
        """Where the block is read from: after a bullet, which says nothing, but with a number or a letter."""
        is_bullet = block.kind is Kind.ITEM and block.marker and not any(map(str.isalnum, block.marker))
        return (
            block.start + len(block.marker)
            if is_bullet and self._text.startswith(block.marker, block.start)
            else block.start
        )

    def _unread(self, number: int) -> Iterator[Span]:
        for child in self.children[number]:
            if self._blocks[child].kind in UNREAD:
                yield self._blocks[child].span
            elif not self.is_holder(child):
                yield from self._unread(child)
