"""What a row of a table, an item or a block of code of a language model says in one line. Pure."""

from collections.abc import Sequence

from service.records import Cell, Sentence


def row_text(cells: Sequence[Cell]) -> str:
    """The row as `first cell: header: second cell; header: third cell`."""
    name = "".join(cell.text for cell in cells[:1])
    others = [": ".join(part for part in (cell.header, cell.text) if part) for cell in cells[1:] if cell.text]
    return f"{name}: {'; '.join(others)}" if name and others else "; ".join(others) or name


def cell_statements(cells: Sequence[Cell]) -> list[str]:
    """What each cell says with the first one; nothing for a row of two cells, which says only that.

    In a long row one wrong cell hides: of one with a wrong third cell, the support checker gave .80 to the whole and .64 to
    that cell alone.
    """
    others = [cell for cell in cells[1:] if cell.text]
    return [row_text([cells[0], cell]) for cell in others] if len(others) > 1 else []


def says_what_it_shows(sentence: Sentence) -> bool:
    """Whether the text of a sentence says what its cells and its label, or its code, show."""
    if sentence.form == "row":
        text = row_text(sentence.cells)
        return sentence.text == (f"{sentence.label}: {text}" if sentence.label else text)
    if sentence.form == "code":
        return bool(sentence.code) and sentence.text.split() == sentence.code.split()
    return not (sentence.cells or sentence.label or sentence.code)
