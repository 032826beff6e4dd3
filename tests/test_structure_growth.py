"""Reading and chunking structure takes time in proportion to its size: tests/growth.py."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from index.chunking.chunker import chunk_document
from index.embedding.encoder import HashedEncoder
from index.formats.html.page import read_html
from index.formats.parsed import Parsed
from index.formats.text.delimited import read_delimited
from index.formats.text.json_records import read_json
from index.formats.text.markdown import read_markdown
from index.records import Document
from tests.growth import assert_linear

DOCUMENT = Document("d", "v", "file:///d", "Prices", "text/html", "")


def assert_chunked_linearly(read: Callable[[str], Parsed], text: Callable[[int], str], count: int) -> None:
    def work(text: str) -> None:
        found = read(text)
        chunk_document(replace(DOCUMENT, text=found.text, blocks=found.blocks), HashedEncoder().token_offsets)

    assert_linear(work, text, count)


HTML = {
    "rows below a caption and a lead-in": lambda n: (
        "<p>The berths are these:</p><table><caption>Berths<tr><th>Berth<th>Fee" + "<tr><td>North<td>12" * n
    ),
    "header rows between rows": lambda n: "<table>" + "<tr><th>Berth<th>Fee<tr><td>North<td>12" * n,
    "header rows above one row": lambda n: "<table>" + "<tr><th>Berth<th>Fee" * n + "<tr><td>North<td>12",
    "cells of one row": lambda n: "<table><tr>" + "<th>Fee" * n + "<tr>" + "<td>12" * n,
    "tables": lambda n: "<p>Fees:<table><tr><td>Fee<td>12</table>" * n,
    "items of a list": lambda n: "<p>Bring these:<ul>" + "<li>rope" * n,
    "items that hold a list": lambda n: "<ul>" + "<li>Bring these:<ul><li>rope</ul>" * n,
    "terms and meanings": lambda n: "<dl>" + "<dt>Tern<dd>A small gull" * n,
}


@pytest.mark.parametrize("markup", HTML.values(), ids=HTML.keys())
def test_time_grows_with_the_number_of(markup: Callable[[int], str]) -> None:
    assert_chunked_linearly(read_html, markup, 100)


def test_time_grows_with_the_fields_of_a_record() -> None:
    def record(count: int) -> str:
        return json.dumps({f"field {number}": number for number in range(count)})

    assert_chunked_linearly(read_json, record, 200)


def test_time_grows_with_the_columns_of_a_row() -> None:
    def row(count: int) -> str:
        names = ",".join(f"column {number}" for number in range(count))
        return "\n".join((names, ",".join("7" * count), ",".join("8" * count)))

    assert_chunked_linearly(read_delimited, row, 200)


def test_time_grows_with_the_items_of_a_markdown_list_nested_fifty_deep() -> None:
    nested = "\n".join("  " * (depth % 50) + "- Bring a rope:" for depth in range(50))
    assert_chunked_linearly(read_markdown, lambda count: f"{nested}\n" * (count // 50), 200)
