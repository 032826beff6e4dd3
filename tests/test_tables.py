"""The tables of documents, with all their rows, and which rows are totals."""

import pytest

from index.chunking.units import document_units
from service.answering.tables import is_total, rows_of, tables_of
from tests.test_units import read


def tables(name: str, text: str) -> list[list[dict[str, str]]]:
    """Each row as its cells by their headings."""
    document = read(name, text)
    found = tables_of(document.text, document_units(document))
    return [[{cell.heading: cell.text for cell in row.cells} for row in rows_of(document.text, one)] for one in found]


def test_a_row_with_an_empty_cell_is_of_its_table() -> None:
    (table,) = tables("boats.csv", "boat,weight,crew\nAda,900,\nBea,,5\nCid,500,2\n")
    assert table == [
        {"boat": "Ada", "weight": "900"},
        {"boat": "Bea", "crew": "5"},
        {"boat": "Cid", "weight": "500", "crew": "2"},
    ]


def test_tables_with_other_headings_or_text_between_them_are_apart() -> None:
    boats = "| Boat | Weight |\n|---|---|\n| Ada | 900 |\n| Bea | 800 |\n"
    oars = "| Oar | Length |\n|---|---|\n| Long | 3 |\n"
    assert [len(table) for table in tables("a.md", f"{boats}\n{oars}\nRain fell.\n\n{boats}")] == [2, 1, 2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Total:", True),
        ("Total net sales", True),
        ("Overall average", True),
        ("All divisions", True),
        ("All seas", False),
        ("Bar", False),
    ],
)
def test_rows_of_totals(name: str, expected: bool) -> None:
    document = read("a.csv", f"division,result\nBoats,4\n{name},5\n")
    [table] = tables_of(document.text, document_units(document))
    assert is_total(rows_of(document.text, table)[1]) is expected
