"""The layouts and masters of a presentation -> where a placeholder stands and how its paragraphs are marked. Pure."""

from typing import Any, NamedTuple

from index.formats.office.office_package import Package
from index.formats.office.reading_order import Box

_BODY = frozenset({"body", "obj", "", "subTitle", "tbl", "chart", "pic", "clipArt", "dgm", "media"})


class Placeholder(NamedTuple):
    """What a shape fills in of the layout: the kind and the number of its place."""

    kind: str
    number: str
    is_there: bool


def placeholder_of(shape: Any) -> Placeholder:
    """Return the placeholder that the shape fills; `is_there` says whether it fills one."""
    for holder in shape:
        found = holder.find("{*}nvPr/{*}ph")
        if found is not None:
            return Placeholder(found.get("type", ""), found.get("idx", ""), True)
        if holder.tag.endswith("Pr"):
            break
    return Placeholder("", "", False)


class Layouts:
    """The layouts of a presentation, read once each."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._chains: dict[str, list[Any]] = {}

    def box(self, layout: str, placeholder: Placeholder) -> Box | None:
        """Return where the placeholder stands by the layout or its master; None if neither says it."""
        for shape in self._shapes(layout, placeholder):
            offset, size = shape.find("{*}spPr/{*}xfrm/{*}off"), shape.find("{*}spPr/{*}xfrm/{*}ext")
            if offset is not None and size is not None:
                left, top = _number(offset, "x"), _number(offset, "y")
                return Box(left, top, left + _number(size, "cx"), top + _number(size, "cy"))
        return None

    def styles(self, layout: str, placeholder: Placeholder) -> list[Any]:
        """Return the styles of the paragraphs by the layout and the master, the closest first."""
        styles = [shape.find("{*}txBody/{*}lstStyle") for shape in self._shapes(layout, placeholder)]
        if placeholder.kind in _BODY and placeholder.kind != "subTitle":
            styles += [tree.find("{*}txStyles/{*}bodyStyle") for tree in self._chain(layout)]
        return [style for style in styles if style is not None]

    def _shapes(self, layout: str, placeholder: Placeholder) -> list[Any]:
        """The shapes of the layout and of its master that the placeholder takes after."""
        if not placeholder.is_there:
            return []
        found: list[Any] = []
        for depth, tree in enumerate(self._chain(layout)):
            for shape in tree.iterfind("{*}cSld/{*}spTree/{*}sp"):
                other = placeholder_of(shape)
                is_same = other.kind == placeholder.kind or {other.kind, placeholder.kind} <= {"body", "obj", ""}
                if other.is_there and is_same and (depth or other.number == placeholder.number):
                    found.append(shape)
                    break
        return found

    def _chain(self, layout: str) -> list[Any]:
        if layout not in self._chains:
            relations = self._package.relations(layout) if layout else {}
            master = next((relation.target for relation in relations.values() if relation.kind == "slideMaster"), "")
            trees = [self._package.tree(part) for part in (layout, master) if part]
            self._chains[layout] = [tree for tree in trees if tree is not None]
        return self._chains[layout]


def _number(element: Any, name: str) -> int:
    text = element.get(name, "0")
    return int(text) if text.lstrip("-").isdigit() and len(text) < 16 else 0
