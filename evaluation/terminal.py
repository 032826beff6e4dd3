"""Shared parts of the `quoth eval` commands: options, progress bars and error reporting."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evaluation.errors import EvaluationError
from index.errors import IndexingError
from service.errors import ServiceError

OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for what is written.")]
CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Collection that holds the documents already.")
]
ChoiceT = TypeVar("ChoiceT", bound=str)


@contextmanager
def progress_bars() -> Iterator[Callable[..., Callable[..., None]]]:
    """Show progress bars on standard error, one for each stage, with the time that is left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def stage(name: str, total: int | None = None) -> Callable[..., None]:
            bar = bars.add_task(name, total=total)

            def advance(done: int, of: int | None = None) -> None:
                bars.update(bar, completed=done, total=of or total)

            return advance

        yield stage


@contextmanager
def report_errors() -> Iterator[None]:
    """Report an expected error as one line on standard error, exit code 1; let others through as bugs of Quoth."""
    try:
        yield
    except (EvaluationError, ServiceError, IndexingError) as error:
        typer.echo(f"quoth eval: {error}", err=True)
        raise typer.Exit(1) from error


def require_choice(option: str, value: str, choices: Sequence[ChoiceT]) -> ChoiceT:
    """The value as one of `choices`; any other value is a usage error that lists them."""
    for choice in choices:
        if choice == value:
            return choice
    raise typer.BadParameter(f"{value!r} is not one of {', '.join(choices)}.", param_hint=option)
