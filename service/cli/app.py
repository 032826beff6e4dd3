"""The command line, with the commands ask, search, serve and doctor; `index` stands in service/cli/index.py.

Each command reads its words, calls the parts, and shows what came back.

Exit codes: 0 done, 1 an error (one line on standard error), 2 a command that cannot be read, 3 a refusal (`ask`),
130 stopped with Ctrl-C.
"""

from __future__ import annotations

import signal
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import CollectionMissing
from service.cli import rendering
from service.cli.console import (
    INTERRUPTED,
    CollectionOption,
    JsonOption,
    late,
    library_of,
    print_json,
    quiet_settings,
    stderr,
    stdout,
)
from service.cli.index import index
from service.observability.logs import configure
from service.records import Question
from service.settings import Settings, load

if TYPE_CHECKING:  # these modules bring in the engines, which `quoth --help` should not wait for
    from service.answering.service import Service
    from service.storage.conversations import ConversationStore

REFUSED = 3


def _well_formed(words: str) -> str:
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
        typer.Argument(metavar="QUESTION", callback=_well_formed, help="The question, in quotes.", show_default=False),
    ],
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a question. Exit code 0: answered; 3: the documents do not say; 1: an error."""
    settings = quiet_settings(collection=collection)
    _require_collection(settings)
    answer = _service(settings).answerer.answer(Question(question, settings.collection))
    if as_json:
        print_json(late("service.api.schemas.answers").AnswerOut.of(answer))
    else:
        out = stdout()
        rendering.show(out, rendering.answer_lines(answer, plain=not out.is_terminal))
    if answer.refused:
        raise typer.Exit(REFUSED)


@app.command()
def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", callback=_well_formed, help="What to look for.", show_default=False)
    ],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Passages wanted.")] = 10,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find passages, without an answer."""
    settings = quiet_settings(collection=collection)
    _require_collection(settings)
    service = _service(settings)
    reranker = service.reader if settings.rerank else None
    hits = service.library.open(settings.collection).search(
        query, k=k, reranker=reranker, depth=max(settings.rerank_depth, k)
    )
    if as_json:
        schemas = late("service.api.schemas.search")
        print_json(schemas.SearchResponse(hits=tuple(schemas.PassageOut.of(hit) for hit in hits)))
    else:
        rendering.show(stdout(), rendering.hit_lines(hits))


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.", show_default="8000")
    ] = None,
    allow_anonymous: Annotated[
        bool,
        typer.Option("--allow-anonymous", help="Listen beyond this machine without any API key: all may do all."),
    ] = False,
) -> None:
    """Serve the web page and the HTTP API."""
    settings = load(host=host, port=port, allow_anonymous=allow_anonymous or None)
    configure(settings.log_level)
    ports, serving = late("service.server.server"), late("service.server.server")
    with ports.listen(settings.host, settings.port) as listening:
        store = _store(settings)
        keyring, exposure = late("service.access.keyring"), late("service.access.keyring")
        keys = keyring.Keyring(store.database)
        anonymous = exposure.anonymous_at(listening.getsockname()[0], keys, allowed=settings.allow_anonymous)
        tracing = late("service.observability.tracing").tracing(settings)
        service = _service(settings)
        api = late("service.composition.http").create_app(service, store, anonymous=anonymous, tracing=tracing)
        if settings.collection in service.library.names():
            # Reads the encoder and the caches now, so that the first question is as quick as the second.
            service.library.open(settings.collection).search("ready", k=1)
        address = ports.url(listening, settings.host)
        out = stdout()
        out.print(f"Quoth listens on [bold cyan]{address}[/]  (Ctrl-C stops it)", highlight=False, soft_wrap=True)
        if settings.collection not in service.library.names():
            out.print(f"No collection {settings.collection!r} yet: quoth index FOLDER makes it.", highlight=False)
        server = serving.Serving(api, settings.shutdown_grace_s)
        retention = late("service.storage.retention").of(store.database, settings.retention_days)
        with late("service.jobs.supervision").WorkerProcess() if settings.worker else nullcontext(), retention:
            server.serve_on(listening)
        tracing.close()
        store.close()
        service.library.close()
    serving.leave(INTERRUPTED if server.signalled == signal.SIGINT else 0)


@app.command()
def doctor() -> None:
    """Check models, index and disk, and say what to do. Exit code 1 when something is broken."""
    settings = quiet_settings()
    examine = late("service.cli.doctor").examine
    broken = False
    for check in examine(
        settings, lambda: library_of(settings), lambda: late("service.composition.service").verify(settings)
    ):
        rendering.show(stdout(), rendering.check_lines([check]))
        broken = broken or check.state == "broken"
    if broken:
        raise typer.Exit(1)


def _service(settings: Settings) -> Service:
    with stderr().status("Loading the models"):
        service: Service = late("service.composition.service").assemble(settings)
    return service


def _store(settings: Settings) -> ConversationStore:
    database = late("service.storage.database").Database(settings.store_url)
    store: ConversationStore = late("service.storage.conversations").ConversationStore(database)
    return store


def _require_collection(settings: Settings) -> None:
    """Say at once, before seconds of loading models, that there is no such collection and which command makes it."""
    names = library_of(settings).names()
    if settings.collection in names:
        return
    option = "" if settings.collection == Settings.model_fields["collection"].default else f" -c {settings.collection}"
    there = f" There are: {', '.join(names)}." if names else ""
    raise CollectionMissing(
        f"There is no collection {settings.collection!r} yet.{there} To make it: quoth index FOLDER{option}"
    )
