"""What the terminal shows of collections. Values in, styled lines out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from service.rendering import Line, clean, readable

if TYPE_CHECKING:  # these modules bring in the engines, which `quoth --help` should not wait for
    from index.maintenance.integrity import Finding
    from index.records import CollectionState, DocumentSummary

SHOWN_OF_A_PLACE = 20


def overview_lines(states: Sequence[CollectionState]) -> Iterator[Line]:
    """A table of the collections."""
    if not states:
        yield Line(0, Text("No collection yet. quoth index FOLDER makes one."))
        return
    rows = [("collection", "documents", "chunks", "vectors", "size")]
    for state in states:
        numbers = (f"{state.documents:,}", f"{state.chunks:,}", f"{state.vectors:,}")
        rows.append((state.name, *numbers, readable_size(state.bytes_on_disk)))
    yield from _table(rows)


def unreadable_lines(messages: Sequence[str]) -> Iterator[Line]:
    """Why collections cannot be opened; each message names its own."""
    for message in messages:
        yield Line(0, Text(clean(message), "red"))


def description_lines(state: CollectionState, documents: Sequence[DocumentSummary]) -> Iterator[Line]:
    """A collection's sizes and encoder, then its documents."""
    waiting = f", {state.pending_vectors:,} still to come" if state.pending_vectors else ""
    for label, value in (
        ("documents", f"{state.documents:,}"),
        ("chunks", f"{state.chunks:,}"),
        ("vectors", f"{state.vectors:,}{waiting}"),
        ("encoder", state.encoder),
        ("size", readable_size(state.bytes_on_disk)),
    ):
        yield Line(0, Text(f"{label:<10}", "bold") + Text(clean(value)))
    if documents:
        yield Line(0, Text(""))
        rows = [("chunks", "characters", "document")]
        rows += [(f"{found.chunks:,}", f"{found.characters:,}", clean(readable(found.uri))) for found in documents]
        yield from _table(rows, left=2)


def verdict_lines(name: str, findings: Sequence[Finding]) -> Iterator[Line]:
    """That a collection is sound, or everything that is not, with what to do once for each part."""
    damaged = any(finding.place != "files" for finding in findings)
    sign, style = ("✗", "bold red") if damaged else ("!", "yellow") if findings else ("✓", "green")
    said = "is damaged" if damaged else "is sound; files changed since" if findings else "is sound"
    yield Line(0, Text(f"{sign} ", style) + Text(f"{name} {said}", "bold"))
    for place, group in groupby(findings, key=lambda finding: finding.place):
        of_place = list(group)
        for finding in of_place[:SHOWN_OF_A_PLACE]:
            yield Line(2, Text(f"{place}: ", style) + Text(clean(finding.what)))
        if len(of_place) > SHOWN_OF_A_PLACE:
            yield Line(2, Text(f"... and {len(of_place) - SHOWN_OF_A_PLACE:,} more."))
        yield Line(2, Text(f"→ {of_place[0].mend}", style))


def transfer_lines(verb: str, name: str, documents: int, chunks: int) -> Iterator[Line]:
    """What an export or import moved."""
    parts = [
        f"{count:,} {one}{'' if count == 1 else 's'}" for count, one in ((documents, "document"), (chunks, "chunk"))
    ]
    yield Line(0, Text(f"{verb} {name}: {', '.join(parts)}."))


def dropped_lines(name: str) -> Iterator[Line]:
    """That a collection is gone."""
    yield Line(0, Text(f"Dropped {name}."))


def readable_size(size: int) -> str:
    """Bytes in the largest unit that leaves at least 1: '3.2 MB' (powers of 1,000)."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def _table(rows: Sequence[Sequence[str]], left: int = 0) -> Iterator[Line]:
    """Columns two spaces apart, numbers to the right, the column `left` to the left; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column == left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield Line(0, Text("  ".join(cells).rstrip(), "bold" if not number else ""))
