"""The app `quoth` with the commands ask, search and doctor; the other commands are in files of their own.

Exit codes: 0 done, 1 an error (one line on standard error), 2 a command that cannot be read, 3 a refusal (`ask`), 4 done
except for files that were rejected or kept (`index`), 130 stopped with Ctrl-C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import CollectionMissing
from service.cli import rendering
from service.cli.console import (
    CollectionOption,
    JsonOption,
    library_of,
    print_json,
    quiet_settings,
    stderr,
    stdout,
)
from service.cli.index import index
from service.cli.servers import serve
from service.records import Question
from service.settings import Settings

if TYPE_CHECKING:
    from service.answering.service import Service

REFUSED = 3


def well_formed(words: str) -> str:
    """The words of an argument; a usage error for bytes that the terminal's encoding does not have."""
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise typer.BadParameter("It is not text in this terminal's encoding. Use UTF-8.") from error
    return words


app = typer.Typer(
    name="quoth",
    help="Ask your documents. Every sentence of the answer quotes its source.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(index)


@app.command()
def ask(
    question: Annotated[
        str,
        typer.Argument(metavar="QUESTION", callback=well_formed, help="The question, in quotes.", show_default=False),
    ],
    collection: CollectionOption = None,
    as_json: JsonOption = False,
    as_typed: Annotated[
        bool,
        typer.Option(
            "--as-typed", help="Read the question as it is, not as what a keyword stands for, and not in parts."
        ),
    ] = False,
) -> None:
    """Ask a question. Exit code 0: answered; 3: the documents do not say; 1: an error."""
    settings = quiet_settings(collection=collection)
    require_collection(settings)
    answer = service_of(settings).answerer.answer(Question(question, settings.collection, as_typed=as_typed))
    if as_json:
        from service.schemas.answers import AnswerOut

        print_json(AnswerOut.of(answer))
    else:
        out = stdout()
        rendering.show(out, rendering.answer_lines(answer, plain=not out.is_terminal))
    if answer.refused:
        raise typer.Exit(REFUSED)


@app.command()
def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", callback=well_formed, help="What to look for.", show_default=False)
    ],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Passages wanted.")] = 10,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find passages, without an answer."""
    settings = quiet_settings(collection=collection)
    require_collection(settings)
    service = service_of(settings)
    reranker = service.reader if settings.rerank else None
    hits = service.library.open(settings.collection).search(query, k=k, reranker=reranker, depth=settings.rerank_depth)
    if as_json:
        from service.schemas.search import PassageOut, SearchResponse

        print_json(SearchResponse(hits=tuple(PassageOut.of(hit) for hit in hits)))
    else:
        rendering.show(stdout(), rendering.hit_lines(hits))


app.command()(serve)


@app.command()
def doctor() -> None:
    """Check models, index and disk, and say what to do. Exit code 1 when something is broken."""
    from service.cli.doctor import examine

    settings = quiet_settings()
    broken = False
    for check in examine(settings, lambda: library_of(settings), lambda: _models(settings)):
        rendering.show(stdout(), rendering.check_lines([check]))
        broken = broken or check.state == "broken"
    if broken:
        raise typer.Exit(1)


def _models(settings: Settings) -> str:
    from service.composition.service import describe_models

    return describe_models(settings)


def service_of(settings: Settings) -> Service:
    """The service, with a line that says that the models load."""
    with stderr().status("Loading the models"):
        from service.composition.service import assemble

        return assemble(settings)


def require_collection(settings: Settings) -> None:
    """Raise CollectionMissing, with the command that makes it, before the models load, which takes seconds.

    A collection that cannot be opened raises its error here, too.
    """
    from index.library import require_name

    require_name(settings.collection)
    library = library_of(settings)
    names = library.names()
    if settings.collection in names:
        library.open(settings.collection)
        library.close()
        return
    option = "" if settings.collection == Settings.model_fields["collection"].default else f" -c {settings.collection}"
    there = f" There are: {', '.join(names)}." if names else ""
    raise CollectionMissing(
        f"There is no collection {settings.collection!r} yet.{there} To make it: quoth index FOLDER{option}"
    )
