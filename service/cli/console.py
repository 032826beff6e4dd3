"""What commands share: options, exit codes, quiet settings, and the consoles that they print to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console

from service.observability.logs import configure
from service.settings import LogLevel, Settings, load

if TYPE_CHECKING:
    from index.library import Library

_QUIET: LogLevel = "warning"

CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Collection to use.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def quiet_settings(**overrides: Any) -> Settings:
    """The settings of a command whose output a person reads: only warnings are logged."""
    settings = load(**overrides)
    configure(_QUIET)
    return settings


def library_of(settings: Settings) -> Library:
    """The collections in the home folder."""
    from service.composition.library import open_library

    return open_library(settings)


def stdout() -> Console:
    """Standard output."""
    return Console()


def stderr() -> Console:
    """Standard error."""
    return Console(stderr=True)


def print_json(model: BaseModel) -> None:
    """Print a pydantic model as JSON."""
    typer.echo(json.dumps(model.model_dump(mode="json"), ensure_ascii=False, indent=2))
