"""A FictionBook is read with its sections, tables, quotations and notes."""

import pytest

from index.blocks.block import Kind
from index.formats.fiction_book import read_fiction_book
from index.formats.parsed import Parsed, Unreadable

_SPACES = 'xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink"'


def book(body: str, notes: str = "") -> Parsed:
    about = (
        "<description><title-info><author><first-name>Ann</first-name><last-name>Li</last-name></author>"
        "<book-title>Of boats</book-title></title-info></description>"
    )
    other = f'<body name="notes">{notes}</body>' if notes else ""
    return read_fiction_book(f"<FictionBook {_SPACES}>{about}<body>{body}</body>{other}</FictionBook>".encode())


def found(parsed: Parsed, kind: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind is kind]


def test_sections_have_titles_and_paragraphs() -> None:
    parsed = book(
        "<title><p>Of</p><p>boats</p></title><section><title><p>Rope</p></title><p>It is <strong>new</strong>.</p>"
        "<section><title><p>Hemp</p></title><poem><stanza><v>One</v><v>two</v></stanza></poem></section></section>"
    )
    assert parsed.text == "Of boats\n\nRope\n\nIt is new.\n\nHemp\n\nOne\ntwo"
    levels = [(block.level, parsed.text[block.start : block.end]) for block in parsed.blocks if block.level]
    assert levels == [(1, "Of boats"), (2, "Rope"), (3, "Hemp")]
    assert (parsed.title, parsed.metadata) == ("Of boats", {"author": "Ann Li"})


def test_tables_quotations_struck_words_and_powers() -> None:
    parsed = book(
        "<section><table><tr><th>Plan</th><th>Price</th></tr><tr><td>Small</td><td>29</td></tr></table>"
        "<cite><p>Said so.</p></cite><p>10<sup>5</sup> or <strikethrough>7</strikethrough> 8</p></section>"
    )
    assert found(parsed, Kind.ROW) == ["| Plan | Price |", "| Small | 29 |"]
    assert [block.is_header for block in parsed.blocks if block.kind is Kind.ROW] == [True, False]
    assert found(parsed, Kind.QUOTATION) == ["Said so."]
    assert found(parsed, Kind.STRUCK) == ["7"]
    assert parsed.text.endswith("10^5 or 7 8")


def test_notes_stand_at_the_end_with_their_marks() -> None:
    parsed = book(
        '<section><p>Rope costs 250<a l:href="#n1" type="note">1</a> kroner.</p></section>',
        '<section id="n1"><title><p>1</p></title><p>With tax.</p></section>',
    )
    assert found(parsed, Kind.MARK) == ["[1]"]
    assert [
        (block.marker, parsed.text[block.start : block.end]) for block in parsed.blocks if block.kind is Kind.NOTE
    ] == [("1", "With tax.")]


@pytest.mark.parametrize(
    "data",
    [b"<FictionBook><body>", b'<!DOCTYPE a [<!ENTITY x "y">]><FictionBook><body><p>&x;</p></body></FictionBook>'],
)
def test_a_damaged_book_and_one_with_entities_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_fiction_book(data)
