"""A real file of every format in docs/formats.md is read as text with headings, tables and pages."""

import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import pytest
import xlwt
from pptx.util import Inches

from index.extraction.contents import read_contents
from index.extraction.extractor import Extractor
from index.formats.registry import _BY_SUFFIX, PICTURES
from index.records import Document
from tests.outlook_mail import msg

ROOT = Path(__file__).parent.parent
FACT = "The bridge of Größe opened in 1932."
TABLE = (("Bridge", "Year"), ("Größe", "1932"))
ROWS = "| Bridge | Year |\n| Größe | 1932 |"


def _pdf(path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Table

    canvas = Canvas(str(path))
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawString(72, 760, "Bridges")
    canvas.setFont("Helvetica", 11)
    for number in range(8):
        canvas.drawString(
            72, 720 - 14 * number, f"The town has bridges over its river, and each of them has number {number}."
        )
    table = Table(TABLE, style=[("GRID", (0, 0), (-1, -1), 0.5, "black")])
    table.wrapOn(canvas, 400, 400)
    table.drawOn(canvas, 72, 500)
    canvas.showPage()
    canvas.drawString(72, 700, FACT)
    canvas.save()


def _docx(path: Path) -> None:
    import docx

    source = docx.Document()
    source.add_heading("Bridges", 1)
    source.add_paragraph(FACT)
    table = source.add_table(2, 2)
    for row, cells in enumerate(TABLE):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    source.save(str(path))


def _pptx(path: Path) -> None:
    import pptx

    slides = pptx.Presentation()
    for title, body in (("Bridges", "An overview."), ("Openings", FACT)):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
    shape = slides.slides[1].shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1))
    for row, cells in enumerate(TABLE):
        for column, cell in enumerate(cells):
            shape.table.cell(row, column).text = cell
    slides.save(str(path))


def _xlsx(path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append([FACT])
    sheet = book.create_sheet("Bridges")
    for row in TABLE:
        sheet.append(row)
    book.save(path)


def _xls(path: Path) -> None:
    book = xlwt.Workbook()
    book.add_sheet("Notes").write(0, 0, FACT)
    sheet = book.add_sheet("Bridges")
    for row, cells in enumerate(TABLE):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    book.save(str(path))


_OPEN = "urn:oasis:names:tc:opendocument:xmlns:"
_NAMES = "".join(f' xmlns:{name}="{_OPEN}{name}:1.0"' for name in ("office", "text", "table", "presentation")) + (
    f' xmlns:draw="{_OPEN}drawing:1.0"'
)


def _open_document(path: Path, kind: str, body: str) -> None:
    media = f"application/vnd.oasis.opendocument.{kind}"
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", media, zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{_OPEN}manifest:1.0">{entry.format("/", media)}'
            f"{entry.format('content.xml', 'text/xml')}</manifest:manifest>",
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{_NAMES} office:version="1.3"><office:body>'
            f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )


def _cells() -> str:
    rows = (
        "".join(f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in cells)
        for cells in TABLE
    )
    return "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)


def _odt(path: Path) -> None:
    heading = '<text:h text:outline-level="1">Bridges</text:h>'
    table = f'<table:table table:name="T"><table:table-column/><table:table-column/>{_cells()}</table:table>'
    _open_document(path, "text", f"{heading}<text:p>{FACT}</text:p>{table}")


def _ods(path: Path) -> None:
    cell = f'<table:table-cell office:value-type="string"><text:p>{FACT}</text:p></table:table-cell>'
    note = f"<table:table-row>{cell}</table:table-row>"
    _open_document(
        path,
        "spreadsheet",
        f'<table:table table:name="Notes">{note}</table:table><table:table table:name="Bridges">{_cells()}</table:table>',
    )


def _odp(path: Path) -> None:
    def frame(body: str, facts: str = "") -> str:
        return f"<draw:frame {facts}>{body}</draw:frame>"

    title = 'presentation:class="title"'
    table = f'<table:table table:name="T"><table:table-column/><table:table-column/>{_cells()}</table:table>'
    slides = (
        frame(f"<draw:text-box><text:p>{heading}</text:p></draw:text-box>", title) + body
        for heading, body in (("Overview", ""), ("Bridges", _box(FACT) + frame(table)))
    )
    _open_document(path, "presentation", "".join(f"<draw:page>{slide}</draw:page>" for slide in slides))


def _box(text: str) -> str:
    return f"<draw:frame><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"


_RTF_ROW = r"\trowd\cellx1000\cellx2000\pard\intbl {}\cell {}\cell\row "
_RTF = (
    r"{\rtf1\ansi{\stylesheet{\s0 Normal;}{\s1 heading 1;}}\pard\s1 Bridges\par"
    r"\pard The bridge of Gr\'f6\'dfe opened in 1932.\par "
    + _RTF_ROW.format("Bridge", "Year") + _RTF_ROW.format(r"Gr\'f6\'dfe", "1932") + "}"
)  # fmt: skip


def _epub(path: Path) -> None:
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><h1>Bridges</h1><p>{FACT}</p></body></html>'
    parts = {
        "META-INF/container.xml": '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        "c.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">i</dc:identifier><dc:title>Of bridges</dc:title>'
        '<dc:language>en</dc:language></metadata><manifest><item id="a" href="a.xhtml" '
        'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>',
        "a.xhtml": page,
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in parts.items():
            archive.writestr(name, content)


def _eml(path: Path) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Of bridges", "ann@example.org", "bob@example.org"
    message.set_content(_WEB, subtype="html")
    path.write_bytes(bytes(message))


def _mbox(path: Path) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["Message-ID"] = "Of bridges", "ann@example.org", "<7@example.org>"
    message.set_content(FACT)
    path.write_bytes(b"From ann@example.org Mon Jan  1 10:00:00 2024\n" + bytes(message))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("town/bridges.txt", FACT)


def _tar(mode: Literal["w", "w:gz", "w:bz2", "w:xz"]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path, mode) as archive:
            member = tarfile.TarInfo("town/bridges.txt")
            member.size = len(FACT.encode())
            archive.addfile(member, io.BytesIO(FACT.encode()))

    return write


def _ipynb(path: Path) -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["# Bridges\n", FACT]}]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def write_samples(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


_WEB = f"<h1>Bridges</h1><p>{FACT}</p><table><tr><td>Bridge<td>Year<tr><td>Größe<td>1932</table>"
_FICTION = (
    '<?xml version="1.0" encoding="UTF-8"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description>'
    "<title-info><book-title>Of bridges</book-title></title-info></description><body><section><title><p>Bridges</p></title>"
    f"<p>{FACT}</p><table><tr><td>Bridge</td><td>Year</td></tr><tr><td>Größe</td><td>1932</td></tr></table></section></body>"
    "</FictionBook>"
)
FILES: dict[str, Callable[[Path], object]] = {
    ".pdf": _pdf,
    ".docx": _docx,
    ".odt": _odt,
    ".rtf": write_samples(_RTF),
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".docm": _docx,
    ".dotx": _docx,
    ".pptm": _pptx,
    ".potx": _pptx,
    ".xlsm": _xlsx,
    ".xltx": _xlsx,
    ".xls": _xls,
    ".ods": _ods,
    ".odp": _odp,
    ".epub": _epub,
    ".fb2": write_samples(_FICTION),
    ".eml": _eml,
    ".msg": lambda path: path.write_bytes(msg("Of bridges", html=_WEB.encode())),
    ".ipynb": _ipynb,
    ".html": write_samples(_WEB),
    ".htm": write_samples(_WEB),
    ".xhtml": write_samples(f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{_WEB}</body></html>'),
    ".md": write_samples(f"# Bridges\n\n{FACT}\n"),
    ".markdown": write_samples(f"# Bridges\n\n{FACT}\n"),
    ".mdx": write_samples(f"# Bridges\n\n{FACT}\n"),
    ".txt": write_samples(f"Bridges\n=======\n\n{FACT}\n"),
    ".rst": write_samples(f"Bridges\n=======\n\n{FACT}\n"),
    ".csv": write_samples(f"name,note\nGröße,{FACT}\n"),
    ".tsv": write_samples(f"name\tnote\nGröße\t{FACT}\n"),
    ".json": write_samples(json.dumps({"note": FACT}, ensure_ascii=False)),
    ".jsonl": write_samples(json.dumps({"note": FACT}, ensure_ascii=False)),
    ".ndjson": write_samples(json.dumps({"note": FACT}, ensure_ascii=False)),
    ".yaml": write_samples(f"note: {FACT}\n"),
    ".yml": write_samples(f"note: {FACT}\n"),
    ".toml": write_samples(f'note = "{FACT}"\n'),
    ".ini": write_samples(f"[town]\nnote = {FACT}\n"),
    ".cfg": write_samples(f"[town]\nnote = {FACT}\n"),
    ".conf": write_samples(f"note = {FACT}\n"),
    ".properties": write_samples(f"note: {FACT}\n"),
    ".xml": write_samples(f'<?xml version="1.0" encoding="UTF-8"?><bridges><note>{FACT}</note></bridges>'),
    ".py": write_samples(f'"""{FACT}"""\n'),
}
CONTAINERS: dict[str, tuple[Callable[[Path], object], str]] = {
    ".mbox": (_mbox, "7@example.org"),
    ".zip": (_zip, "town/bridges.txt"),
    ".tar": (_tar("w"), "town/bridges.txt"),
    ".tgz": (_tar("w:gz"), "town/bridges.txt"),
    ".tar.gz": (_tar("w:gz"), "town/bridges.txt"),
    ".tar.bz2": (_tar("w:bz2"), "town/bridges.txt"),
    ".tar.xz": (_tar("w:xz"), "town/bridges.txt"),
    ".gz": (lambda path: path.write_bytes(gzip.compress(FACT.encode())), "all"),
}
UNTESTED = {".doc", ".ppt"}
"""Formats that no installed library writes; docs/formats.md says so."""
HEADED = {
    ".pdf",
    ".txt",
    ".rst",
    ".docx",
    ".docm",
    ".dotx",
    ".rtf",
    ".odp",
    ".odt",
    ".pptx",
    ".pptm",
    ".potx",
    ".epub",
    ".fb2",
    ".ipynb",
    ".html",
    ".htm",
    ".xhtml",
    ".md",
    ".markdown",
    ".mdx",
    ".xlsx",
    ".xlsm",
    ".xltx",
    ".xls",
    ".ods",
    ".eml",
    ".msg",
}
WITH_TABLE = {
    ".pdf",
    ".docx",
    ".docm",
    ".dotx",
    ".odt",
    ".rtf",
    ".pptx",
    ".pptm",
    ".potx",
    ".odp",
    ".fb2",
    ".xlsx",
    ".xlsm",
    ".xltx",
    ".xls",
    ".ods",
    ".html",
    ".htm",
    ".xhtml",
    ".eml",
    ".msg",
}
PAGED = dict.fromkeys((".pdf", ".pptx", ".pptm", ".potx", ".odp", ".xlsx", ".xlsm", ".xltx", ".xls", ".ods"), 2)


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(workers=1) as extractor:
        yield extractor


@pytest.fixture
def read(extractor: Extractor) -> Callable[[Path], Document]:
    return lambda path: extractor.extract(path).document


@pytest.mark.parametrize("suffix", FILES)
def test_a_real_file_is_read(suffix: str, tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / f"bridges{suffix}"
    FILES[suffix](path)
    found = read(path)
    assert FACT in found.text
    headings = {heading for section in found.sections for heading in section.trail}
    if suffix in HEADED:
        assert "Bridges" in headings
    else:
        assert headings == set()
    if suffix in WITH_TABLE:
        assert ROWS in found.text
    if suffix in PAGED:
        assert [page.number for page in found.pages] == list(range(1, PAGED[suffix] + 1))
        place = found.text.index("1932")
        assert any(page.start <= place < page.end for page in found.pages)
    else:
        assert found.pages == ()


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_the_members_of_a_real_archive_or_mailbox_are_read(suffix: str, tmp_path: Path, extractor: Extractor) -> None:
    make, member = CONTAINERS[suffix]
    path = tmp_path / f"all{suffix}"
    make(path)
    found = read_contents(extractor, path, uri=path.as_uri())
    assert found.rejected == ()
    assert [document.uri for document in found.documents] == [f"{path.as_uri()}!/{member}"]
    assert FACT in found.documents[0].text


def test_the_table_in_the_documentation_lists_every_format() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| ") and "`." in line]
    said: dict[str, tuple[str, ...]] = {}
    for kinds, headings, tables, pages, tested in (row for row in rows if len(row) == 5):
        facts = tuple(cell.strip() for cell in (headings, tables, pages, tested))
        said.update(dict.fromkeys(re.findall(r"`(\.\w+)`", kinds), facts))
    listed = {name for row in rows if "each is a document" in row[-1] for name in re.findall(r"`(\.[\w.]+)`", row[0])}
    assert listed == set(CONTAINERS)
    assert said.keys() == set(_BY_SUFFIX) - set(CONTAINERS)
    assert set(FILES) - {".py"} | PICTURES == said.keys() - UNTESTED  # tests/test_images.py reads pictures
    for suffix, (headings, tables, pages, tested) in said.items():
        assert (tested == "yes") == (suffix not in UNTESTED)
        if tested == "yes":
            assert (headings == "yes", tables == "yes", pages != "no") == (
                suffix in HEADED, suffix in WITH_TABLE, suffix in PAGED or suffix in PICTURES,
            ), suffix  # fmt: skip
