"""The commands index, ask, search, serve and doctor. Each reads its words, calls the parts, and shows what came back.

Exit codes: 0 done, 1 an error (one line on standard error), 2 a command that cannot be read, 3 a refusal (`ask`),
130 stopped with Ctrl-C.
"""

from __future__ import annotations

import importlib
import json
import signal
import threading
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from index.errors import CollectionMissing
from service import rendering
from service.logs import configure
from service.records import Question
from service.settings import LogLevel, Settings, load

if TYPE_CHECKING:
    from index import sync as indexing
    from index.collection import Collection
    from index.library import Library
    from service.assembly import Service
    from service.store import ConversationStore

REFUSED = 3
INTERRUPTED = 130


def _well_formed(words: str) -> str:
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise typer.BadParameter("It is not text in this terminal's encoding. Use UTF-8.") from error
    return words


_QUIET: LogLevel = "warning"

app = typer.Typer(
    name="quoth",
    help="Ask your documents. Every sentence of the answer quotes its source.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Collection to use.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Folders, files, or addresses of web pages and sitemaps.", show_default=False
        ),
    ],
    collection: CollectionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Then follow the folders, until Ctrl-C.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List the files that are skipped, too.")] = False,
    principal: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="User or group who may read the documents; give it once for each."),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Everybody may read the documents.")] = False,
    max_pages: Annotated[int, typer.Option(min=1, metavar="N", help="Most web pages that are read.")] = 1000,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Read web pages from this machine and the local network, too.")
    ] = False,
) -> None:
    """Read documents into a collection. Run it again after changes: only what changed is read."""
    if dry_run and watch:
        raise typer.BadParameter("--dry-run changes nothing, so there is nothing to watch for. Leave one of them out.")
    paths = [Path(source) for source in sources if not _is_address(source)]
    addresses = [source for source in sources if _is_address(source)]
    if addresses and (dry_run or watch):
        raise typer.BadParameter("Only files can be looked at with --dry-run or --watch. Leave out the addresses.")
    principals = _principals(principal or [], public=public)
    settings = _settings(collection=collection)
    library = _library(settings)
    if dry_run:
        foresee = _late("index.sync").foresee
        if settings.collection in library.names():
            there = library.open(settings.collection)
            foresee = partial(foresee, there.documents(), roots_of=there.roots_of)
        else:
            foresee = partial(foresee, [])
        foreseen: indexing.SyncReport = foresee(paths, principals=principals)
        _show_report(foreseen, settings.collection, verbose=verbose, listed=True)
        _out().print("Nothing was changed.")
        return
    opened = library.open_or_create(settings.collection)
    with _progress() as progress:
        task = progress.add_task("Looking for documents", total=None)

        def advance(at: indexing.Progress) -> None:
            if at.chunks_total:
                progress.update(task, description="Making vectors", completed=at.chunks_done, total=at.chunks_total)
            else:
                progress.update(task, description="Reading", completed=at.files_done, total=at.files_total)

        reports: list[indexing.SyncReport] = []
        if paths:
            reports.append(_late("index.sync").sync(opened, paths, principals=principals, on_progress=advance))
        if addresses:
            reports.append(
                _late("index.website").sync_web(
                    opened,
                    addresses,
                    principals=principals,
                    on_progress=advance,
                    web_limits=_late("index.fetching").WebLimits(pages=max_pages),
                    allow_private=allow_private,
                )
            )
    for report in reports:
        _show_report(report, settings.collection, verbose=verbose)
    if watch:
        _follow(opened, paths, principals, verbose=verbose)
    if any(report.rejected for report in reports) and not any(_has_documents(report) for report in reports):
        raise typer.Exit(1)


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
    settings = _settings(collection=collection)
    _require_collection(settings)
    answer = _service(settings).answerer.answer(Question(question, settings.collection))
    if as_json:
        _print_json(_late("service.api.schemas").AnswerOut.of(answer))
    else:
        out = _out()
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
    settings = _settings(collection=collection)
    _require_collection(settings)
    service = _service(settings)
    reranker = service.reader if settings.rerank else None
    hits = service.library.open(settings.collection).search(
        query, k=k, reranker=reranker, depth=max(settings.rerank_depth, k)
    )
    if as_json:
        schemas = _late("service.api.schemas")
        _print_json(schemas.SearchResponse(hits=tuple(schemas.PassageOut.of(hit) for hit in hits)))
    else:
        rendering.show(_out(), rendering.hit_lines(hits))


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
    ports, serving = _late("service.ports"), _late("service.serving")
    with ports.listen(settings.host, settings.port) as listening:
        store = _store(settings)
        keyring, exposure = _late("service.access.keyring"), _late("service.access.exposure")
        keys = keyring.Keyring(store.database)
        anonymous = exposure.anonymous_at(listening.getsockname()[0], keys, allowed=settings.allow_anonymous)
        tracing = _late("service.tracing").tracing(settings)
        service = _service(settings)
        api = _late("service.api.app").create_app(service, store, anonymous=anonymous, tracing=tracing)
        if settings.collection in service.library.names():
            # Reads the encoder and the caches now, so that the first question is as quick as the second.
            service.library.open(settings.collection).search("ready", k=1)
        address = ports.url(listening, settings.host)
        out = _out()
        out.print(f"Quoth listens on [bold cyan]{address}[/]  (Ctrl-C stops it)", highlight=False, soft_wrap=True)
        if settings.collection not in service.library.names():
            out.print(f"No collection {settings.collection!r} yet: quoth index FOLDER makes it.", highlight=False)
        server = serving.Serving(api, settings.shutdown_grace_s)
        retention = _late("service.retention").of(store.database, settings.retention_days)
        with _late("service.jobs.supervision").WorkerProcess() if settings.worker else nullcontext(), retention:
            server.serve_on(listening)
        tracing.close()
        store.close()
        service.library.close()
    serving.leave(INTERRUPTED if server.signalled == signal.SIGINT else 0)


@app.command()
def doctor() -> None:
    """Check models, index and disk, and say what to do. Exit code 1 when something is broken."""
    settings = _settings()
    examine = _late("service.doctor").examine
    broken = False
    for check in examine(settings, lambda: _library(settings), lambda: _late("service.assembly").verify(settings)):
        rendering.show(_out(), rendering.check_lines([check]))
        broken = broken or check.state == "broken"
    if broken:
        raise typer.Exit(1)


def _principals(named: list[str], *, public: bool) -> frozenset[str] | None:
    """Who may read what is indexed; None leaves that as it is."""
    if public and named:
        raise typer.BadParameter("--public lets everybody read, --principal only those named. Leave one of them out.")
    if not all(name.strip() for name in named):
        raise typer.BadParameter("--principal is empty. Name a user or group, or let everybody read with --public.")
    return frozenset(named) if named or public else None


def _follow(collection: Collection, paths: list[Path], principals: frozenset[str] | None, *, verbose: bool) -> None:
    """Index what changes, until Ctrl-C."""
    out = _out()
    out.print("Following changes. Ctrl-C stops.", highlight=False)
    try:
        _late("index.following").follow(
            collection,
            paths,
            stop=threading.Event(),
            principals=principals,
            on_report=lambda report: _show_report(report, collection.name, verbose=verbose, listed=True),
            on_trouble=lambda error: _errors().print(f"{error} Trying again.", highlight=False, soft_wrap=True),
        )
    except KeyboardInterrupt:
        out.print("Stopped. Everything shown above is indexed.", highlight=False)
        raise typer.Exit(INTERRUPTED) from None


def _show_report(report: indexing.SyncReport, collection: str, *, verbose: bool, listed: bool = False) -> None:
    """The files rejected on standard error; the counts, and if `listed` the files, on standard output."""
    rendering.show(_errors(), rendering.rejection_lines(report))
    if verbose:
        rendering.show(_errors(), rendering.skipped_lines(report))
    if listed:
        rendering.show(_out(), rendering.change_lines(report))
    rendering.show(_out(), rendering.report_lines(report, collection))


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _has_documents(report: indexing.SyncReport) -> bool:
    return bool(report.added or report.changed or report.renamed or report.unchanged)


def _settings(**overrides: Any) -> Settings:
    """The settings for a command whose output a person reads: only warnings are logged."""
    settings = load(**overrides)
    configure(_QUIET)
    return settings


def _late(module: str) -> Any:
    """A module that brings in the engines (torch alone takes seconds), imported when a command needs it, not for help."""
    return importlib.import_module(module)


def _library(settings: Settings) -> Library:
    library: Library = _late("service.libraries").open_library(settings)
    return library


def _service(settings: Settings) -> Service:
    with _errors().status("Loading the models"):
        service: Service = _late("service.assembly").assemble(settings)
    return service


def _store(settings: Settings) -> ConversationStore:
    database = _late("service.database").Database(settings.store_url)
    store: ConversationStore = _late("service.store").ConversationStore(database)
    return store


def _require_collection(settings: Settings) -> None:
    """Say at once, before seconds of loading models, that there is no such collection and which command makes it."""
    names = _library(settings).names()
    if settings.collection in names:
        return
    option = "" if settings.collection == Settings.model_fields["collection"].default else f" -c {settings.collection}"
    there = f" There are: {', '.join(names)}." if names else ""
    raise CollectionMissing(
        f"There is no collection {settings.collection!r} yet.{there} To make it: quoth index FOLDER{option}"
    )


def _out() -> Console:
    return Console()


def _errors() -> Console:
    return Console(stderr=True)


def _progress() -> Progress:
    console = _errors()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _print_json(model: Any) -> None:
    typer.echo(json.dumps(model.model_dump(mode="json"), ensure_ascii=False, indent=2))
