"""The blocks of a range: a tree of their own, in which a row keeps the cells that have no text in it."""

from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Block, Kind
from index.blocks.excerpt import blocks_between

# "Fees\nRope 40\n    Net 60\nEnd.": the cell "Rope" spans both rows, and the first cell of a third row is blank
TABLE = (
    Block(Kind.HEADING, 0, 4, level=1),
    Block(Kind.TABLE, 5, 24),
    Block(Kind.ROW, 5, 12, parent=1),
    Block(Kind.CELL, 5, 9, parent=2, row_span=2),
    Block(Kind.CELL, 10, 12, parent=2, column=1),
    Block(Kind.ROW, 17, 20, parent=1, row=1),
    Block(Kind.CELL, 5, 9, parent=5, row_span=2),
    Block(Kind.CELL, 17, 20, parent=5, row=1, column=1),
    Block(Kind.ROW, 20, 24, parent=1, row=2),
    Block(Kind.CELL, 20, 20, parent=8, row=2),
    Block(Kind.CELL, 22, 24, parent=8, row=2, column=1),
    Block(Kind.PARAGRAPH, 25, 29),
)


def shown(start: int, end: int) -> list[tuple[str, int, int | None]]:
    return [(block.kind.value, block.start, block.parent) for block in blocks_between(TABLE, start, end)]


def test_the_whole_range_gives_all_blocks_as_they_are() -> None:
    assert blocks_between(TABLE, 0, 29) == TABLE


def test_a_row_comes_with_the_cell_that_began_above_and_with_blank_ones() -> None:
    assert shown(18, 19) == [("table", 5, None), ("row", 17, 0), ("cell", 5, 1), ("cell", 17, 1)]
    assert shown(22, 24) == [("table", 5, None), ("row", 20, 0), ("cell", 20, 1), ("cell", 22, 1)]


def test_a_cell_that_spans_rows_is_given_once_if_only_its_first_row_is_asked_for() -> None:
    assert shown(5, 9) == [("table", 5, None), ("row", 5, 0), ("cell", 5, 1)]


def test_between_blocks_there_are_none() -> None:
    assert shown(4, 5) == []
    assert shown(25, 26) == [("paragraph", 25, None)]


@given(st.integers(0, 29), st.integers(0, 29))
def test_every_block_stands_after_the_one_that_holds_it(one: int, other: int) -> None:
    found = blocks_between(TABLE, min(one, other), max(one, other))
    for place, block in enumerate(found):
        assert block.parent is None or block.parent < place
        held_by = None if block.parent is None else found[block.parent].kind
        assert held_by == {Kind.ROW: Kind.TABLE, Kind.CELL: Kind.ROW}.get(block.kind)
