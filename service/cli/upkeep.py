"""The commands for owners of documents: `quoth answers stale`, and `quoth gaps` for what the documents do not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from service.cli.console import JsonOption, library_of, print_json, quiet_settings
from service.cli.rendering import Line, clean, show

if TYPE_CHECKING:
    from service.audit.gaps import GapTopic
    from service.records import StaleCitation
    from service.storage.conversations import StoredAnswer

answers = typer.Typer(help="Look after answers: find the stale ones.", no_args_is_help=True)

MAX_QUESTIONS = 5
_CHANGES = {
    "unchanged": ("the quote still stands in the new version", "green"),
    "changed": ("now it says:", "yellow"),
    "gone": ("the quote is gone", "red"),
}


@answers.callback()
def _group() -> None:
    """Keep `stale` a command of its own: a group with one command would become that command."""


@answers.command("stale")
def list_stale(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many to list.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the answers that cite a document version which was replaced or removed, and what stands there now."""
    from service.audit.staleness import stale_answers, stale_citations
    from service.composition.store import open_store
    from service.schemas.upkeep import StaleAnswerOut, StaleAnswersResponse
    from service.storage.citations import CitedVersions

    settings = quiet_settings()
    store, library = open_store(settings), library_of(settings)
    ids = stale_answers(CitedVersions(store.database).list(owner=None), library)
    stored = [store.answer(id, owner=None) for id in ids[:limit]]
    stale = [(one, stale_citations(one.answer, one.collection, library)) for one in stored]
    if as_json:
        print_json(StaleAnswersResponse(answers=tuple(StaleAnswerOut.of(*pair) for pair in stale), total=len(ids)))
    else:
        show(Console(), stale_lines(stale, total=len(ids)))


def gaps(
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only of this collection.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only of the last N days.")] = None,
    format: Annotated[
        Literal["text", "json", "csv"], typer.Option("--format", help="csv: for a spreadsheet.")
    ] = "text",
) -> None:
    """List what the documents do not say: refused and badly rated questions, counted and grouped by topic."""
    from service.audit.gaps import csv_lines, find_gaps, group_by_topic
    from service.composition.store import open_store
    from service.schemas.upkeep import GapsResponse, GapTopicOut
    from service.storage.unanswered import UnansweredQuestions

    settings = quiet_settings()
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    unanswered = UnansweredQuestions(open_store(settings).database).list(collection, since, owner=None)
    topics = group_by_topic(find_gaps(unanswered), library_of(settings).encoder.encode)
    if format == "json":
        print_json(GapsResponse(topics=tuple(map(GapTopicOut.of, topics))))
    elif format == "csv":
        typer.echo(csv_lines(topics), nl=False)
    else:
        show(Console(), gap_lines(topics))


def stale_lines(stale: Sequence[tuple[StoredAnswer, tuple[StaleCitation, ...]]], *, total: int) -> Iterator[Line]:
    """Each stale answer with its stale quotes, and what the documents say now."""
    if not stale:
        yield Line(0, Text("✓ No answer is stale: every cited version is current.", "green"))
    for stored, citations in stale:
        answer = stored.answer
        quotes = {citation.number: citation for citation in answer.citations}
        yield Line(
            0, Text(clean(answer.question), "bold") + Text(f"  {stored.created_at:%Y-%m-%d}  {answer.id}", "dim")
        )
        for citation in citations:
            words, style = _CHANGES[citation.change]
            quote = quotes[citation.number]
            yield Line(2, Text(f"[{citation.number}] ", "cyan") + Text(f'{clean(quote.title)}: "{clean(quote.quote)}"'))
            yield Line(6, Text(words if citation.current_version else "the document was removed", style))
            if citation.change == "changed":
                yield Line(6, Text(f'"{clean(citation.text or "")}"'))
    if total > len(stale):
        yield Line(0, Text(f"{total - len(stale):,} more: --limit N lists more of them.", "dim"))


def gap_lines(topics: Sequence[GapTopic]) -> Iterator[Line]:
    """Each topic with its questions and how often they were asked, and where the nearest passages stand."""
    if not topics:
        yield Line(0, Text("✓ No question was refused or rated down.", "green"))
    for topic in topics:
        yield Line(0, Text(f"{topic.count:>4}  ", "bold cyan") + Text(clean(topic.topic), "bold"))
        for gap in topic.gaps[:MAX_QUESTIONS]:
            if gap.question != topic.topic:
                yield Line(6, Text(f"{gap.count} × ", "dim") + Text(clean(gap.question)))
        if len(topic.gaps) > MAX_QUESTIONS:
            yield Line(6, Text(f"... and {len(topic.gaps) - MAX_QUESTIONS:,} more questions", "dim"))
        titles = dict.fromkeys(clean(hit.title) for gap in topic.gaps for hit in gap.nearest)
        if titles:
            yield Line(6, Text(f"nearest: {', '.join(list(titles)[:3])}", "dim"))
