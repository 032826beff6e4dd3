"""The rows of a table in an RTF file -> its cells with their columns and spans. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from index.formats.nodes import Node, Part
from index.formats.table_grid import GridCell

_SAME_EDGE = 60  # edges closer than this many twips (1/20 point) are one


@dataclass(slots=True)
class CellPlan:
    """What the definition of a row says of a cell: its right edge in twips, and whether it goes on from a neighbour."""

    edge: int = 0
    joins_left: bool = False
    begins_down: bool = False
    joins_above: bool = False


@dataclass(slots=True)
class Row:
    """A row: the plan of its cells, and what they hold."""

    plan: list[CellPlan] = field(default_factory=list)
    cells: list[list[Part]] = field(default_factory=list)
    is_header: bool = False
    bold: list[bool] = field(default_factory=list)


def grid_of(rows: Sequence[Row]) -> list[GridCell]:
    """Return the cells of the rows at their places. Columns follow from the edges, which differ where cells are joined."""
    edges = _edges([plan.edge for row in rows for plan in row.plan[: len(row.cells)]])
    cells: list[GridCell] = []
    above: dict[int, GridCell] = {}
    for number, row in enumerate(rows):
        left = 0
        last: GridCell | None = None
        for place, content in enumerate(row.cells):
            plan = row.plan[place] if place < len(row.plan) else CellPlan()
            right = max(left + 1, _place(edges, plan.edge) + 1) if place < len(row.plan) else left + 1
            if plan.joins_left and last is not None:
                last.column_span = right - last.column
                last.content += content
            elif plan.joins_above and left in above:
                above[left].row_span = number - above[left].row + 1
            else:
                is_strong = place < len(row.bold) and row.bold[place]
                last = GridCell(number, left, content, 1, right - left, row.is_header, is_strong)
                cells.append(last)
                above.pop(left, None)
                if plan.begins_down:
                    above[left] = last
            left = right
    return cells


def is_filled(row: Row) -> bool:
    """Whether some cell of the row holds text."""
    return any(Node(None, content).plain().strip() for content in row.cells)


def _edges(found: Sequence[int]) -> list[int]:
    edges: list[int] = []
    for edge in sorted(set(found)):
        if not edges or edge - edges[-1] > _SAME_EDGE:
            edges.append(edge)
    return edges


def _place(edges: Sequence[int], edge: int) -> int:
    """The number of the edge, or of the one that it counts as."""
    place = bisect_left(edges, edge)
    if place < len(edges) and edges[place] == edge:
        return place
    return max(0, place - 1)
