"""What the commands of `quoth eval` share: modules loaded late, options, progress bars, and how errors are told."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from evaluation.errors import EvaluationError
from index.errors import IndexingError
from service.errors import ServiceError

OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for what is written.")]
CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Collection that holds the documents already.")
]


@contextmanager
def watching() -> Iterator[Callable[..., Callable[..., None]]]:
    """Progress bars on standard error, one a stage, with the time that is left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:

        def stage(name: str, total: int | None = None) -> Callable[..., None]:
            bar = bars.add_task(name, total=total)

            def advance(done: int, of: int | None = None) -> None:
                bars.update(bar, completed=done, total=of or total)

            return advance

        yield stage


@contextmanager
def reported() -> Iterator[None]:
    """Expected errors are one line on standard error and exit code 1; anything else is a fault of Quoth and shows as one."""
    try:
        yield
    except (EvaluationError, ServiceError, IndexingError) as error:
        typer.echo(f"quoth eval: {error}", err=True)
        raise typer.Exit(1) from error


def chosen(option: str, value: str | None, choices: Any) -> str | None:
    """The value if it is one of a Literal's, else a usage error that lists them."""
    allowed = choices.__args__
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}.", param_hint=option)
    return value


def late(module: str) -> Any:
    """A module, loaded now: `quoth eval --help` does not wait for models and plots."""
    return importlib.import_module(module)
