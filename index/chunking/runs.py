"""ReadRuns: the stretches of a block that are read, and the sentences in them. Pure.

What is struck out, the marks of notes, markup and page furniture stand inside a block's text and are not read. Sentences are
found in what is left, and lead back to their places.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter

from index.blocks.block import UNREAD, Block, Kind, Span
from index.blocks.unit import Piece, Unit
from index.chunking.sentences import paragraph_sentences, trim_span
from index.chunking.struck import has_lost_its_answer

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
    """Finds the runs of text of the blocks of one document."""

    def __init__(self, text: str, blocks: Sequence[Block]) -> None:
        self._text = text
        self._blocks = blocks
        self._children: dict[int | None, list[int]] = {}
        for number, block in enumerate(blocks):
            self._children.setdefault(block.parent, []).append(number)

    def children(self, number: int | None) -> Sequence[int]:
        """Return the places of the blocks that a block holds; of those that no block holds for None."""
        return self._children.get(number, ())

    def sentences(self, kind: Kind, own: Span, number: int, lead: tuple[Span, ...], language: str) -> Iterator[Unit]:
        """The sentences of the range `own` of the block `number`, as units of that kind.

        One that has lost its answer, because that was struck out, is left out.
        """
        pieces = self.pieces(own, number)
        struck = [block for block in self._unread(number) if block.kind is Kind.STRUCK] if pieces else []
        if len(pieces) == 1 and not struck and not pieces[0].before:
            start = pieces[0].start
            for begin, end in paragraph_sentences(self._text[start : pieces[0].end], language):
                yield Unit(kind, start + begin, start + end, (Piece("", start + begin, start + end),), lead)
            return
        clean = "".join(piece.before + self._text[piece.start : piece.end] for piece in pieces)
        starts: list[int] = []
        length = 0
        for piece in pieces:
            starts.append(length + len(piece.before))
            length = starts[-1] + piece.end - piece.start
        for sentence in paragraph_sentences(clean, language):
            found: list[Piece] = []
            blank: list[Piece] = []  # kept if something is read after it
            place = max(0, bisect_left(starts, sentence.start + 1) - 1)
            while place < len(pieces) and starts[place] < sentence.end:
                piece, shift = pieces[place], pieces[place].start - starts[place]
                start, end = max(sentence.start + shift, piece.start), min(sentence.end + shift, piece.end)
                if self._text[start:end].strip():
                    found += [*blank, Piece(piece.before if found else "", start, end)]
                    blank = []
                elif found and start < end:
                    blank.append(Piece(piece.before, start, end))
                place += 1
            if found:
                found[0] = found[0]._replace(start=trim_span(self._text, found[0].start, found[0].end).start)
                found[-1] = found[-1]._replace(end=trim_span(self._text, found[-1].start, found[-1].end).end)
                if not self._has_lost(found, struck, language or "en"):
                    yield Unit(kind, found[0].start, found[-1].end, tuple(found), lead)

    def _has_lost(self, sentence: Sequence[Piece], struck: Sequence[Block], language: str) -> bool:
        """Whether what is struck out in the sentence, or right after it where it has no full stop, was its answer."""
        start, end = sentence[0].start, sentence[-1].end
        left = "".join(piece.before + self._text[piece.start : piece.end] for piece in sentence)
        for block in struck[bisect_left(struck, start, key=attrgetter("start")) :]:
            is_inside = block.end <= end
            if block.start > end and (left[-1:] in ".!?。" or self._text[end : block.start].strip(" *_~")):
                break
            is_last = not is_inside or not any(map(str.isalnum, self._text[block.end : end]))
            words = self._text[block.start : block.end]
            if (is_inside or block.start >= end) and has_lost_its_answer(
                left, words, is_last=is_last, language=language
            ):
                return True
            if not is_inside:
                break
        return False

    def pieces(self, own: Span, number: int) -> list[Piece]:
        """The stretches of the range that are read: without what is struck out, marks of notes and the like.

        What is read in place of markup, such as a space for `<br>`, stands before the stretch that follows.
        """
        if number not in self._children:
            return [Piece("", *own)] if own.start < own.end else []
        found: list[Piece] = []
        before = ""
        position = own.start
        for left_out in self._unread(number):
            if not own.start <= left_out.start < own.end:
                continue
            if position < left_out.start:
                found.append(Piece(before, position, left_out.start))
                before = ""
            if left_out.kind is Kind.MARKUP and not (before.endswith(" ") and left_out.marker == " "):
                before += left_out.marker
            position = max(position, left_out.end)
        if position < own.end:
            found.append(Piece(before, position, own.end))
        return found

    def stated(self, number: int) -> list[Piece]:
        """Return what is read of a cell or field, without white space at either end; empty if nothing is."""
        pieces = [piece for piece in self.pieces(self._blocks[number].span, number) if piece.start < piece.end]
        while pieces and not self._text[pieces[0].start : pieces[0].end].strip():
            pieces.pop(0)
        while pieces and not self._text[pieces[-1].start : pieces[-1].end].strip():
            pieces.pop()
        if pieces:
            start, end = trim_span(self._text, pieces[0].start, pieces[0].end)
            pieces[0] = Piece(pieces[0].before, start, end if len(pieces) == 1 else pieces[0].end)
        if len(pieces) > 1:
            pieces[-1] = pieces[-1]._replace(end=trim_span(self._text, pieces[-1].start, pieces[-1].end).end)
        return pieces

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

    def _unread(self, number: int) -> Iterator[Block]:
        for child in self.children(number):
            if self._blocks[child].kind in UNREAD:
                yield self._blocks[child]
            elif not self.is_holder(child):
                yield from self._unread(child)
