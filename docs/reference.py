"""The generated parts of docs/. `make docs` writes them into the pages through cog; `make lint` fails when a page differs."""

from collections.abc import Iterator
from typing import Any

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from evaluation.cli import app as evaluation
from quoth import app
from service.environment import PREFIX
from service.observability.metrics import Metrics
from service.settings import Settings

_WIDTH = 110


def settings_table(*names: str) -> str:
    """A row for each of the settings, all of them if none is named: its variable, its default and its meaning."""
    rows = ["| Setting | Default | Meaning |", "| --- | --- | --- |"]
    for name in names or Settings.model_fields:
        field = Settings.model_fields[name]
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(field)} | {meaning} |")
    return "\n".join(rows)


def metrics_table() -> str:
    """A row for each metric: its name, its kind and its meaning."""
    rows = ["| Metric | Kind | Meaning |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in Metrics().descriptions()]
    return "\n".join(rows)


def commands() -> str:
    """A section for each command with its help, as `--help` prints it."""
    sections = [*_sections(app, "quoth"), *_sections(evaluation, "quoth eval")]
    return "\n\n".join(sections)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the platform's folder for user data"
    if field.default in (None, ()) or isinstance(field.default, SecretStr):
        return ""
    value = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sections(group: typer.Typer, name: str) -> Iterator[str]:
    yield from _of(typer.main.get_command(group), name, None)


def _of(command: Any, name: str, parent: Any) -> Iterator[str]:
    command.rich_markup_mode = None  # plain text, without boxes
    context = command.make_context(name, ["--"], parent=parent, resilient_parsing=True, terminal_width=_WIDTH)
    subcommands = getattr(command, "commands", {})
    if parent is not None or not subcommands:
        lines = command.get_help(context).rstrip().splitlines()
        yield "\n".join([f"## {context.command_path}", "", *(f"    {line}".rstrip() for line in lines)])
    for word, subcommand in subcommands.items():
        if word != "eval" and not subcommand.hidden:
            yield from _of(subcommand, word, context)
