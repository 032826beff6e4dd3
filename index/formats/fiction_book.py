"""FictionBook (`.fb2`) -> blocks: sections with their titles, paragraphs, verses, tables, and notes at the end. Pure."""

from collections.abc import Iterator
from typing import Any

from index.blocks.block import Kind
from index.formats.canonical import canonical
from index.formats.node_writer import write_nodes
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.office_package import local_name, parse_xml
from index.formats.parsed import Parsed
from index.formats.superscripts import lowered, raised
from index.formats.table_grid import GridCell, add_table

_GROUPS = frozenset({"section", "epigraph", "poem", "annotation"})
_MAX_SPAN = 1000


def read_fiction_book(data: bytes) -> Parsed:
    """Return the book. Raises `Unreadable` for damaged XML and for XML with entities of its own."""
    tree = parse_xml(data)
    root = Node()
    bodies = tree.findall("{*}body")
    for body in bodies:
        if not _is_notes(body):
            _write(root, body, 1)
    for body in bodies:
        if _is_notes(body):
            _write_notes(root, body)
    written = write_nodes(root)
    about = tree.find("{*}description/{*}title-info")
    title = _words(about.find("{*}book-title")) if about is not None else ""
    author = ", ".join(filter(None, map(_name, about.findall("{*}author")))) if about is not None else ""
    return Parsed(written.text, written.blocks, title, metadata={"author": author} if author else {})


def _is_notes(body: Any) -> bool:
    return body.get("name") in ("notes", "comments", "footnotes")


def _write(into: Node, holder: Any, level: int) -> None:
    """Write what a body, section, poem or quotation holds. `level` is that of its title."""
    for element in holder.iterchildren("*"):
        kind = local_name(element)
        if kind in ("title", "subtitle"):
            depth = level if kind == "title" else level + 1
            into.add(Kind.HEADING, *_lines(element), level=min(6, depth))
        elif kind in _GROUPS:
            _write(into, element, level + 1)
        elif kind == "cite":
            _write(into.add(Kind.QUOTATION), element, level + 1)
        elif kind == "stanza":
            verses = [part for line in element.iterchildren("{*}v") for part in (LINE_BREAK, *_running(line))]
            into.add(Kind.PARAGRAPH, *verses[1:])
        elif kind == "table":
            add_table(into, list(_cells(element)))
        elif kind in ("p", "text-author", "date", "v"):
            into.add(Kind.PARAGRAPH, *_running(element))


def _write_notes(root: Node, body: Any) -> None:
    for section in body.iter("{*}section"):
        title = section.find("{*}title")
        note = root.add(Kind.NOTE, marker=_words(title)[:20])
        for paragraph in section.iterchildren("{*}p", "{*}cite", "{*}poem"):
            note.content += [LINE_BREAK, *_running(paragraph)] if note.content else _running(paragraph)


def _lines(title: Any) -> list[Part]:
    """The paragraphs of a title in one line; a subtitle has none."""
    paragraphs = title.findall("{*}p")
    if not paragraphs:
        return _running(title)
    return [part for paragraph in paragraphs for part in (" ", *_running(paragraph))][1:]


def _running(element: Any) -> list[Part]:
    """The running text of an element."""
    parts: list[Part] = [element.text or ""]
    for child in element.iterchildren("*"):
        kind = local_name(child)
        before = Node(None, parts).plain()[-40:] if kind in ("sup", "sub", "a") else ""
        inner = Node(None, _running(child)).plain() if kind in ("sup", "sub", "a") else ""
        if kind == "sup" or (kind == "a" and child.get("type") == "note"):
            parts += raised(before, inner, is_note=kind == "a" or child.find("{*}a") is not None)
        elif kind == "sub":
            parts += lowered(before, inner)
        elif kind == "strikethrough":
            parts.append(Node(Kind.STRUCK, _running(child)))
        elif kind != "image":
            parts += [" ", *_running(child), " "] if kind in ("p", "v", "stanza") else _running(child)
        parts.append(child.tail or "")
    return parts


def _cells(table: Any) -> Iterator[GridCell]:
    covered: dict[int, int] = {}  # by column: the first row that no cell above covers
    for number, row in enumerate(table.iterchildren("{*}tr")):
        column = 0
        for cell in row.iterchildren("{*}td", "{*}th"):
            while covered.get(column, 0) > number:
                column += 1
            height, width = _span(cell, "rowspan"), _span(cell, "colspan")
            covered |= dict.fromkeys(range(column, column + width), number + height)
            yield GridCell(number, column, _running(cell), height, width, local_name(cell) == "th")
            column += width


def _span(cell: Any, name: str) -> int:
    stated = cell.get(name, "1")
    return max(1, min(int(stated), _MAX_SPAN)) if stated.isdecimal() and len(stated) < 5 else 1


def _words(element: Any) -> str:
    text = "".join(element.itertext()) if element is not None else ""
    return " ".join(canonical(text).split())


def _name(author: Any) -> str:
    parts = (_words(author.find(f"{{*}}{name}")) for name in ("first-name", "middle-name", "last-name"))
    return " ".join(filter(None, parts)) or _words(author.find("{*}nickname"))
