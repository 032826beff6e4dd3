"""Files of old Office versions are read as text in order, and a warning says what that costs and what to do."""

import struct
from pathlib import PurePath

import pytest

from index.formats.limits import Limits
from index.formats.parse import parse_document
from index.formats.registry import format_of
from index.records import Document
from tests.compound import compound

_SECTION = 4096  # bytes from which a stream stands in sectors of its own


def word(text: str) -> bytes:
    """A Word 97 file with the text as its only piece; carriage returns end paragraphs, and 7 ends cells and rows."""
    body = text.encode("utf-16-le")
    head = bytearray(1024)
    struct.pack_into("<HHHHHH", head, 0, 0xA5EC, 0xC1, 0, 0x409, 0, 0x1200)
    struct.pack_into("<II", head, 0x18, len(head), len(head) + len(body))
    struct.pack_into("<H", head, 0x20, 14)
    struct.pack_into("<H", head, 0x3E, 22)
    struct.pack_into("<i", head, 0x4C, len(text))
    struct.pack_into("<H", head, 0x98, 0x5D)
    pieces = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, len(head), 0)
    table = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", head, 0x1A2, 0, len(table))
    return compound({"WordDocument": _padded(bytes(head) + body), "1Table": _padded(table)})


def powerpoint(text: str) -> bytes:
    """A PowerPoint 97 file with the text of one slide."""
    raw = text.encode("utf-16-le")
    atoms = struct.pack("<HHII", 0, 0x0F9F, 4, 1) + struct.pack("<HHI", 0, 0x0FA0, len(raw)) + raw
    slides = struct.pack("<HHI", 0x0F, 0x0FF0, len(atoms)) + atoms
    document = struct.pack("<HHI", 0x0F, 0x03E8, len(slides)) + slides
    return compound({"PowerPoint Document": _padded(document), "Current User": bytes(64)})


def _padded(stream: bytes) -> bytes:
    return stream.ljust(_SECTION, b"\0")


def read(name: str, data: bytes) -> Document:
    file = PurePath(name)
    found = format_of(file)
    assert found is not None
    return parse_document(data, file, f"file:///{name}", Limits(), found)


@pytest.mark.parametrize(
    ("name", "data", "new_format"),
    [
        ("fees.doc", word("The fee is 12 euros.\rBerth\x07Fee\x07\x07North\x0712\x07\x07The end.\r"), ".docx"),
        ("fees.ppt", powerpoint("The fee is 12 euros."), ".pptx"),
    ],
)
def test_an_old_file_is_read_as_text_with_a_warning_that_names_the_new_format(
    name: str, data: bytes, new_format: str
) -> None:
    document = read(name, data)
    assert document.text.startswith("The fee is 12 euros.")
    (warning,) = document.warnings
    assert "tables and lists are read as lines of text" in warning
    assert f"Save it as {new_format} " in warning


def test_the_cells_of_an_old_table_are_read_in_order() -> None:
    text = read("fees.doc", word("Fees\rBerth\x07Fee\x07\x07North\x0712\x07\x07The end.\r")).text
    assert text.split() == ["Fees", "Berth", "Fee", "North", "12", "The", "end."]
