"""A chart of an Office file -> its title and the stored figures of its series, as a table. Pure."""

from typing import Any

from index.blocks.block import Kind
from index.formats.nodes import Node
from index.formats.office.number_formats import shown
from index.formats.table_grid import GridCell, add_table

_MAX_POINTS = 2_000


def add_chart(parent: Node, root: Any) -> None:
    """Append the chart with that root element: a table with a row for each category and a column for each series."""
    title = _text(root.find("{*}chart/{*}title"))
    cells: list[GridCell] = []
    rows: dict[int, str] = {}
    for column, series in enumerate(root.iter("{*}ser"), 1):
        name = _text(series.find("{*}tx"))
        cells.append(GridCell(0, column, [name] if name else [f"Series {column}"]))
        for place, text in _points(series, ("{*}cat", "{*}xVal")).items():
            rows.setdefault(place, text)
        for place, text in _points(series, ("{*}val", "{*}yVal")).items():
            rows.setdefault(place, str(place + 1))
            cells.append(GridCell(place + 1, column, [text], is_figure=True))
    if not rows:
        if title:
            parent.add(Kind.PARAGRAPH, title)
        return
    cells += [GridCell(place + 1, 0, [text]) for place, text in rows.items()]
    ordered = sorted([*cells, GridCell(0, 0)], key=lambda cell: (cell.row, cell.column))
    add_table(parent, ordered, caption=[title] if title else (), header_rows=1)


def _points(series: Any, names: tuple[str, str]) -> dict[int, str]:
    holder = next((found for name in names if (found := series.find(name)) is not None), None)
    points: dict[int, str] = {}
    if holder is None:
        return points
    stated = holder.find(".//{*}formatCode")
    code = (stated.text if stated is not None else None) or "General"
    for point in holder.iter("{*}pt"):
        place, value = point.get("idx", ""), point.findtext("{*}v") or ""
        if place.isdigit() and int(place) < _MAX_POINTS and int(place) not in points:
            points[int(place)] = _shown(value, point.get("formatCode", code))
    return points


def _shown(value: str, code: str) -> str:
    try:
        return shown(float(value), code)
    except ValueError:
        return value


def _text(element: Any) -> str:
    """The text of a title or name, written in it or stored from a sheet."""
    if element is None:
        return ""
    written = "".join(part.text or "" for part in element.iter("{*}t"))
    return " ".join((written or " ".join(part.text or "" for part in element.iter("{*}v"))).split())
