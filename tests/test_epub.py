"""E-books: chapters in the order of the spine, contents pages apart, damaged and protected books."""

import io
import zipfile

import pytest

from index.blocks.block import Kind
from index.formats.epub import read_epub
from index.formats.parsed import Unreadable

_CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
    'full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
_PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>Of  sails</dc:title><dc:creator>Per Dahl</dc:creator><dc:creator>Mona Lund</dc:creator><dc:date>2025-05-05</dc:date>
<dc:language>en-GB</dc:language></metadata><manifest>
<item id="two" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="img" href="a.png" media-type="image/png"/>
</manifest><spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/><itemref idref="img"/></spine></package>"""
_PARTS = {
    "META-INF/container.xml": _CONTAINER,
    "OPS/book.opf": _PACKAGE,
    "OPS/nav.xhtml": "<html><body><nav><h2>Contents</h2><ol><li><a href='one.xhtml'>Jibs</a></li></ol></nav></body></html>",
    "OPS/one.xhtml": "<?xml version='1.0'?><html><head><title/><script src='x'/></head><body><a id='p1'/><h1>Jibs</h1>"
    "<p>A jib is small<a epub:type='noteref' href='#n'>1</a>.</p><aside epub:type='footnote' id='n'><p>Mostly.</p></aside>"
    "</body></html>",
    "OPS/text/two b.xhtml": "<html xml:lang='nb'><body><h1>Storseil</h1><p>Stort.</p></body></html>",
}


def book(**changed: str | None) -> bytes:
    """A book; parts are changed by the last part of their name, None leaves one out."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _PARTS.items():
            key = name.rpartition("/")[2].partition(".")[0].replace(" ", "_")
            if changed.get(key, "") is not None:
                archive.writestr(name, changed.get(key) or content)
        for name, content in changed.items():
            if "/" in name and content is not None:
                archive.writestr(name, content)
    return file.getvalue()


def test_chapters_stand_in_the_order_of_the_spine() -> None:
    found = read_epub(book())
    assert found.text == "Contents\n\n1. Jibs\n\nJibs\n\nA jib is small[1].\n\nMostly.\n\nStorseil\n\nStort."
    assert found.title == "Of sails"
    assert found.metadata == {"author": "Per Dahl, Mona Lund", "created": "2025-05-05"}
    assert found.warnings == ()
    headings = [found.text[block.start : block.end] for block in found.blocks if block.kind is Kind.HEADING]
    assert headings == ["Contents", "Jibs", "Storseil"]
    assert [block.language for block in found.blocks if block.kind is Kind.HEADING] == ["en", "en", "nb"]


def test_a_contents_page_is_furniture_and_a_note_has_its_mark() -> None:
    found = read_epub(book())
    [contents] = [block for block in found.blocks if block.kind is Kind.FURNITURE]
    assert found.text[contents.start : contents.end] == "Contents\n\n1. Jibs"
    [note] = [block for block in found.blocks if block.kind is Kind.NOTE]
    assert (note.marker, found.text[note.start : note.end]) == ("1", "Mostly.")


def test_a_chapter_in_a_legacy_encoding_is_decoded_as_it_says() -> None:
    file = io.BytesIO(book(one=None))
    with zipfile.ZipFile(file, "a") as archive:
        page = "<?xml version='1.0' encoding='iso-8859-2'?><html><body><p>Łódź płynie.</p></body></html>"
        archive.writestr("OPS/one.xhtml", page.encode("iso-8859-2"))
    assert "Łódź płynie." in read_epub(file.getvalue()).text


def test_a_missing_chapter_is_reported() -> None:
    found = read_epub(book(one=None))
    assert found.warnings == ("1 of its 3 pages are missing in it, such as 'OPS/one.xhtml'.",)
    assert found.text.endswith("Stort.")


def test_a_protected_book_is_rejected() -> None:
    encryption = "<encryption><CipherData><CipherReference URI='{}'/></CipherData></encryption>"
    with pytest.raises(Unreadable, match="protected against copying"):
        read_epub(book(**{"META-INF/encryption.xml": encryption.format("OPS/text/two%20b.xhtml")}))
    assert read_epub(book(**{"META-INF/encryption.xml": encryption.format("OPS/fonts/a.ttf")})).title == "Of sails"


@pytest.mark.parametrize("package", ["<package/>", "no XML", "<package><spine><itemref idref='x'/></spine></package>"])
def test_a_book_that_names_no_chapters_is_rejected(package: str) -> None:
    with pytest.raises(Unreadable, match="it is damaged"):
        read_epub(book(book=package))
    with pytest.raises(Unreadable, match="it is damaged"):
        read_epub(book()[:-200])
