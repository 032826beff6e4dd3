"""PowerPoint presentations (PPTX) -> text with its structure. Pure.

Read straight from the XML: whether a paragraph is a bullet and where a placeholder stands follow from the layout and the
master, which python-pptx follows for places only.
"""

from typing import Any

from index.blocks.block import Kind
from index.formats.list_nodes import ListWriter
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node, PageStart
from index.formats.office.chart import add_chart
from index.formats.office.office_package import Package, local_name, relation_id
from index.formats.office.pptx_placeholders import Layouts, Placeholder, placeholder_of
from index.formats.office.pptx_text import add_paragraphs, has_text, plain_line
from index.formats.office.reading_order import Box, in_reading_order
from index.formats.parsed import Parsed
from index.formats.table_grid import GridCell, add_table

_MAX_DEPTH = 20
_MAX_TITLE_CHARS = 80
_FURNITURE = frozenset({"dt", "ftr", "sldNum", "hdr"})
_TITLES = frozenset({"title", "ctrTitle"})


def read_pptx(data: bytes) -> Parsed:
    """Return the presentation: each slide a page, its title a heading, its notes at its end; hidden slides are marked."""
    package = Package(data)
    name = package.main_part()
    show = package.tree(name)
    relations = package.relations(name)
    layouts = Layouts(package)
    root = Node()
    for number, element in enumerate(show.iterfind("{*}sldIdLst/{*}sldId"), 1):
        relation = relations.get(relation_id(element))
        slide = package.tree(relation.target) if relation is not None else None
        if relation is None or slide is None:
            continue
        is_hidden = slide.get("show", "1") in ("0", "false")
        holder = root.add(Kind.HIDDEN) if is_hidden else root
        holder.content.append(PageStart(number))
        _Slide(package, relation.target, layouts, holder).write(slide)
    title, facts = package.facts()
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, written.pages, facts)


class _Slide:
    """Writes one slide."""

    def __init__(self, package: Package, part: str, layouts: Layouts, root: Node) -> None:
        self._package = package
        self._relations = package.relations(part)
        self._layout = next((r.target for r in self._relations.values() if r.kind == "slideLayout"), "")
        self._layouts = layouts
        self._root = root

    def write(self, slide: Any) -> None:
        """Append the slide: its title first, then its shapes in reading order, then its notes."""
        shapes = _shapes(slide.find("{*}cSld/{*}spTree"))
        titles = [shape for shape in shapes if placeholder_of(shape).kind in _TITLES and has_text(shape)]
        rest = self._ordered([shape for shape in shapes if shape not in titles])
        if not titles and rest and self._can_be_title(rest[0]):
            titles = [rest.pop(0)]
        for number, title in enumerate(titles):
            self._root.add(Kind.HEADING, plain_line(title), level=2 if number else 1)
        for shape in rest:
            self._write_shape(shape, 0)
        self._write_notes()

    def _can_be_title(self, shape: Any) -> bool:
        if local_name(shape) != "sp" or placeholder_of(shape).kind in _FURNITURE:
            return False
        lines = [line for line in shape.iterfind("{*}txBody/{*}p") if any(t.text for t in line.iter("{*}t"))]
        text = plain_line(shape)
        return len(lines) == 1 and 0 < len(text) <= _MAX_TITLE_CHARS and text[-1] not in ".:;,"

    def _ordered(self, shapes: list[Any]) -> list[Any]:
        boxes = [self._box(shape) for shape in shapes]
        placed = [number for number, box in enumerate(boxes) if box is not None]
        order = in_reading_order([box for box in boxes if box is not None])
        return [shapes[placed[number]] for number in order] + [
            shape for shape, box in zip(shapes, boxes, strict=True) if box is None
        ]

    def _box(self, shape: Any) -> Box | None:
        return box_of(shape) or self._layouts.box(self._layout, placeholder_of(shape))

    def _write_shape(self, shape: Any, depth: int) -> None:
        kind = local_name(shape)
        if kind == "grpSp" and depth < _MAX_DEPTH:
            for inner in self._ordered(_shapes(shape)):
                self._write_shape(inner, depth + 1)
        elif kind == "sp":
            self._write_text(shape)
        elif kind == "graphicFrame":
            self._write_frame(shape)

    def _write_text(self, shape: Any) -> None:
        body = shape.find("{*}txBody")
        if body is None or not has_text(shape):
            return
        placeholder = placeholder_of(shape)
        if placeholder.kind in _FURNITURE:
            ListWriter(self._root).block(Kind.FURNITURE, plain_line(shape))
            return
        add_paragraphs(ListWriter(self._root), body, self._styles(shape, placeholder))

    def _styles(self, shape: Any, placeholder: Placeholder) -> list[Any]:
        """Where the marks of the paragraphs are stated, the closest place first."""
        own = shape.find("{*}txBody/{*}lstStyle")
        return [own, *self._layouts.styles(self._layout, placeholder)] if placeholder.is_there else [own]

    def _write_frame(self, frame: Any) -> None:
        table = frame.find(".//{*}tbl")
        if table is not None:
            _add_table(self._root, table)
            return
        for element in frame.iter("{*}chart", "{*}relIds"):
            is_chart = local_name(element) == "chart"
            relation = self._relations.get(relation_id(element, "id" if is_chart else "dm"))
            part = self._package.tree(relation.target) if relation is not None and not relation.is_external else None
            if part is not None and is_chart:
                add_chart(self._root, part)
            elif part is not None:
                for body in part.iterfind("{*}ptLst/{*}pt/{*}t"):
                    add_paragraphs(ListWriter(self._root), body, [])

    def _write_notes(self) -> None:
        part = next((relation.target for relation in self._relations.values() if relation.kind == "notesSlide"), "")
        notes = self._package.tree(part) if part else None
        for shape in _shapes(notes.find("{*}cSld/{*}spTree")) if notes is not None else ():
            if placeholder_of(shape).kind == "body" and has_text(shape):
                add_paragraphs(ListWriter(self._root.add(Kind.NOTE)), shape.find("{*}txBody"), [])


def box_of(shape: Any) -> Box | None:
    """Return where the shape itself says that it stands; None if it does not say it."""
    for path in ("{*}spPr/{*}xfrm", "{*}grpSpPr/{*}xfrm", "{*}xfrm"):
        frame = shape.find(path)
        offset = frame.find("{*}off") if frame is not None else None
        size = frame.find("{*}ext") if frame is not None else None
        if offset is not None and size is not None:
            try:
                left, top = int(offset.get("x", "0")), int(offset.get("y", "0"))
                return Box(left, top, left + int(size.get("cx", "0")), top + int(size.get("cy", "0")))
            except ValueError:
                return None
    return None


def _shapes(tree: Any) -> list[Any]:
    """The shapes of a slide or group; of alternatives for newer and older programs, those for the newer."""
    found: list[Any] = []
    for element in tree if tree is not None else ():
        name = local_name(element)
        if name in ("sp", "grpSp", "graphicFrame"):
            found.append(element)
        elif name == "AlternateContent":
            choices = [
                shape for choice in element for shape in choice if local_name(shape) in ("sp", "grpSp", "graphicFrame")
            ]
            found += choices[:1]
    return found


def _add_table(root: Node, table: Any) -> None:
    cells: list[GridCell] = []
    for number, row in enumerate(table.iterfind("{*}tr")):
        for column, cell in enumerate(row.iterfind("{*}tc")):
            if _is_on(cell, "hMerge") or _is_on(cell, "vMerge"):
                continue
            holder = Node()
            body = cell.find("{*}txBody")
            if body is not None:
                add_paragraphs(ListWriter(holder), body, [])
            cells.append(GridCell(number, column, holder.content, _span(cell, "rowSpan"), _span(cell, "gridSpan")))
    properties = table.find("{*}tblPr")
    has_header = properties is not None and _is_on(properties, "firstRow") and cells and cells[-1].row > 0
    if cells:
        add_table(root, cells, header_rows=1 if has_header else None)


def _span(cell: Any, name: str) -> int:
    text = cell.get(name, "1")
    return max(1, min(int(text), 1000)) if text.isdecimal() and len(text) < 9 else 1


def _is_on(element: Any, name: str) -> bool:
    return element.get(name, "0") in ("1", "true")
