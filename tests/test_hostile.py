"""Hostile files: entities that multiply or read other files, endless nesting, decompression bombs, huge numbers of pages,
and files with a false format.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from index.errors import DocumentRejected
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from tests.test_formats import FILES

SECRET = "The secret word is xylophone."
LIMITS = Limits(seconds=30, memory_bytes=400 * 2**20, characters=2_000_000)


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(LIMITS, workers=1) as extractor:
        yield extractor


def outcome(extractor: Extractor, path: Path) -> str:
    """The text of the file, or the reason of its rejection."""
    try:
        return extractor.extract(path).document.text
    except DocumentRejected as error:
        return error.reason


def rewrite_part(path: Path, member: str, change: Callable[[str], str]) -> None:
    """A zipped document with one part changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[member] = change(parts[member].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


PARTS = {
    ".docx": "word/document.xml",
    ".pptx": "ppt/slides/slide1.xml",
    ".xlsx": "xl/worksheets/sheet1.xml",
    ".odt": "content.xml",
    ".ods": "content.xml",
    ".odp": "content.xml",
    ".epub": "a.xhtml",
}
"""The part that holds the text, for each zipped format."""


def with_doctype(source: str, entities: str, root: str) -> str:
    declaration, rest = (
        (source[: source.index("?>") + 2], source[source.index("?>") + 2 :]) if "?>" in source else ("", source)
    )
    return f"{declaration}<!DOCTYPE {root} [{entities}]>{rest.replace('Bridges', '&bomb;').replace('Notes', '&bomb;')}"


def with_nested_entities(path: Path, suffix: str) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    _poisoned(path, suffix, f'<!ENTITY l0 "lol">{laughs}<!ENTITY bomb "&l9;">')


def with_external_entity(path: Path, suffix: str, target: Path) -> None:
    _poisoned(path, suffix, f'<!ENTITY bomb SYSTEM "{target.as_uri()}">')


def _poisoned(path: Path, suffix: str, entities: str) -> None:
    FILES[suffix](path)
    if suffix in PARTS:
        rewrite_part(path, PARTS[suffix], lambda source: with_doctype(source, entities, "x"))
    else:
        path.write_text(with_doctype(path.read_text(encoding="utf-8"), entities, "x"), encoding="utf-8")


@pytest.mark.parametrize("suffix", [*PARTS, ".fb2", ".xhtml", ".xml"])
def test_entities_neither_multiply_nor_read_other_files(suffix: str, tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / f"a{suffix}"
    with_nested_entities(path, suffix)
    found = outcome(extractor, path)
    assert found.count("lol") < 10_000
    (tmp_path / "secret.txt").write_text(SECRET)
    with_external_entity(path, suffix, tmp_path / "secret.txt")
    assert "xylophone" not in outcome(extractor, path)
    FILES[suffix](path)
    assert "1932" in outcome(extractor, path)  # the parser process is still alive


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", "<div>" * 200_000 + "Deep."),
        ("a.html", "<table><tr><td>" * 50_000 + "Deep."),
        ("a.ipynb", '{"cells": ' + "[" * 100_000),
        ("a.eml", "Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 2000),
        ("a.md", "#" * 1_000_000 + "\n" + ">" * 500_000 + "\n" + "[" * 500_000),
        ("a.rtf", r"{\rtf1 " + "{" * 200_000 + "Deep."),
        ("a.json", json.dumps({"a": "x"}) + "[" * 500_000),
    ],
)  # fmt: skip
def test_endless_nesting_is_rejected(name: str, content: str, tmp_path: Path, extractor: Extractor) -> None:
    (tmp_path / name).write_text(content)
    outcome(extractor, tmp_path / name)
    (tmp_path / "good.txt").write_text("Good.")
    assert outcome(extractor, tmp_path / "good.txt") == "Good."


def deflate_spaces(megabytes: int) -> bytes:
    """A raw deflate stream of this many MiB of spaces, made quickly by repeating the block of one MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * megabytes + packer.flush()


def bomb(path: Path, suffix: str, packed: bytes) -> None:
    """A file of the format whose text part is the deflate stream `packed`, while its archive states a small size."""
    FILES[suffix](path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, packed if name == PARTS[suffix] else content)
        part = archive.getinfo(PARTS[suffix])
        part.compress_type, part.file_size = zipfile.ZIP_DEFLATED, 1000
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, part.header_offset + 8, zipfile.ZIP_DEFLATED)
    struct.pack_into("<L", data, part.header_offset + 22, 1000)
    path.write_bytes(data)


def workers_of(extractor: Extractor) -> list[int]:
    return [worker._process.pid for worker in extractor._running]


@pytest.mark.parametrize("suffix", PARTS)
def test_a_document_with_an_extreme_compression_ratio_is_refused_before_it_is_parsed(
    suffix: str, tmp_path: Path, extractor: Extractor
) -> None:
    (tmp_path / "good.txt").write_text("Good.")
    assert outcome(extractor, tmp_path / "good.txt") == "Good."
    before = workers_of(extractor)
    bomb(tmp_path / f"a{suffix}", suffix, deflate_spaces(400))
    assert (tmp_path / f"a{suffix}").stat().st_size < 2_000_000
    reason = f"its part '{PARTS[suffix]}' unpacks to more than 250 times its packed size"
    assert outcome(extractor, tmp_path / f"a{suffix}").startswith(reason)
    assert workers_of(extractor) == before  # the worker may use 400 MiB


def test_a_document_that_unpacks_to_too_much_in_total_is_refused(tmp_path: Path) -> None:
    bomb(tmp_path / "a.docx", ".docx", deflate_spaces(3))
    with Extractor(Limits(unpacked_bytes=2**21, ratio=10_000), workers=1) as extractor:
        assert outcome(extractor, tmp_path / "a.docx") == "more than 2,097,152 bytes come out of it"


def test_a_false_size_in_the_archive_hides_nothing(tmp_path: Path, extractor: Extractor) -> None:
    bomb(tmp_path / "a.docx", ".docx", deflate_spaces(1))
    assert outcome(extractor, tmp_path / "a.docx").startswith("it is damaged or cut short (Bad CRC-32")


def pdf(path: Path, pages: int, content: bytes) -> None:
    """A PDF of many pages that share one content stream."""
    data, places = bytearray(b"%PDF-1.4\n"), []
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + pages))
    shared = b"/MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F 3 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content),
        *[b"<< /Type /Page /Parent 2 0 R %s >>" % shared] * pages,
    ]
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, start = len(objects) + 1, len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n" % (size, table, size)
    path.write_bytes(data + b"startxref\n%d\n%%%%EOF\n" % start)


SENTENCE = b"BT /F 12 Tf 72 700 Td (The bridge opened in 1932.) Tj ET"


def test_a_pdf_of_3_000_pages_is_read_within_the_limits(tmp_path: Path, extractor: Extractor) -> None:
    pdf(tmp_path / "a.pdf", 3_000, zlib.compress(SENTENCE))
    found = extractor.extract(tmp_path / "a.pdf").document
    assert [page.number for page in found.pages] == list(range(1, 3_001))
    assert {found.text[page.start : page.end] for page in found.pages} == {"The bridge opened in 1932."}


def test_a_pdf_whose_pages_hold_more_text_than_the_limit_is_refused(tmp_path: Path) -> None:
    pdf(tmp_path / "a.pdf", 1_000, zlib.compress(SENTENCE))
    with Extractor(Limits(characters=20_000), workers=1) as extractor:
        assert outcome(extractor, tmp_path / "a.pdf") == "its text of 27,998 characters is over the limit of 20,000"


SHOWN = {
    ".docx": "a Word document",
    ".pptx": "a PowerPoint presentation",
    ".xlsx": "an Excel workbook",
    ".odt": "an OpenDocument text",
    ".ods": "an OpenDocument spreadsheet",
    ".odp": "an OpenDocument presentation",
    ".epub": "an e-book (EPUB)",
}


def test_a_zipped_document_with_a_false_suffix_is_refused_by_its_real_format(
    tmp_path: Path, extractor: Extractor
) -> None:
    for suffix in SHOWN:
        FILES[suffix](tmp_path / f"true{suffix}")
    for true, false in permutations(SHOWN, 2):
        path = tmp_path / f"false{false}"
        path.write_bytes((tmp_path / f"true{true}").read_bytes())
        assert outcome(extractor, path) == f"it is named {false} but holds {SHOWN[true]}"
