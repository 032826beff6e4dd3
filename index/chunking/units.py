"""Document -> units: what can be quoted of it, each with what names it. Pure.

A paragraph gives its sentences; an item, row, record, definition, field or code block is one unit, and a long one gives its
sentences or lines. A title or heading is a unit that never answers. Page furniture and hidden text give none. Text outside of
all blocks is prose.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.blocks.block import UNREAD, Block, Kind, Span
from index.blocks.labels import IDENTITY
from index.blocks.unit import GLUE, VALUE_GLUE, Origin, Piece, RenderedUnit, Rendering, Unit
from index.chunking.apart import units_apart
from index.chunking.repeated import read_leads, read_names
from index.chunking.runs import ReadRuns
from index.chunking.sentences import sentence_spans, trim_span
from index.records import Chunk, Document

LONG_CHARACTERS = 400
"""Items and meanings with more text than this are not one unit: their sentences are. Code is cut at lines after as much."""

_CLOSERS = re.compile(r"[\s\]}),;]*")  # of the values before a field
_NOTE_MARKS = re.compile(r"(?:[(\[][0-9a-z]{1,2}[)\]]\s*|[*†‡])+")
"""What a cell holds that is drawn above another as a raised mark: it heads no rows."""
_WORDS = re.compile(r"[^\W\d_]+")
_TOTALS = frozenset("total totals summe gesamt insgesamt".split())
_MAX_NAME = 80  # characters of a field that names what stands further on in its record
_END = "."
"""Rows and records are read as `Article: Rope; Bergen: 40; Oslo: 75.` On 17 questions over four small tables the reader names
the right row in 11 of 12 so, and tells rows that answer from others better (AUROC .83 read alone) than with other marks.
"""


def document_units(document: Document) -> list[Unit]:
    """Return the units of the document in order, never overlapping. Every range of each lies in its text."""
    return _UnitFinder(document.text, document.blocks).units()


def chunk_rendering(chunk: Chunk) -> Rendering:
    """Return how a chunk is read: its rendering, or its text as prose where only that is known."""
    return chunk.rendering or prose_rendering(chunk.text, chunk.start)


def prose_rendering(text: str, start: int = 0) -> Rendering:
    """Return prose as it is read, sentence by sentence; it stands at `start` in its document."""
    sentences = (
        RenderedUnit(_prose_unit(start + span.start, start + span.end), *span) for span in sentence_spans(text)
    )
    return Rendering(text, tuple(sentences), (Origin(0, len(text), start),))


def chunk_literal(chunk: Chunk, span: Span) -> str:
    """Return the document's text of a range that the chunk holds or is read with. `KeyError` for any other range."""
    if chunk.start <= span.start and span.end <= chunk.end:
        return chunk.text[span.start - chunk.start : span.end - chunk.start]
    return chunk_rendering(chunk).literal(span)


class _UnitFinder:
    def __init__(self, text: str, blocks: Sequence[Block]) -> None:
        self._text = text
        self._blocks = blocks
        self._runs = ReadRuns(text, blocks)
        self._children = self._runs.children
        self._item_texts = {b.start: self._runs.start_of_text(b) for b in blocks if b.kind is Kind.ITEM}
        self._field_labels = {label for b in blocks if b.kind is Kind.FIELD for label in b.labels}

    def units(self) -> list[Unit]:
        found: list[Unit] = []
        position = 0
        for number in self._children(None):
            block = self._blocks[number]
            found += self._prose(position, block.start)
            found += self._of_block(number, (), "")
            position = max(position, block.end)
        found += self._prose(position, len(self._text))
        found.sort(key=lambda unit: (unit.start, unit.end))
        labelled = [unit for unit in found if not (self._field_labels and self._is_label(unit))]
        return list(self._with_short_leads(units_apart(self._text, labelled)))

    def _with_short_leads(self, units: Iterator[Unit]) -> Iterator[Unit]:
        known: tuple[tuple[Span, ...], tuple[Span, ...]] = (
            (),
            (),
        )  # leads, which many units share, and what is read of them
        for unit in units:
            if unit.lead != known[0]:
                known = (unit.lead, read_leads(self._text, unit.lead))
            yield unit if known[1] == unit.lead else replace(unit, lead=known[1])

    def _is_label(self, unit: Unit) -> bool:
        if unit.kind not in (Kind.PARAGRAPH, Kind.ITEM):
            return False
        end = unit.end
        while end > unit.start and not self._text[end - 1].isalnum():
            end -= 1
        return any(Span(unit.start, stop) in self._field_labels for stop in range(end, unit.end + 1))

    def _introduction(self, block: Block) -> tuple[Span, ...]:
        """The labels of a block; of an item that introduces it, the part that is read."""
        read = (
            trim_span(self._text, self._item_texts.get(label.start, label.start), label.end) for label in block.labels
        )
        return tuple(label for label in read if label.start < label.end)

    def _author(self, block: Block) -> Piece | None:
        """Who said what is quoted, if a name says it and no line such as "Ann wrote:"."""
        if block.kind is not Kind.QUOTATION or len(block.labels) != 1:
            return None
        label = trim_span(self._text, *block.labels[0])
        has_colon = self._text[label.start : label.end].endswith((":", "："))
        return None if has_colon or label.start == label.end else Piece("", *read_names(self._text, [label])[0])

    def _prose(self, start: int, end: int) -> Iterator[Unit]:
        """The sentences of text that no block covers."""
        if start < end:
            for span in sentence_spans(self._text[start:end]):
                yield _prose_unit(start + span.start, start + span.end)

    def _of_block(self, number: int, lead: tuple[Span, ...], language: str) -> Iterator[Unit]:
        block = self._blocks[number]
        language = block.language or language
        if block.kind in UNREAD:
            return
        if block.kind in (Kind.TITLE, Kind.HEADING):
            yield Unit(Kind.HEADING, block.start, block.end, (Piece("", block.start, block.end),))
            return
        if block.kind is Kind.TABLE:
            yield from self._of_table(number, _joined(lead, self._introduction(block)), language)
        elif block.kind is Kind.RECORD:
            yield from self._of_record(number, _joined(lead, self._introduction(block)), language)
        elif block.kind is Kind.DEFINITION:
            yield from self._of_definition(number, lead, language)
        elif block.kind in (Kind.LIST, Kind.QUOTATION):
            named_by = self._author(block)
            for child in self._children(number):
                if named_by:
                    yield from _said_by(named_by, self._of_block(child, lead, language))
                else:
                    yield from self._of_block(child, _joined(lead, self._introduction(block)), language)
        elif block.kind is Kind.CODE:
            yield from self._of_code(block, _joined(lead, self._introduction(block)))
        elif block.kind is Kind.FIELD:
            yield from self._of_field(number, lead)
        else:
            yield from self._of_text(number, lead, language)

    def _of_text(
        self, number: int, lead: tuple[Span, ...], language: str, before: Sequence[Piece] = (), begin: int | None = None
    ) -> Iterator[Unit]:
        """The units of a block's own text, then those of the blocks it holds. `before` are read before each of its own."""
        block = self._blocks[number]
        holders = [child for child in self._children(number) if self._runs.is_holder(child)]
        own = Span(self._runs.start_of_text(block), self._blocks[holders[0]].start if holders else block.end)
        units = list(self._runs.sentences(block.kind, own, number, lead, language))
        if block.kind not in (Kind.PARAGRAPH, Kind.QUOTATION) and units and own.end - own.start <= LONG_CHARACTERS:
            first, *others = self._runs.pieces(Span(units[0].start, units[-1].end), number)
            units = [Unit(block.kind, units[0].start, units[-1].end, (first._replace(before=""), *others), lead)]
        if before or begin is not None:
            yield from _named(units, before, begin)
        else:
            yield from units
        inner = _joined(lead, (Span(units[0].start, units[-1].end),)) if units else lead
        for child in holders:
            child_lead = lead if self._blocks[child].labels else inner
            yield from self._of_block(child, child_lead, language)

    def _of_table(self, number: int, lead: tuple[Span, ...], language: str) -> Iterator[Unit]:
        group: tuple[Span, ...] = ()
        rows = [child for child in self._children(number) if self._blocks[child].kind is Kind.ROW]
        for child in self._children(number):
            if self._blocks[child].kind is not Kind.ROW:
                above = tuple(span for span in lead if span != self._blocks[child].span)
                yield from self._of_block(child, above, language)
        headers = {row for row in rows if self._is_header_row(row)}
        for row in rows:
            if row in headers and len(headers) < len(rows):
                continue
            numbers = [child for child in self._children(row) if self._blocks[child].kind is Kind.CELL]
            cells = [(self._blocks[cell], stated) for cell in numbers if (stated := self._runs.stated(cell))]
            if not cells:
                continue
            first = cells[0][0]
            is_wide = len(self._children(row)) > 1 or first.column_span > 1
            filled = sum(self._blocks[cell].start < self._blocks[cell].end for cell in numbers)  # struck out or not
            is_group = filled == 1 and is_wide and first.column == 0
            is_group = is_group and not _NOTE_MARKS.fullmatch(self._text, first.start, first.end)
            if is_group:
                group = (first.span,)
            yield self._row_unit(row, cells, lead if is_group else _joined(lead, group))
            if group and not is_group and self._sums_up(first, group[0]):
                group = ()

    def _sums_up(self, name: Block, group: Span) -> bool:
        """Whether a row of that name is the sum of the rows of a group: "Total current assets" below "Current assets:"."""
        words = set(_WORDS.findall(self._text[name.start : name.end].casefold()))
        return bool(words & _TOTALS) and words - _TOTALS <= set(_WORDS.findall(self._text[slice(*group)].casefold()))

    def _is_header_row(self, row: int) -> bool:
        cells = [self._blocks[cell] for cell in self._children(row) if self._blocks[cell].kind is Kind.CELL]
        return self._blocks[row].is_header or all(cell.is_header for cell in cells)

    def _row_unit(self, row: int, cells: Sequence[tuple[Block, list[Piece]]], lead: tuple[Span, ...]) -> Unit:
        """The unit of a row from its cells and what is read of each."""
        pieces: list[Piece] = []
        for cell, (first, *others) in cells:
            labels = [] if len(cells) == 1 else [label for label in cell.labels if label != cell.span]
            glue = GLUE if pieces else ""
            for place, label in enumerate(read_names(self._text, labels)):
                pieces.append(Piece(" " if place else glue, *label))
            pieces += [Piece(VALUE_GLUE if labels else glue, first.start, first.end), *others]
        block = self._blocks[row]
        return Unit(Kind.ROW, block.start, block.end, self._ended(pieces), lead)

    def _ended(self, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
        """The pieces of a row or record with a full stop after them, which is inserted."""
        last = pieces[-1]
        has_end = self._text[last.start : last.end].endswith((".", "!", "?", ":"))
        return (*pieces, *(() if has_end or len(pieces) == 1 else (Piece(_END, last.end, last.end),)))

    def _of_record(self, number: int, lead: tuple[Span, ...], language: str) -> Iterator[Unit]:
        """The fields of a record are one unit, but for what stands between them. What names it leads those after that."""
        block = self._blocks[number]
        children = [child for child in self._children(number) if self._blocks[child].kind not in UNREAD]
        name: tuple[Span, ...] = ()
        position = block.start
        fields: list[int] = []
        for child in (*children, None):
            if child is not None and self._blocks[child].kind is Kind.FIELD:
                fields.append(child)
                continue
            stop = block.end if child is None else self._blocks[child].start
            stop = max([stop, *(self._blocks[field].end for field in fields)])
            pieces = [
                piece for field in fields for piece in self._field_pieces(field, "" if field == fields[0] else GLUE)
            ]
            if pieces:
                if position > block.start and (closers := _CLOSERS.match(self._text, position, stop)):
                    position = closers.end()
                span = trim_span(self._text, position, stop)
                yield Unit(Kind.RECORD, span.start, span.end, self._ended(pieces), _joined(lead, name))
                name = name or self._name(fields)
            fields = []
            if child is not None:
                inner = self._blocks[child]
                beside = inner.labels if inner.kind is Kind.NOTE else name if inner.kind is Kind.PARAGRAPH else ()
                yield from self._of_block(child, _joined(lead, beside), language)
                position = max(stop, inner.end)

    def _name(self, fields: Sequence[int]) -> tuple[Span, ...]:
        """The range of the first of the fields that names their record, with its key; empty if none does."""
        for number in fields:
            labels = self._blocks[number].labels
            if len(labels) == 1 and IDENTITY.match(self._text[labels[0].start : labels[0].end]):
                span = self._named_span(number)
                return (span,) if span.end - span.start <= _MAX_NAME else ()
        return ()

    def _named_span(self, number: int) -> Span:
        """The range of a field, from its key on if nothing but marks stands between."""
        field = self._blocks[number]
        label = field.labels[-1] if field.labels else None
        if label is None or label.end > field.start or any(map(str.isalnum, self._text[label.end : field.start])):
            return field.span
        return Span(label.start, field.end)

    def _field_pieces(self, number: int, glue: str) -> list[Piece]:
        field = self._blocks[number]
        labels = field.labels
        names = read_names(self._text, labels)
        pieces = [Piece(" › " if place else glue, *name) for place, name in enumerate(names)]
        first, *others = self._runs.stated(number) or [Piece("", field.start, field.start)]
        pieces += [Piece(VALUE_GLUE if labels else glue, first.start, first.end), *others]
        return [piece for piece in pieces if piece.start < piece.end]

    def _of_field(self, number: int, lead: tuple[Span, ...]) -> Iterator[Unit]:
        field = self._blocks[number]
        pieces = self._field_pieces(number, "")
        if any(field.start <= piece.start < field.end for piece in pieces):
            yield Unit(Kind.FIELD, *self._named_span(number), tuple(pieces), lead)

    def _of_definition(self, number: int, lead: tuple[Span, ...], language: str) -> Iterator[Unit]:
        begin: int | None = self._blocks[number].start
        for child in self._children(number):
            meaning = self._blocks[child]
            if meaning.kind is Kind.TERM:
                continue
            if meaning.kind is not Kind.MEANING:
                yield from self._of_block(child, lead, language)
                continue
            names = read_names(self._text, meaning.labels)
            terms = [Piece(", " if place else "", *name) for place, name in enumerate(names)]
            yield from self._of_text(child, lead, meaning.language or language, terms, begin)
            begin = None

    def _of_code(self, block: Block, lead: tuple[Span, ...]) -> Iterator[Unit]:
        for start, end in _line_groups(self._text, block.start, block.end):
            span = trim_span(self._text, start, end)
            if any(map(str.isalnum, self._text[span.start : span.end])):
                yield Unit(Kind.CODE, span.start, span.end, (Piece("", *span),), lead)


def _prose_unit(start: int, end: int) -> Unit:
    return Unit(Kind.PARAGRAPH, start, end, (Piece("", start, end),))


def _said_by(author: Piece, units: Iterator[Unit]) -> Iterator[Unit]:
    """The units with their author read before each sentence."""
    for unit in units:
        yield from _named([unit], [author], None) if unit.kind is Kind.PARAGRAPH else [unit]


def _named(units: Sequence[Unit], before: Sequence[Piece], begin: int | None) -> Iterator[Unit]:
    """The units with the pieces `before` read before each; the first begins at `begin`."""
    for place, unit in enumerate(units):
        first, *others = unit.pieces
        pieces = (*before, first._replace(before=VALUE_GLUE), *others) if before else unit.pieces
        yield replace(unit, start=begin if begin is not None and not place else unit.start, pieces=pieces)


def _joined(lead: tuple[Span, ...], labels: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple(dict.fromkeys((*lead, *labels))) if labels else lead


def _line_groups(text: str, start: int, end: int) -> Iterator[Span]:
    """Runs of whole lines of about `LONG_CHARACTERS`; a longer line is a run of its own."""
    begin = start
    position = start
    while position < end:
        line_end = text.find("\n", position, end)
        line_end = end if line_end < 0 else line_end + 1
        if line_end - begin > LONG_CHARACTERS and position > begin:
            yield Span(begin, position)
            begin = position
        position = line_end
    if begin < end:
        yield Span(begin, end)
