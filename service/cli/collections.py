"""The commands `quoth collections ...`: list, show and verify, export, import, move, rename, drop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from index.errors import IndexingError, LedgerDamaged
from index.records import CollectionState, DocumentSummary
from service.cli.console import JsonOption, library_of, quiet_settings
from service.cli.rendering import Line, clean, earlier_lines, readable, show

if TYPE_CHECKING:
    from index.library import Library
    from index.maintenance.integrity import IntegrityProblem

app = typer.Typer(
    help="List collections; show, verify, export, import, move, rename or drop one.", no_args_is_help=False
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The collection.", show_default=False)]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Check every text, chunk and vector. Exit code 1: something is damaged.")
]

MAX_SHOWN_OF_A_PLACE = 20


@app.callback(invoke_without_command=True)
def overview(context: typer.Context, verify: VerifyOption = False, as_json: JsonOption = False) -> None:
    """List the collections with their sizes."""
    if context.invoked_subcommand is not None:
        return
    library = _library()
    states, unreadable, opened = [], [], []
    for name in library.names():
        try:
            collection = library.open(name)
            opened.append(name)
            states.append(collection.state())
        except IndexingError as error:
            unreadable.append(str(error))
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in states], indent=2))
    elif states or not unreadable:
        show(Console(), overview_lines(states))
    show(Console(stderr=True), unreadable_lines(unreadable))
    if verify:
        _verify(library, opened)
    if unreadable:
        raise typer.Exit(1)


@app.command("show")
def describe(name: NameArgument, verify: VerifyOption = False, as_json: JsonOption = False) -> None:
    """Show a collection: its sizes, its encoder, its documents, and what was not read of them."""
    from service.composition.jobs import earlier_readings

    settings = quiet_settings()
    library = library_of(settings)
    collection = library.open(name)
    try:
        state, documents = collection.state(), collection.documents.list()
        warnings, earlier = collection.documents.warnings(), earlier_readings(settings, collection)
    except LedgerDamaged:
        if verify:
            _verify(library, [name])
        raise
    if as_json:
        typer.echo(
            json.dumps(
                {
                    **asdict(state),
                    "earlier": asdict(earlier),
                    "listed": [
                        {**asdict(document), "warnings": warnings.get(document.id, ())} for document in documents
                    ],
                },
                indent=2,
                default=sorted,
            )
        )
    else:
        show(Console(), description_lines(state, documents))
        show(Console(), document_warning_lines(documents, warnings))
        show(Console(), earlier_lines(earlier))
    if verify:
        _verify(library, [name])


@app.command("export")
def export(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; it must not be there yet.")],
) -> None:
    """Write a collection into one file, with its vectors and a checksum."""
    manifest = _library().open(name).export(file)
    show(Console(), transfer_lines("Exported", manifest.name, manifest.documents, manifest.chunks))


@app.command("import")
def import_collection(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `quoth collections export` wrote.")],
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Name to import it under.", show_default="its own")
    ] = None,
) -> None:
    """Make a collection from an exported file. A damaged file is refused."""
    library = _library()
    imported = library.import_from(file, name)
    state = library.open(imported).state()
    show(Console(), transfer_lines("Imported", state.name, state.documents, state.chunks))


@app.command("move")
def move(
    name: NameArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="PLACE",
            help="A home folder, or a database: postgresql://user:password@host/name.",
            show_default=False,
        ),
    ],
) -> None:
    """Move a collection to another home or into a database, or back, with its vectors and uploaded files.

    Until it is there, it is asked here, and takes no changes. If the command is stopped, run it again: it goes on.
    """
    from service.composition.moving import move_collection

    moved, there = move_collection(quiet_settings(), name, to)
    state = there.state()
    verb = "Moved" if moved else "Not here any more, but there already:"
    show(Console(), transfer_lines(verb, state.name, state.documents, state.chunks))


@app.command("rename")
def rename(
    name: NameArgument,
    title: Annotated[str, typer.Argument(metavar="TITLE", help='How it is shown; "" shows its name again.')],
) -> None:
    """Give a collection a title to be shown by. Its name stays: keys, settings and addresses refer to that."""
    collection = _library().open(name)
    collection.rename(title)
    show(Console(), renamed_lines(collection.state()))


@app.command("drop")
def drop(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a collection with all its documents and old versions. Uploaded files go with it; files in your folders stay."""
    from service.composition.jobs import drop_collection

    settings = quiet_settings()
    library = library_of(settings)
    library.require(name)
    if not yes:
        typer.confirm(f"Delete the collection {name!r} for good?", abort=True)
    drop_collection(settings, library, name)
    show(Console(), dropped_lines(name))


def _verify(library: Library, names: list[str]) -> None:
    """Show the problems of each collection. Exit code 1 if anything is damaged; a changed file is no damage."""
    broken = False
    for name in names:
        problems = library.open(name).verify()
        show(Console(), verdict_lines(name, problems))
        broken = broken or any(problem.place != "files" for problem in problems)
    if broken:
        raise typer.Exit(1)


def _library() -> Library:
    return library_of(quiet_settings())


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
    """Why collections cannot be opened; each message names its collection."""
    for message in messages:
        yield Line(0, Text(clean(message), "red"))


def description_lines(state: CollectionState, documents: Sequence[DocumentSummary]) -> Iterator[Line]:
    """A collection's sizes and encoder, then its documents."""
    waiting = f", {state.pending_vectors:,} still to come" if state.pending_vectors else ""
    for label, value in (
        *([] if state.title == state.name else [("title", state.title)]),
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
        rows += [
            (f"{document.chunks:,}", f"{document.characters:,}", clean(readable(document.uri)))
            for document in documents
        ]
        yield from _table(rows, left=2)


def document_warning_lines(
    documents: Sequence[DocumentSummary], warnings: Mapping[str, Sequence[str]]
) -> Iterator[Line]:
    """What was not read of the documents, or may be wrong in them; `warnings` by the documents' ids."""
    if warnings:
        yield Line(0, Text(""))
    for document in documents:
        for warning in warnings.get(document.id, ()):
            yield Line(0, Text(clean(readable(document.uri)), "bold") + Text(clean(f": {warning}"), "yellow"))


def verdict_lines(name: str, problems: Sequence[IntegrityProblem]) -> Iterator[Line]:
    """Whether a collection is sound, else each problem, with one fix for each part."""
    damaged = any(problem.place != "files" for problem in problems)
    sign, style = ("✗", "bold red") if damaged else ("!", "yellow") if problems else ("✓", "green")
    verdict = "is damaged" if damaged else "is sound; files changed since" if problems else "is sound"
    yield Line(0, Text(f"{sign} ", style) + Text(f"{name} {verdict}", "bold"))
    for place, group in groupby(problems, key=lambda problem: problem.place):
        of_place = list(group)
        for problem in of_place[:MAX_SHOWN_OF_A_PLACE]:
            yield Line(2, Text(f"{place}: ", style) + Text(clean(problem.what)))
        if len(of_place) > MAX_SHOWN_OF_A_PLACE:
            yield Line(2, Text(f"... and {len(of_place) - MAX_SHOWN_OF_A_PLACE:,} more."))
        yield Line(2, Text(f"→ {of_place[0].fix}", style))


def transfer_lines(verb: str, name: str, documents: int, chunks: int) -> Iterator[Line]:
    """The name and size of a collection that was exported or imported."""
    parts = [
        f"{count:,} {one}{'' if count == 1 else 's'}" for count, one in ((documents, "document"), (chunks, "chunk"))
    ]
    yield Line(0, Text(f"{verb} {name}: {', '.join(parts)}."))


def renamed_lines(state: CollectionState) -> Iterator[Line]:
    """Say how a collection is shown from now on."""
    yield Line(0, Text(f"{state.name} is shown as {clean(state.title)}."))


def dropped_lines(name: str) -> Iterator[Line]:
    """Say that a collection was dropped."""
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
    """Columns two spaces apart, right-aligned but for the column `left`; the first row is the header."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column == left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield Line(0, Text("  ".join(cells).rstrip(), "bold" if not number else ""))
