"""OpenDocument presentations (ODP) -> text with its structure. Pure."""

import re
from typing import Any

from index.blocks.block import Kind
from index.formats.list_nodes import ListWriter
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node, PageStart
from index.formats.office.office_package import local_name
from index.formats.office.open_document import OpenDocument, attribute
from index.formats.office.open_document_styles import Styles
from index.formats.office.open_document_text import TextReader
from index.formats.office.reading_order import Box, in_reading_order
from index.formats.parsed import Parsed

_FURNITURE = frozenset({"date-time", "footer", "page-number", "header"})
_SHAPES = frozenset({"frame", "custom-shape", "g", "rect", "ellipse", "text-box"})
_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(cm|mm|in|pt|pc|px)\Z")
_POINTS = {"cm": 28.35, "mm": 2.835, "in": 72.0, "pt": 1.0, "pc": 12.0, "px": 0.75}
_MAX_DEPTH = 20


def read_odp(data: bytes) -> Parsed:
    """Return the presentation: each slide a page, its title a heading, its notes at its end; hidden slides are marked."""
    file = OpenDocument(data)
    styles = Styles(file)
    reader = TextReader(styles)
    root = Node()
    for number, page in enumerate(file.body("presentation").iterchildren("{*}page"), 1):
        holder = root.add(Kind.HIDDEN) if styles.of(page, "drawing-page").is_hidden else root
        holder.content.append(PageStart(number))
        _write_page(holder, page, reader)
    title, facts = file.facts()
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, written.pages, facts)


def _write_page(root: Node, page: Any, reader: TextReader) -> None:
    shapes = [shape for shape in page if local_name(shape) in _SHAPES]
    titles = [shape for shape in shapes if attribute(shape, "class") == "title" and _plain(shape)]
    for number, shape in enumerate(titles):
        root.add(Kind.HEADING, _plain(shape), level=2 if number else 1)
    for shape in _ordered([shape for shape in shapes if shape not in titles]):
        _write_shape(root, shape, reader, 0)
    reader.write_notes(root)
    for notes in page.iterchildren("{*}notes"):
        for shape in notes:
            if attribute(shape, "class") == "notes" and _plain(shape):
                reader.write_block(root.add(Kind.NOTE), shape)


def _write_shape(root: Node, shape: Any, reader: TextReader, depth: int) -> None:
    if attribute(shape, "class") in _FURNITURE:
        if _plain(shape):
            ListWriter(root).block(Kind.FURNITURE, _plain(shape))
    elif local_name(shape) == "g" and depth < _MAX_DEPTH:
        for inner in _ordered([inner for inner in shape if local_name(inner) in _SHAPES]):
            _write_shape(root, inner, reader, depth + 1)
    elif attribute(shape, "placeholder") != "true":
        reader.write(root, shape)


def _plain(shape: Any) -> str:
    """The text of the shape on one line."""
    return " ".join(" ".join("".join(line.itertext()) for line in shape.iter("{*}p", "{*}h")).split())


def _ordered(shapes: list[Any]) -> list[Any]:
    boxes = [_box(shape) for shape in shapes]
    return [shapes[number] for number in in_reading_order(boxes)]


def _box(shape: Any) -> Box:
    """Where the shape stands, in points; a group stands where its first shape does."""
    holder = (
        next((inner for inner in shape.iter() if attribute(inner, "y")), shape) if local_name(shape) == "g" else shape
    )
    left, top, width, height = (_points(attribute(holder, name)) for name in ("x", "y", "width", "height"))
    return Box(left, top, left + width, top + height)


def _points(length: str) -> int:
    match = _LENGTH.match(length)
    return round(min(float(match[1]), 1e6) * _POINTS[match[2]]) if match else 0
