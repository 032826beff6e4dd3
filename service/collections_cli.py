"""The commands `quoth collections ...`: list, show and verify, export, import, drop."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from index.errors import IndexingError
from service.collection_lines import (
    description_lines,
    dropped_lines,
    overview_lines,
    transfer_lines,
    unreadable_lines,
    verdict_lines,
)
from service.console import JsonOption
from service.logs import configure
from service.rendering import show
from service.settings import load

if TYPE_CHECKING:  # these modules bring in the engines, which `quoth --help` should not wait for
    from index.library import Library

app = typer.Typer(help="List collections; show, verify, export, import or drop one.", no_args_is_help=False)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The collection.", show_default=False)]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Check every text, chunk and vector. Exit code 1: something is damaged.")
]


@app.callback(invoke_without_command=True)
def overview(context: typer.Context, verify: VerifyOption = False, as_json: JsonOption = False) -> None:
    """List the collections with their sizes."""
    if context.invoked_subcommand is not None:
        return
    library = _library()
    states, unreadable = [], []
    for name in library.names():
        try:
            states.append(library.open(name).state())
        except IndexingError as error:
            unreadable.append(str(error))
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in states], indent=2))
    else:
        show(Console(), overview_lines(states))
    show(Console(stderr=True), unreadable_lines(unreadable))
    if verify:
        _verify(library, [state.name for state in states], broken=bool(unreadable))


@app.command("show")
def describe(name: NameArgument, verify: VerifyOption = False, as_json: JsonOption = False) -> None:
    """Show a collection: its sizes, its encoder and its documents."""
    library = _library()
    collection = library.open(name)
    state, documents = collection.state(), collection.documents()
    if as_json:
        typer.echo(
            json.dumps(
                {**asdict(state), "listed": [asdict(document) for document in documents]}, indent=2, default=sorted
            )
        )
    else:
        show(Console(), description_lines(state, documents))
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
def take_in(
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


@app.command("drop")
def drop(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a collection with all its documents and their old versions. The files themselves stay."""
    library = _library()
    library.require(name)
    if not yes:
        typer.confirm(f"Delete the collection {name!r} for good?", abort=True)
    library.drop(name)
    show(Console(), dropped_lines(name))


def _verify(library: Library, names: list[str], *, broken: bool = False) -> None:
    """Show what is wrong with each; exit code 1 if anything is damaged. A file that changed is no damage."""
    for name in names:
        found = library.open(name).verify()
        show(Console(), verdict_lines(name, found))
        broken = broken or any(finding.place != "files" for finding in found)
    if broken:
        raise typer.Exit(1)


def _library() -> Library:
    configure("warning")
    library: Library = importlib.import_module("service.libraries").open_library(load())
    return library
