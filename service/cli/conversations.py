"""The commands `quoth conversations ...`: list, show, rename, delete, export. They cover the conversations of all owners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from service.cli.console import JsonOption, library_of
from service.cli.rendering import Line, answer_lines, clean, show
from service.errors import RecordDamaged, RecordMissing
from service.observability.logs import configure
from service.settings import load

if TYPE_CHECKING:
    from service.storage.conversation_list import Conversation, ConversationList
    from service.storage.conversations import ConversationStore

app = typer.Typer(help="List conversations; show, rename, delete or export them.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The conversation's id.", show_default=False)]


@app.command("list")
def list_conversations(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many to list.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List conversations, the one used last first."""
    conversations, _ = _open()
    page = conversations.page(limit, owner=None)
    if as_json:
        from service.schemas.conversations import ConversationOut, ConversationsResponse

        records = tuple(map(ConversationOut.of, page.conversations))
        typer.echo(ConversationsResponse(conversations=records, next_cursor=page.next_cursor).model_dump_json(indent=2))
    else:
        show(Console(), conversation_lines(page.conversations, more=page.next_cursor is not None))


@app.command("show")
def show_conversation(id: IdArgument, as_json: JsonOption = False) -> None:
    """Show a conversation: its questions, and its answers with their sources."""
    conversations, store = _open()
    conversation, answers = conversations.get(id, owner=None), store.answers(id, owner=None)
    if as_json:
        from service.schemas.conversations import ConversationResponse

        typer.echo(ConversationResponse.of(conversation, answers).model_dump_json(indent=2))
        return
    out = Console()
    show(out, [Line(0, Text(clean(conversation.title), "bold")), Line(0, Text(_summary(conversation), "dim"))])
    for stored in answers:
        show(out, [Line(0, Text("")), Line(0, Text(clean(stored.answer.question), "bold cyan"))])
        show(out, answer_lines(stored.answer, plain=not out.is_terminal))


@app.command("rename")
def rename(
    id: IdArgument,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="The new title, in quotes.", show_default=False)],
) -> None:
    """Give a conversation another title."""
    conversations, _ = _open()
    renamed = conversations.rename(id, title, owner=None)
    show(Console(), [Line(0, Text(f"Renamed: {clean(renamed.title)}"))])


@app.command("delete")
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The conversations' ids.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete conversations with their answers and the feedback on them, for good."""
    conversations, _ = _open()
    found = [conversations.get(id, owner=None) for id in ids]
    if not yes:
        show(Console(), conversation_lines(found, more=False))
        typer.confirm("Delete for good?", abort=True)
    conversations.delete(*ids, owner=None)
    for conversation in found:
        show(Console(), [Line(0, Text(f"Deleted: {clean(conversation.title)}"))])


@app.command("export")
def export(
    id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The conversation's id.", show_default="all of them")
    ] = None,
    format: Annotated[
        Literal["jsonl", "markdown"], typer.Option("--format", help="jsonl: every field; markdown: to be read.")
    ] = "jsonl",
    out: Annotated[
        typer.FileTextWrite,
        typer.Option(
            "--out", "-o", metavar="FILE", encoding="utf-8", help="File to write.", show_default="the terminal"
        ),
    ] = "-",  # type: ignore[assignment]  # typer opens it
) -> None:
    """Write conversations as JSON lines or Markdown, with their citations. Exit code 1: a damaged one was left out."""
    from service.audit.staleness import stale_by_answer
    from service.schemas.conversations import json_lines
    from service.storage.export import markdown

    conversations, store = _open()
    library = library_of(load())
    damaged: list[RecordDamaged] = []
    for conversation_id in [id] if id else conversations.ids(owner=None):
        try:
            conversation = conversations.get(conversation_id, owner=None)
            answers, unreadable = store.readable_answers(conversation_id, owner=None)
        except RecordDamaged as error:
            damaged.append(error)
            continue
        except RecordMissing:
            if id:
                raise
            continue  # deleted meanwhile
        damaged.extend(unreadable)
        stale = stale_by_answer(answers, library)
        if format == "jsonl":
            out.write(json_lines(conversation, answers, stale))
        else:
            out.write(markdown(conversation, answers, stale) + "\n")
    if damaged:
        show(Console(stderr=True), (Line(0, Text(clean(str(error)), "red")) for error in damaged))
        raise typer.Exit(1)


def conversation_lines(conversations: Sequence[Conversation], *, more: bool) -> Iterator[Line]:
    """A line for each conversation: its last use, id, title and number of answers."""
    if not conversations:
        yield Line(0, Text("No conversation yet."))
    for conversation in conversations:
        when = f"{conversation.updated_at.astimezone():%Y-%m-%d %H:%M}"
        yield Line(
            0,
            Text(f"{when}  {clean(conversation.id)}  ", "dim")
            + Text(clean(conversation.title))
            + Text(f"  {conversation.answers}", "dim"),
        )
    if more:
        yield Line(0, Text("There are more: --limit N lists more of them.", "dim"))


def _summary(conversation: Conversation) -> str:
    return f"collection {clean(conversation.collection)}, begun {conversation.created_at.astimezone():%Y-%m-%d %H:%M}"


def _open() -> tuple[ConversationList, ConversationStore]:
    from service.composition.store import open_database
    from service.storage.conversation_list import ConversationList
    from service.storage.conversations import ConversationStore

    configure("warning")
    database = open_database(load())
    return ConversationList(database), ConversationStore(database)
