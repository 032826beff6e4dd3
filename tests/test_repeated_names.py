"""What names a unit is read with every unit of a table, list or record: in part if it is long, so renderings stay linear."""

import json
from collections.abc import Callable

import pytest

from index.chunking.chunker import chunk_document
from index.chunking.repeated import MAX_LEAD, MAX_NAMES
from index.chunking.units import document_units
from index.embedding.encoder import HashedEncoder
from index.formats.html.page import read_html
from index.formats.parsed import Parsed
from index.formats.text.json_records import read_json
from index.formats.text.yaml_records import read_yaml
from index.records import Chunk, Document


def document(parsed: Parsed) -> Document:
    return Document("d", "v", "file:///d", "Fees", "text/html", parsed.text, blocks=parsed.blocks)


def chunks(parsed: Parsed) -> list[Chunk]:
    return chunk_document(document(parsed), HashedEncoder().token_offsets)


def read_size(parsed: Parsed) -> int:
    """The characters of all renderings, and of the headings that are found with them."""
    return sum(
        len(part) for chunk in chunks(parsed) for part in (chunk.rendering.text, *chunk.trail) if chunk.rendering
    )


def words(count: int) -> str:
    return " ".join(["harbour"] * count)


LONG: dict[str, Callable[[int], Parsed]] = {
    "header cell": lambda n: read_html(f"<table><tr><th>Berth<th>{words(n)}" + "<tr><td>North<td>12" * n),
    "header cell over many columns": lambda n: read_html(
        f"<table><tr><th colspan=9>{words(n)}" + ("<tr>" + "<td>12" * 9) * n
    ),
    "caption": lambda n: read_html(f"<table><caption>{words(n)}<tr><th>Berth<th>Fee" + "<tr><td>North<td>12" * n),
    "row over all columns": lambda n: read_html(
        f"<table><tr><th>Berth<th>Fee<tr><td colspan=2>{words(n)}" + "<tr><td>North<td>12" * n
    ),
    "item above": lambda n: read_html(f"<ul><li>{words(n)}<ul>" + "<li>rope" * n),
    "items above, nested": lambda n: read_html("<ul>" + f"<li>{words(n)}<ul>" * 40 + "<li>rope" * n),
    "key above records": lambda n: read_json(json.dumps({words(n): [{"fee": fee} for fee in range(n)]})),
    "key of values with comments": lambda n: read_yaml(f"? {words(n)}\n:\n" + "  - 12 # a day\n" * n),
    "term": lambda n: read_html(f"<dl><dt>{words(n)}<dd>" + "The rope is old. " * n),
    "terms of one meaning": lambda n: read_html("<dl>" + "<dt>rope" * n + "<dd>" + "The rope is old. " * n),
    "heading": lambda n: read_html(f"<h1>{words(n)}</h1>" + "<p>The rope is old and long." * n),
}


@pytest.mark.parametrize("parsed", LONG.values(), ids=LONG.keys())
def test_what_is_read_grows_with_the_document_under_a_long(parsed: Callable[[int], Parsed]) -> None:
    assert read_size(parsed(400)) < 5 * read_size(parsed(100))


def test_of_a_long_header_cell_the_first_words_are_read_and_are_literal() -> None:
    found = document(read_html(f"<table><tr><th>Berth<th>Fee {words(999)}<tr><td>North<td>12"))
    (unit,) = document_units(found)
    *_, header = unit.context
    name = found.text[slice(*header)]
    assert name.startswith("Fee harbour")
    assert name.endswith(" harbour")
    assert MAX_NAMES - 10 < len(name) <= MAX_NAMES
    assert [found.text[slice(*value)] for value in unit.values] == ["North", "12"]


def test_header_cells_of_common_length_are_read_whole() -> None:
    name = words(15)
    (unit,) = document_units(document(read_html(f"<table><tr><th>Berth<th>{name}<tr><td>North<td>12")))
    assert unit.context[-1].end - unit.context[-1].start == len(name)


def test_of_a_long_caption_the_first_words_are_read_and_of_a_long_lead_in_the_last() -> None:
    found = document(
        read_html(
            f"<table><caption>Fees {words(999)}</caption><tr><th>Berth<th>Fee<tr><td>North<td>12</table>"
            f"<ul><li>{words(999)} needs:<ul><li>a rope</ul></ul>"
        )
    )
    row = next(unit for unit in document_units(found) if unit.lead)
    *_, item = document_units(found)
    caption, lead_in = (found.text[slice(*unit.lead[0])] for unit in (row, item))
    assert caption.startswith("Fees harbour")
    assert caption.endswith(" harbour")
    assert lead_in.startswith("harbour ")
    assert lead_in.endswith(" needs:")
    assert max(len(caption), len(lead_in)) <= MAX_LEAD < len(words(999))


def test_a_long_name_without_blanks_is_cut_between_its_letters() -> None:
    found = document(read_html(f"<table><tr><th>Berth<th>{'港' * 999}<tr><td>North<td>12"))
    (unit,) = document_units(found)
    assert found.text[slice(*unit.context[-1])] == "港" * MAX_NAMES
