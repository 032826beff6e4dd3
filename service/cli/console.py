"""What the commands share: their options, the settings of a command, where they print, and how they bring in the engines."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from service.observability.logs import configure
from service.settings import LogLevel, Settings, load

if TYPE_CHECKING:
    from index.library import Library

INTERRUPTED = 130
"""The exit code of a command that was stopped with Ctrl-C."""

_QUIET: LogLevel = "warning"

CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Collection to use.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def quiet_settings(**overrides: Any) -> Settings:
    """The settings for a command whose output a person reads: only warnings are logged."""
    settings = load(**overrides)
    configure(_QUIET)
    return settings


def late(module: str) -> Any:
    """A module that brings in the engines (torch alone takes seconds), imported when a command needs it, not for help."""
    return importlib.import_module(module)


def library_of(settings: Settings) -> Library:
    """The collections in the home folder."""
    library: Library = late("service.composition.library").open_library(settings)
    return library


def stdout() -> Console:
    """Standard output."""
    return Console()


def stderr() -> Console:
    """Standard error."""
    return Console(stderr=True)


def print_json(model: Any) -> None:
    """Print a pydantic model."""
    typer.echo(json.dumps(model.model_dump(mode="json"), ensure_ascii=False, indent=2))
