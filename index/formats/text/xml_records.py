"""XML -> records, fields and paragraphs with their places, over expat. Pure; no network, and no entities but the five of XML.

An element with nothing but text is a field, an attribute too; siblings of the same name are records. Text among elements is a
paragraph; a file that holds little else, or has paragraphs by name, as DocBook, is a document: all of its text is prose.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from index.blocks.block import Block, Kind, Span
from index.formats.parsed import Parsed
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.data_tree import (
    MAX_DEPTH,
    MAX_VALUES,
    Mapping,
    NotRecords,
    Remark,
    Replaced,
    Scalar,
    Value,
    tree_blocks,
)
from index.formats.text.plain_text import as_text

_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_END = re.compile(r"""(?:[^<>"']++|"[^"]*"|'[^']*')*+>""")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'"}
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});|<!\[CDATA\[|\]\]>")
_NOT_SHOWN = frozenset({"xmlns", "schemaLocation", "noNamespaceSchemaLocation"})
_TAG = re.compile(r"<[^<>]*>")
_PROSE = frozenset("p para simpara paragraph section body div li listitem entry".split())
_HEADINGS = frozenset("title head heading h1 h2 h3 h4 h5 h6 subtitle".split())


@dataclass(slots=True)
class _Element:
    name: Span
    start: int
    inner: int  # where its content begins
    attributes: list[tuple[Span, Scalar]]
    end: int = 0
    inner_end: int = 0
    children: "list[_Element]" = field(default_factory=list)
    has_text: bool = False


def read_xml(text: str) -> Parsed:
    """Return the records or paragraphs of the XML. What is no XML or declares entities is read as text, with a warning."""
    try:
        reader = _Reader(text)
        root = reader.read()
    except NotRecords as error:
        return as_text(text, "XML", error)
    if _is_document(text, root):
        return Parsed(text, _prose_blocks(text, root))
    return Parsed(
        text, _with_prolog(text, root, tree_blocks(text, [_value_of(text, root)], _remarks(text, reader.comments)))
    )


class _Reader:
    """Reads the elements."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._data = text.encode("utf-8")
        self._is_ascii = len(self._data) == len(text)
        self._byte = self._place = 0  # the last place that was asked for
        self._open: list[_Element] = []
        self._root: _Element | None = None
        self._count = 0
        self.comments: list[Span] = []
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.CommentHandler = self._comment
        self._parser.EntityDeclHandler = self._entity
        self._parser.buffer_text = True

    def read(self) -> _Element:
        """Return the root. Raises `NotRecords`."""
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise NotRecords(str(error)) from error
        assert self._root is not None
        return self._root

    def _at(self) -> int:
        """The place in the text where the event stands."""
        byte = self._parser.CurrentByteIndex
        if self._is_ascii:
            return byte
        if byte < self._byte:
            self._byte = self._place = 0
        self._place += len(self._data[self._byte : byte].decode("utf-8"))
        self._byte = byte
        return self._place

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._at()
        self._count += 1 + len(attributes)
        if len(self._open) >= MAX_DEPTH or self._count > MAX_VALUES:
            raise NotRecords(f"it is nested deeper than {MAX_DEPTH} or holds more than {MAX_VALUES:,} values")
        position = start + 1 + len(name)
        match = _TAG_END.match(self._text, position)
        inner = match.end() if match else position
        found = [
            (Span(*match.span(1)), _scalar(self._text, *match.span(2 if match.group(2) is not None else 3)))
            for match in _ATTRIBUTE.finditer(self._text, position, inner)
            if not _NOT_SHOWN.intersection(match.group(1).split(":"))
        ]
        element = _Element(Span(start + 1, start + 1 + len(name)), start, inner, found)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        place = self._at()
        is_empty = self._text.startswith("/>", element.inner - 2)
        element.inner_end = element.inner if is_empty else place
        element.end = element.inner if is_empty else self._text.find(">", place) + 1

    def _characters(self, data: str) -> None:
        if self._open and data.strip():
            self._open[-1].has_text = True

    def _comment(self, data: str) -> None:
        start = self._at()
        self.comments.append(Span(start, self._text.find("-->", start) + 3))

    def _entity(self, *_: object) -> None:
        raise NotRecords("it declares entities, which are not followed")


def _scalar(text: str, start: int, end: int) -> Scalar:
    """The text between two places, without white space around it and with its entities as what they stand for."""
    body = text[start:end]
    start += len(body) - len(body.lstrip())
    end = start + len(body.strip())
    found = [Replaced(m.start(), m.end(), _entity_text(m.group())) for m in _ENTITY.finditer(text, start, end)]
    return Scalar(start, end, found)


def _entity_text(entity: str) -> str:
    if entity.startswith("&#"):
        number = int(entity[3:-1], 16) if entity[2] == "x" else int(entity[2:-1])
        return chr(number) if number < 0x110000 else "\ufffd"
    return _ENTITIES.get(entity, "")


def _is_document(text: str, root: _Element) -> bool:
    """Whether the text that stands among elements is in paragraphs by name, or is half of all the values."""
    mixed = values = 0
    stack = [root]
    while stack:
        element = stack.pop()
        values += len(element.attributes)
        if not (element.has_text and element.children):
            values += element.has_text
            stack += element.children
            continue
        mixed += 1
        if _bare_name(text, element) in _PROSE:
            return True
    return mixed > 0 and mixed >= values


def _bare_name(text: str, element: _Element) -> str:
    return text[element.name.start : element.name.end].rsplit(":", maxsplit=1)[-1].lower()


def _prose(text: str, element: _Element) -> Scalar:
    """What an element with text among its children says, without their tags."""
    scalar = _scalar(text, element.inner, element.inner_end)
    tags = (Replaced(*match.span()) for match in _TAG.finditer(text, scalar.start, scalar.end))
    marks = sorted([*tags, *scalar.replaced])
    return Scalar(scalar.start, scalar.end, marks, is_prose=True)


def _value_of(text: str, element: _Element, *, is_item: bool = False) -> Value:
    """An element of a data file as an object; one with nothing but text as a scalar."""
    is_mixed = element.has_text and bool(element.children)
    if not element.attributes and (is_mixed or not element.children):
        return _prose(text, element) if is_mixed else _scalar(text, element.inner, element.inner_end)
    value = Mapping(element.start, element.end, [*element.attributes], is_item)
    if is_mixed:
        value.entries.append((element.name, _prose(text, element)))
        return value
    if not element.children:
        body = _scalar(text, element.inner, element.inner_end)
        value.entries.append((element.name, body))
        return value
    names = Counter(text[child.name.start : child.name.end] for child in element.children)
    for child in element.children:
        repeats = names[text[child.name.start : child.name.end]] > 1
        value.entries.append((child.name, _value_of(text, child, is_item=repeats)))
    return value


def _remarks(text: str, comments: list[Span]) -> list[Remark]:
    found: list[Remark] = []
    for start, end in comments:
        is_markup = "<" in text[start + 4 : end]
        found.append(Remark(start, end, (Span(start, start + 4), Span(end - 3, end)), is_markup))
    return found


def _with_prolog(text: str, root: _Element, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks, with what stands before the root marked, so that it is not read as prose."""
    end = len(text[: root.start].rstrip())
    match = _DECLARATION.match(text, 0, end)
    if match is None:
        return blocks
    moved = tuple(_moved(block) for block in blocks)
    return (Block(Kind.MARKUP, 0, match.end()), *moved)


def _moved(block: Block) -> Block:
    return block if block.parent is None else replace(block, parent=block.parent + 1)


def _prose_blocks(text: str, root: _Element) -> tuple[Block, ...]:
    """The blocks of a document: headings, and a paragraph for each element that holds text."""
    builder = BlockBuilder(text)
    position = 0
    stack: list[tuple[_Element, int]] = [(root, 0)]
    while stack:
        element, depth = stack.pop()
        if element.start > position:
            builder.add(Kind.MARKUP, position, element.start)
        position = max(position, element.start)
        if not element.has_text:
            builder.add(Kind.MARKUP, element.start, element.inner)
            position = element.inner
            stack += [(child, depth + 1) for child in reversed(element.children)]
            continue
        scalar = _prose(text, element)
        name = _bare_name(text, element)
        builder.add(Kind.MARKUP, position, scalar.start)
        facts = {"level": min(6, max(1, depth))} if name in _HEADINGS else {}
        builder.open(Kind.HEADING if name in _HEADINGS else Kind.PARAGRAPH, scalar.start, **facts)
        for mark in scalar.replaced:
            builder.add(Kind.MARKUP, mark.start, mark.end, marker=mark.text)
        builder.close(scalar.end)
        builder.add(Kind.MARKUP, scalar.end, element.end)
        position = element.end
    if text[position:].strip():
        builder.add(Kind.MARKUP, position, len(text))
    return builder.finish()
