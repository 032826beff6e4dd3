"""E-books (EPUB 2 and 3) -> blocks: the chapters in the order of the book's spine. Pure; zip and XML of the standard kind.

The parts are unpacked one at a time; `check_office_zip` has counted them before. XML is read without entities or network.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree

from index.blocks.block import Kind
from index.formats.canonical import BadEncoding, NotText, canonical, decode_text
from index.formats.containers.archive import ZIP_DAMAGE
from index.formats.html.element import Element, parse_html
from index.formats.html.reader import Reader
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node
from index.formats.parsed import Parsed, Unreadable

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = frozenset(("application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/x-dtbook+xml"))
_DECLARED = re.compile(rb"\A\s*<\?xml[^>]{0,100}encoding=[\"']([\w.-]{1,40})[\"']")
_SAVE_AGAIN = "Open it in its own program and save it again, or fetch it again"


class _Chapter(NamedTuple):
    """A page of the book, and whether it only lists the others."""

    name: str
    is_contents: bool


class _Book(NamedTuple):
    title: str
    facts: dict[str, str]
    language: str
    chapters: list[_Chapter]


def read_epub(data: bytes) -> Parsed:
    """Return the book. Raises `Unreadable` if it is damaged or protected."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except ZIP_DAMAGE as error:
        raise Unreadable(f"it is damaged or cut short ({str(error)[:100]})", _SAVE_AGAIN) from error


def _read(archive: zipfile.ZipFile) -> Parsed:
    names = set(archive.namelist())
    book = _book(archive, names)
    if not book.chapters:
        raise Unreadable("it is damaged: it names no chapters", _SAVE_AGAIN)
    protected = _protected(archive, names)
    if any(chapter.name in protected for chapter in book.chapters):
        raise Unreadable("it is protected against copying (DRM)", "Get a copy without protection from its publisher")
    missing = [chapter.name for chapter in book.chapters if chapter.name not in names]
    root = Node()
    for chapter in book.chapters:
        if chapter.name in names:
            page = parse_html(_decoded(archive.read(chapter.name)))
            if chapter.is_contents:
                root.add(Kind.FURNITURE, *Reader(_with_navigation(page), book.language).root.content)
            else:
                root.content.append(Reader(page, book.language).root)
    written = write_nodes(root)
    reason = (
        f"{len(missing)} of its {len(book.chapters)} pages are missing in it, such as {missing[0]!r}" if missing else ""
    )
    return Parsed(
        written.text, written.blocks, book.title, metadata=book.facts, warnings=(f"{reason}.",) if reason else ()
    )


def _book(archive: zipfile.ZipFile, names: set[str]) -> _Book:
    """What the package document says about the book."""
    container = _xml(archive, _CONTAINER) if _CONTAINER in names else None
    rootfile = next((part.get("full-path") for part in _all(container, "rootfile")), None)
    path = rootfile or next((name for name in sorted(names) if name.endswith(".opf")), "")
    if path not in names:
        raise Unreadable("it is damaged: it does not say what it holds", _SAVE_AGAIN)
    package = _xml(archive, path)
    folder = posixpath.dirname(path)
    pages = {}
    contents = {_path(folder, part.get("href", "")) for part in _all(package, "reference") if part.get("type") == "toc"}
    for item in _all(package, "item"):
        name = _path(folder, item.get("href", ""))
        if item.get("media-type", "") in _PAGES:
            pages[item.get("id", "")] = name
            if "nav" in item.get("properties", "").split():
                contents.add(name)
    spine = [pages[ref] for part in _all(package, "itemref") if (ref := part.get("idref", "")) in pages]
    facts = {"author": ", ".join(_texts(package, "creator")), "created": next(iter(_texts(package, "date")), "")}
    return _Book(
        next(iter(_texts(package, "title")), ""),
        {name: fact for name, fact in facts.items() if fact},
        next(iter(_texts(package, "language")), ""),
        [_Chapter(name, name in contents) for name in dict.fromkeys(spine)],
    )


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(archive.read(name), parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"it is damaged ({str(error)[:100]})", _SAVE_AGAIN) from error
    if root is None:
        raise Unreadable(f"it is damaged: its part {name[:100]!r} is no XML", _SAVE_AGAIN)
    return root


def _all(root: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The elements of that name in any namespace."""
    if root is not None:
        yield from root.iter(f"{{*}}{name}")


def _texts(package: etree._Element, name: str) -> list[str]:
    found = (" ".join(canonical("".join(map(str, part.itertext()))).split()) for part in _all(package, name))
    return [text for text in found if text]


def _protected(archive: zipfile.ZipFile, names: set[str]) -> set[str]:
    """The names of the parts that are encrypted."""
    if _ENCRYPTION not in names:
        return set()
    references = _all(_xml(archive, _ENCRYPTION), "CipherReference")
    return {unquote(str(part.get("URI", ""))).lstrip("/") for part in references}


def _path(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))).lstrip("/")


def _decoded(data: bytes) -> str:
    declared = _DECLARED.match(data[:200])
    if declared is not None:
        try:
            return canonical(data.decode(declared[1].decode("ascii")))
        except (LookupError, UnicodeDecodeError):
            pass
    try:
        return canonical(decode_text(data)[0])
    except (NotText, BadEncoding):
        return canonical(data.decode("utf-8", "replace"))


def _with_navigation(page: Element) -> Element:
    """The page with its lists of chapters, which are left out elsewhere."""
    for element in page.elements():
        if element.tag == "nav":
            element.tag = "div"
            element.attributes = {}
    return page
