"""`quoth eval`: run, report, compare, draft, harvest, judge, speed, load. quoth.py adds these commands.

Exit codes: 0 done, 1 an error (one line on standard error), 4 a gate that failed or a comparison that got worse. The modules
behind a command are loaded when it runs, so that `quoth --help` does not wait for them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from evaluation.errors import EvaluationError
from index.errors import IndexingError
from service.errors import ServiceError, SettingsInvalid

if TYPE_CHECKING:
    from evaluation.execution import Plan

WORSE = 4

app = typer.Typer(
    name="eval",
    help="Measure how good answers are, see what is wrong, and compare before you change anything.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for what is written.")]
CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Collection that holds the documents already.")
]


@app.command()
def run(
    what: Annotated[
        Path, typer.Argument(metavar="SUITE|DATASET", help="A suite.toml, or a data set's file or folder.")
    ],
    out: OutOption = Path("eval-run"),
    task: Annotated[
        str | None, typer.Option(help="answer, retrieve, read or verify; default: what the set is made for.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Format of the data set; default: recognised.")] = None,
    split: Annotated[str | None, typer.Option(help="Split of a BEIR folder.")] = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Documents of a case file; default: its folder.")
    ] = None,
    collection: CollectionOption = None,
    retriever: Annotated[
        str, typer.Option(help="hybrid, reranked, dense, bm25 or encoder (task retrieve).")
    ] = "hybrid",
    only: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only the cases whose ids stand in it, one a line.")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many cases, drawn with the seed.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample and of the intervals.")] = 0,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="A running Quoth whose collection holds the documents.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="EVAL_API_KEY", help="API key of that Quoth.")] = None,
    generator: Annotated[str | None, typer.Option(help="Who words the answers.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Cases in work at a time; default: 1 in process, 4 at a server.")
    ] = None,
    index: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where indexes of data sets are kept; default: OUT/index.")
    ] = None,
) -> None:
    """Run a data set or a suite. Killed and started again, it goes on where it stopped."""
    with _reported():
        execution = _late("evaluation.execution")
        kept = index or out / "index"
        if what.suffix == ".toml":
            raise typer.Exit(_run_suite(what, out, kept))
        plan = execution.Plan(
            dataset=what,
            format=_chosen("--format", format, _late("evaluation.datasets.loading").Format),
            split=split,
            corpus=corpus,
            collection=collection,
            task=_chosen("--task", task, _late("evaluation.tasks.task").TaskName),
            retriever=_chosen("--retriever", retriever, _late("evaluation.retrievers").Retriever),
            only=only,
            sample=sample,
            seed=seed,
            endpoint=endpoint,
            key=key,
            generator=generator,
            workers=workers,
        )
        _execute(plan, out, kept)
        _show_figures(out)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run, or of a suite's runs.")],
) -> None:
    """Write report.html (one self-contained page) and report.md into the folder."""
    with _reported():
        for written in _late("evaluation.report").write(folder):
            typer.echo(written)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="Run folder to compare with.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Run folder to judge.")],
    cases: Annotated[int, typer.Option(help="Wins and losses shown a metric.")] = 5,
    alpha: Annotated[float, typer.Option(help="Level of significance after correction for many metrics.")] = 0.05,
) -> None:
    """Compare two runs of the same cases, metric by metric. Exit code 4 if B is significantly worse in any."""
    with _reported():
        comparison = _late("evaluation.comparison")
        found = comparison.compare(before, after, alpha=alpha)
        typer.echo(comparison.markdown(found, cases=cases))
        if found.worse:
            raise typer.Exit(WORSE)


@app.command()
def draft(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Case file to write.")] = Path("cases.jsonl"),
    collection: CollectionOption = None,
    count: Annotated[int, typer.Option(min=1, help="Questions to propose.")] = 50,
    unanswerable: Annotated[
        float, typer.Option(min=0, max=1, help="Share of near misses the documents do not answer.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of the choice.")] = 0,
    llm: Annotated[
        bool | None,
        typer.Option(
            "--llm/--no-llm", help="Let a language model propose; default: if llm_base_url and llm_model are set."
        ),
    ] = None,
) -> None:
    """Propose a test set from a collection: questions with gold quotes, for a person to review."""
    with _reported():
        case_file = _late("evaluation.case_file")
        case_file.refuse_existing(out)
        settings = _late("service.settings").load(collection=collection)
        opened = _late("service.libraries").open_library(settings).open(settings.collection)
        with _questioner(settings, llm) as questioner, _watching() as watch:
            advance = watch("Asking the language model") if questioner else None
            drafted = _late("evaluation.drafting").draft(
                opened, count, unanswerable=unanswerable, seed=seed, questioner=questioner, on_progress=advance
            )
        case_file.write(out, drafted.cases)
        if questioner:
            typer.echo(f"{drafted.written} questions are by {questioner.model}. Dropped of what it wrote:", err=True)
            for reason, number in sorted(drafted.dropped.items()):
                typer.echo(f"{number:6} {reason}", err=True)
        typer.echo(
            f"{len(drafted.cases)} cases in {out}. "
            f"Review them, then: quoth eval run {out} --collection {settings.collection}"
        )


@app.command()
def harvest(
    feedback: Annotated[Path, typer.Argument(metavar="FILE", help="Exported feedback, JSON lines.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Case file to write.")] = Path(
        "harvest.jsonl"
    ),
) -> None:
    """Turn feedback on answers into cases, for a person to review."""
    with _reported():
        cases = _late("evaluation.harvest").harvest(feedback)
        _late("evaluation.case_file").write(out, cases)
        typer.echo(
            f"{len(cases)} cases in {out}. Review them before use: a thumbs-down says what is wrong, not what is right."
        )


@app.command()
def judge(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run of the task answer.")],
    base_url: Annotated[str, typer.Option(envvar="JUDGE_BASE_URL", help="OpenAI-compatible server, up to /v1.")],
    model: Annotated[str, typer.Option(envvar="JUDGE_MODEL", help="Model on that server; recorded with the verdicts.")],
    key: Annotated[str | None, typer.Option(envvar="JUDGE_API_KEY", help="Key for that server.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait for its next words, in seconds.")] = 60.0,
) -> None:
    """Ask a language model whether each answer is right, and how far it agrees with the deterministic scores."""
    with _reported():
        judging = _late("evaluation.judge")
        server = _late("service.generators.server").Server(base_url, model, key, timeout)
        with closing(judging.Judge(server)) as asked, _watching() as watch:
            result = judging.judge_run(folder, asked, on_progress=watch("Judging"))
        typer.echo(judging.markdown(result))


@app.command()
def speed(
    out: OutOption = Path("eval-speed"),
    peers: Annotated[
        str, typer.Option(help="Peers to measure beside Quoth, separated by commas; `all` or `none`.")
    ] = "all",
    documents: Annotated[int, typer.Option(min=100, help="Documents that each indexes.")] = 2000,
    queries: Annotated[int, typer.Option(min=10, help="Queries that each answers.")] = 200,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; each peer runs once a round, in turn.")] = 3,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads that each may use; default: all cores.")] = None,
    growth: Annotated[
        str, typer.Option(help="Chunk counts at which Quoth alone is measured, such as 10000,100000.")
    ] = "",
    like: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Collection whose vectors growth goes around; without it, made-up documents."
        ),
    ] = None,
) -> None:
    """Measure indexing and search beside other systems: same weights, documents and threads, each in its own environment."""
    with _reported():
        measuring = _late("evaluation.speed.measuring")
        plan = measuring.SpeedPlan(
            peers=measuring.peer_names(peers),
            documents=documents,
            queries=queries,
            repeats=repeats,
            threads=threads or _late("os").cpu_count() or 1,
            growth=tuple(int(size) for size in growth.split(",") if size.strip()),
            like=None if like is None else _late("service.settings").load().home / "collections" / like,
        )
        typer.echo(measuring.measure(plan, out, say=lambda line: typer.echo(line, err=True)))


@app.command()
def load(
    out: OutOption = Path("eval-load"),
    clients: Annotated[int, typer.Option(min=1, help="Clients that ask at once.")] = 32,
    seconds: Annotated[float, typer.Option(min=1, help="How long one client asks, and then all together.")] = 60,
    chunks: Annotated[int, typer.Option(min=100, help="Chunks in the collection of a server of its own.")] = 100_000,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="A running server to ask instead.", show_default=False)
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="EVAL_API_KEY", help="API key of that server.")] = None,
) -> None:
    """Measure a server under load: throughput, latency, errors and memory, one client against many."""
    with _reported():
        loading = _late("evaluation.speed.load")
        plan = loading.LoadPlan(clients=clients, seconds=seconds, chunks=chunks)
        typer.echo(loading.measure(plan, out, endpoint, key, say=lambda line: typer.echo(line, err=True)))


@contextmanager
def _questioner(settings: Any, wanted: bool | None) -> Iterator[Any]:
    """The language model that the settings name, ready to propose questions; None without one, or when it is not wanted."""
    server = None if wanted is False else _late("service.generators.server").Server.of(settings)
    if server is None:
        if wanted:
            raise SettingsInvalid("--llm needs llm_base_url and llm_model. Set them, or take --no-llm.")
        yield None
        return
    checker = _late("service.support").SupportChecker.load(_late("models").folder("support"), settings.home / "cache")
    with closing(_late("evaluation.questioner").Questioner(server, checker)) as questioner:
        yield questioner


def _run_suite(file: Path, out: Path, index: Path) -> int:
    """Run every entry, then judge the gates; the exit code."""
    suites = _late("evaluation.suite")
    execution = _late("evaluation.execution")
    suite = suites.read(file)
    verdicts = []
    for entry in suite.entries:
        plan = execution.plan_of(entry, suite)
        typer.echo(f"{suite.name}: {entry.name}", err=True)
        _execute(plan, out / entry.name, index)
        verdicts += suites.judge(entry.name, entry.gates, _figures(out / entry.name))
    _late("evaluation.report").write(out)
    for verdict in verdicts:
        typer.echo(verdict)
    return WORSE if any(not verdict.passed for verdict in verdicts) else 0


def _execute(plan: Plan, out: Path, index: Path) -> None:
    with _watching() as watch:
        _late("evaluation.execution").execute(plan, out, index, watch)


def _figures(folder: Path) -> Any:
    rows = _late("evaluation.rows").read_rows(folder)
    seed = _late("evaluation.manifest").read(folder)["identity"]["seed"]
    return _late("evaluation.summary").figures(rows, seed=seed)


def _show_figures(folder: Path) -> None:
    for figure in _figures(folder):
        found = figure.estimate
        typer.echo(f"{figure.metric:24} {found.value:8.4f}  [{found.low:.4f}, {found.high:.4f}]  n={found.cases}")
    sealed = _late("evaluation.manifest").read(folder)["identity"]["dataset"]["sha256"]
    typer.echo(f'rows in {folder}; to seal the data in a suite: sha256 = "{sealed}"', err=True)


@contextmanager
def _watching() -> Iterator[Callable[..., Callable[..., None]]]:
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
def _reported() -> Iterator[None]:
    """Expected errors are one line on standard error and exit code 1; anything else is a fault of Quoth and shows as one."""
    try:
        yield
    except (EvaluationError, ServiceError, IndexingError) as error:
        typer.echo(f"quoth eval: {error}", err=True)
        raise typer.Exit(1) from error


def _chosen(option: str, value: str | None, choices: Any) -> str | None:
    """The value if it is one of a Literal's, else a usage error that lists them."""
    allowed = choices.__args__
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}.", param_hint=option)
    return value


def _late(module: str) -> Any:
    return importlib.import_module(module)
