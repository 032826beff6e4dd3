"""The command `quoth replay`: would the question be answered the same today? Exit codes: 0 it would; 1 not, or an error."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from service.cli.console import JsonOption
from service.cli.rendering import Line, clean, show
from service.observability.logs import configure
from service.settings import load

if TYPE_CHECKING:  # brings in the engines, which `quoth --help` should not wait for
    from service.audit.replay import Change, Replay


def replay(
    id: Annotated[str, typer.Argument(metavar="ANSWER_ID", help="The field `id` of an answer.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Ask a kept answer's question again over the same passages, and show what changed. Exit code 0: nothing in the answer."""
    settings = load()
    configure("warning")
    store = _late("service.storage.conversations").ConversationStore(
        _late("service.storage.database").Database(settings.store_url)
    )
    stored = store.answer(id, owner=None)
    found: Replay = _late("service.audit.replay").replay(
        stored, _late("service.composition.service").assemble(settings)
    )
    if as_json:
        answer = _late("service.api.schemas.answers").AnswerOut.of(found.answer).model_dump(mode="json")
        changes = {"made_with": _dicts(found.made_with), "answer_changes": _dicts(found.answer_changes)}
        typer.echo(json.dumps({**changes, "answer": answer}, ensure_ascii=False, indent=2))
    else:
        show(Console(), replay_lines(found))
    if found.answer_changes:
        raise typer.Exit(1)


def replay_lines(replay: Replay) -> Iterator[Line]:
    """Whether the answer is the same, then each change: what was (-), and what is (+)."""
    if replay.answer_changes:
        yield Line(0, Text("✗ the answer is another one", "bold red"))
    else:
        yield Line(0, Text("✓ the same answer", "green"))
    yield from _change_lines(replay.answer_changes)
    if replay.made_with:
        yield Line(0, Text("Made with something else than then:", "dim"))
    yield from _change_lines(replay.made_with)


def _change_lines(changes: tuple[Change, ...]) -> Iterator[Line]:
    for change in changes:
        yield Line(2, Text(clean(change.what), "bold"))
        if change.then is not None:
            yield Line(4, Text(f"- {clean(change.then)}", "red"))
        if change.now is not None:
            yield Line(4, Text(f"+ {clean(change.now)}", "green"))


def _dicts(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [asdict(change) for change in changes]


def _late(module: str) -> Any:
    return importlib.import_module(module)
