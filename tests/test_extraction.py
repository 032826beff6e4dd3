"""Text, PDF and Office files are read into documents with exact offsets, titles and facts; others are rejected."""

import json
import os
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import DocumentRejected, NotADocument
from index.extraction.extractor import Extractor, extract
from index.formats.canonical import canonical
from index.formats.limits import Limits
from index.records import Document
from index.uris import document_id, document_version


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(workers=1) as shared:
        yield shared


@pytest.fixture
def read(extractor: Extractor) -> Callable[[Path], Document]:
    return lambda path: extractor.extract(path).document


def pdf(path: Path, pages: list[list[str]]) -> Path:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=A4)
    for lines in pages:
        for row, line in enumerate(lines):
            canvas.drawString(72, 770 - 16 * row, line)
        canvas.showPage()
    canvas.save()
    return path


def test_plain_text_is_read_unchanged(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / "größe.txt"
    path.write_bytes("Ein Satz: 5 €. e\u0301 😀 שלום\r\nNext\rline.\n".encode())
    found = read(path)
    assert found.text == "Ein Satz: 5 €. e\u0301 😀 שלום\nNext\nline.\n"
    assert (found.title, found.media_type, found.pages, found.sections) == ("größe", "text/plain", (), ())
    assert found.uri == path.as_uri()
    assert found.id == document_id(path.as_uri())
    assert found.version == document_version(path.read_bytes())


def test_source_code_is_plain_text(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / "main.rs"
    path.write_text('fn main() {\n    println!("hello");\n}\n')
    assert read(path).text == path.read_text()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_a_byte_order_mark_sets_the_encoding_and_is_removed(
    encoding: str, tmp_path: Path, read: Callable[[Path], Document]
) -> None:
    path = tmp_path / "a.txt"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    path.write_bytes(mark + "Grüße — 你好".encode(encoding))
    assert read(path).text == "Grüße — 你好"


def test_legacy_encodings_are_detected_and_noted(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    french = "Les élèves ont déjà vu le garçon à côté de la fenêtre. « Où est-il ? »"
    russian = "Архив хранит письма трёх семей. Их передали в музей в тысяча девятьсот тридцать первом году."
    for name, text, encoding in (("fr.txt", french, "cp1252"), ("ru.txt", russian, "cp1251")):
        (tmp_path / name).write_bytes(text.encode(encoding))
        found = read(tmp_path / name)
        assert found.text == text
        assert found.metadata["encoding"] == encoding


def test_markdown_keeps_its_source_and_its_headings_are_found(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / "a.md"
    source = "---\ntitle: T\n---\nIntro.\n\n# One *x*\n\n```\n# no heading\n```\n\nTwo `y`\n-------\n\nText [link](http://a.b).\n"
    path.write_text(source)
    found = read(path)
    assert found.text == source
    assert found.title == "One x"
    assert [(section.trail, source[section.start :].split("\n", 1)[0]) for section in found.sections] == [
        (("One x",), "# One *x*"),
        (("One x", "Two y"), "Two `y`"),
    ]


def test_html_is_read_as_a_browser_shows_it(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        "<html><head><title>Site</title><style>p{}</style></head><body><nav>Home</nav><h1>Head &amp; <em>one</em></h1>"
        "<p>A <b>bold</b> word,\n and <a href='x'>a link</a>.<p>Unclosed<script>var x = '<p>no</p>'</script>"
        "<h2>Sub</h2><ul><li>one<li>two</ul><table><tr><th>A<th>B<tr><td>1<td><p>2</p><p>3</p></table>"
        "<pre>  kept\n\n   so</pre></body>"
    )
    found = read(path)
    assert found.text == (
        "Head & one\n\nA bold word, and a link.\n\nUnclosed\n\nSub\n\n- one\n- two\n\n| A | B |\n| 1 | 2 3 |\n\n  kept\n\n   so"
    )
    assert found.title == "Head & one"
    assert [(section.trail, found.text[section.start : section.start + 3]) for section in found.sections] == [
        (("Head & one",), "Hea"),
        (("Head & one", "Sub"), "Sub"),
    ]


def test_navigation_repeated_on_every_page_is_left_out(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        "<title>T</title><header><h2>Site</h2>Welcome.</header><div role=navigation><div>Up</div><h3>Go</h3></div>"
        "<div role=main><div class='navheader'>Prev</div><h1>Head<a class=headerlink href=#x>&para;</a></h1>"
        "<p>All that the page says, sof&shy;tly.<div hidden>Not yet.</div><div>End.</div></div>"
        "<footer>Copyright.</footer>"
    )
    found = read(path)
    assert found.text == "Head\n\nAll that the page says, softly.\n\nEnd."
    assert [(section.start, section.trail) for section in found.sections] == [(0, ("Head",))]


def test_a_main_element_with_less_text_leaves_the_rest_in(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    path = tmp_path / "a.html"
    path.write_text("<main>Short.</main><p>The longer part of it stands here.</p><main>Second.")
    assert read(path).text == "Short.\n\nThe longer part of it stands here.\n\nSecond."


def test_docx_gives_headings_lists_and_tables(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    import docx

    path = tmp_path / "a.docx"
    source = docx.Document()
    source.core_properties.author = "Ana Bø"
    source.add_heading("Handbuch — Größe 😀", 1)
    source.add_paragraph("Bold ").add_run("words").bold = True
    source.add_heading("Steps", 2)
    source.add_paragraph("First.", style="List Bullet")
    table = source.add_table(2, 2)
    for row, cells in enumerate((("Name", "Value"), ("a|b", "two\nlines"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    source.add_heading("End", 1)
    source.save(str(path))
    found = read(path)
    assert found.text.split("\n\n") == [
        "Handbuch — Größe 😀", "Bold words", "Steps", "• First.", "| Name | Value |\n| a|b | two lines |", "End",
    ]  # fmt: skip
    assert [section.trail for section in found.sections] == [
        ("Handbuch — Größe 😀",), ("Handbuch — Größe 😀", "Steps"), ("End",),
    ]  # fmt: skip
    assert all(found.text.startswith(section.trail[-1], section.start) for section in found.sections)
    assert found.metadata["author"] == "Ana Bø"


def test_pdf_pages_are_ranges_of_code_points(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    pages = [["Größe — “one” €5.", "Äpfel und Öl."], [], ["Third pagé."]]
    found = read(pdf(tmp_path / "a.pdf", pages))
    assert [page.number for page in found.pages] == [1, 2, 3]
    assert [found.text[page.start : page.end] for page in found.pages] == [
        "Größe — “one” €5.\n\nÄpfel und Öl.", "", "Third pagé.",
    ]  # fmt: skip


def test_a_sentence_that_crosses_a_page_stays_one(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    body = [
        ["Annual report", "The archive holds letters of", "Page 1"],
        ["Annual report", "three families of the town.", "Page 2"],
        ["Annual report", "Nobody read them.", "Page 3"],
    ]
    found = read(pdf(tmp_path / "a.pdf", body))
    assert (
        found.text
        == "Annual report\n\nThe archive holds letters of\nPage 1\nAnnual report\nthree families of the town.\n\nPage 2\n\n"
        "Annual report\n\nNobody read them.\n\nPage 3"
    )


def test_an_email_has_its_subject_as_title(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Größe of Wörlds", "ann@example.org", "bob@example.org"
    message.set_content("Dear Bob,\n\nthe parcel weighs 5 kg.\n")
    (tmp_path / "a.eml").write_bytes(bytes(message))
    found = read(tmp_path / "a.eml")
    assert found.title == "Größe of Wörlds"
    assert "the parcel weighs 5 kg." in found.text


def test_a_notebook_is_read(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Study\n", "We found it."]},
        {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": ["x = 1"]},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found = read(tmp_path / "a.ipynb")
    assert found.text == "# Study\nWe found it.\n\nx = 1"
    assert found.sections[0].trail == ("Study",)


def test_rtf_is_read(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    (tmp_path / "a.rtf").write_text(r"{\rtf1\ansi {\b Bold} text.\par Second \'e9 line.\par}")
    assert read(tmp_path / "a.rtf").text == "Bold text.\n\nSecond é line."


def test_form_feeds_are_the_pages_of_a_text_file(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    (tmp_path / "a.txt").write_text("One.\fTwo é.\f")
    found = read(tmp_path / "a.txt")
    assert [(page.number, found.text[page.start : page.end]) for page in found.pages] == [
        (1, "One."),
        (2, "Two é."),
        (3, ""),
    ]


def _encrypted(path: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=pdf(path.with_suffix(".plain"), [["Secret."]]))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(path)


def _truncated(path: Path) -> None:
    data = pdf(path.with_suffix(".plain"), [["Some text here."] * 30]).read_bytes()
    path.write_bytes(data[: len(data) // 3])


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")


def _cut_docx(path: Path) -> None:
    import docx

    docx.Document().save(str(path))
    path.write_bytes(path.read_bytes()[:5000])


def _database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("name", "make", "reason", "fix"),
    [
        ("a.txt", lambda path: path.write_bytes(b""), "it is empty", "Write something"),
        ("a.md", lambda path: path.write_bytes(b" \n\0\n"), "it is empty", "Write something"),
        ("a.txt", lambda path: path.write_text("... --- ..."), "no word is in it", "Check that it holds text"),
        ("a.txt", lambda path: path.write_bytes("né à côté ".encode() + b"\xff."), "byte 14 (line 1) is 0xFF", "UTF-8"),
        ("a.txt", lambda path: path.write_bytes(b"\xff\xfea"), "damaged at byte", "Save it as UTF-8"),
        ("a.pdf", _encrypted, "it is encrypted", "without a password"),
        ("a.pdf", _truncated, "it is damaged or cut short", "save it again"),
        ("a.pdf", lambda path: path.write_text("<html>404 é</html>"), "named .pdf but holds a web page", "Rename it"),
        ("a.txt", lambda path: pdf(path, [["x"]]), "named .txt but holds a PDF", "Rename it"),
        ("a.docx", lambda path: path.write_text("Just text."), "named .docx but holds plain text", "Rename it"),
        ("a.docx", _zip, "named .docx but holds a zip archive", "Rename it"),
        ("a.docx", _cut_docx, "it is damaged or cut short", "save it again"),
        ("a", _zip, "named without a suffix but holds a zip archive", "Rename it"),
        ("a.txt", lambda path: None, "it vanished", "Index again"),
    ],
)
def test_a_bad_file_is_rejected_with_reason_and_fix(
    name: str, make: Callable[[Path], object], reason: str, fix: str, tmp_path: Path, read: Callable[[Path], Document]
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(DocumentRejected) as caught:
        read(path)
    assert type(caught.value) is DocumentRejected
    assert reason in caught.value.reason
    assert fix in caught.value.fix
    assert path.as_uri() in str(caught.value)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.gif", lambda path: path.write_bytes(b"GIF89a")),
        ("noname", lambda path: path.write_bytes(bytes(range(256)) * 40)),
        ("noname", _database),
    ],
)
def test_binary_files_are_not_documents(
    name: str, make: Callable[[Path], object], tmp_path: Path, read: Callable[[Path], Document]
) -> None:
    make(tmp_path / name)
    with pytest.raises(NotADocument):
        read(tmp_path / name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_rejected(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    (tmp_path / "a.txt").write_text("Text.")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(DocumentRejected, match="not permitted"):
        read(tmp_path / "a.txt")


def test_a_file_of_200_mb_is_rejected_unread(tmp_path: Path, read: Callable[[Path], Document]) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(DocumentRejected, match="209,715,200 bytes are over the limit of 104,857,600"):
        read(tmp_path / "big.txt")


def test_too_much_text_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 300)
    with pytest.raises(DocumentRejected, match="1,500 characters is over the limit of 1,000"):
        extract(tmp_path / "a.txt", limits=Limits(characters=1000))


@given(st.text(st.characters(exclude_categories=())))
def test_canonical_text_survives_storage_and_is_stable(text: str) -> None:
    found = canonical(text)
    assert found.encode().decode() == found == canonical(found)
    assert json.loads(json.dumps(found)) == found
    connection = sqlite3.connect(":memory:")
    assert connection.execute("SELECT ?, length(?)", (found, found)).fetchone() == (found, len(found))
    connection.close()
    assert "\0" not in found
    assert "\r" not in found
    kept = [character for character in text if character.isalnum()]
    assert [character for character in found if character.isalnum()] == kept


@pytest.mark.skipif(sys.platform != "linux", reason="files of /proc grow while they are read")
def test_a_file_that_changes_while_it_is_read_is_rejected(read: Callable[[Path], Document]) -> None:
    with pytest.raises(DocumentRejected, match="it changed while it was being read"):
        read(Path("/proc/version"))
