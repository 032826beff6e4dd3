"""`quoth eval`: run, report, compare, draft, harvest, judge, speed, load. quoth.py adds these commands.

Exit codes: 0 done, 1 an error (one line on standard error), 4 a gate that failed or a comparison that got worse. The modules
behind a command are loaded when it runs, so that `quoth --help` does not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.speed.cli import load, speed
from evaluation.terminal import CollectionOption, OutOption, chosen, late, reported, watching
from service.errors import SettingsInvalid

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
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Run the cases of DIR again that are errors; keep the others.")
    ] = False,
    index: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where indexes of data sets are kept; default: OUT/index.")
    ] = None,
) -> None:
    """Run a data set or a suite. Killed and started again, it goes on where it stopped."""
    with reported():
        execution = late("evaluation.execution")
        kept = index or out / "index"
        if what.suffix == ".toml":
            raise typer.Exit(_run_suite(what, out, kept, retry_errors))
        plan = execution.Plan(
            dataset=what,
            format=chosen("--format", format, late("evaluation.datasets.loading").Format),
            split=split,
            corpus=corpus,
            collection=collection,
            task=chosen("--task", task, late("evaluation.tasks.task").TaskName),
            retriever=chosen("--retriever", retriever, late("evaluation.retrievers").Retriever),
            only=only,
            sample=sample,
            seed=seed,
            endpoint=endpoint,
            key=key,
            generator=generator,
            workers=workers,
            retry_errors=retry_errors,
        )
        _execute(plan, out, kept)
        _show_figures(out)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run, or of a suite's runs.")],
) -> None:
    """Write report.html (one self-contained page) and report.md into the folder."""
    with reported():
        for written in late("evaluation.report").write(folder):
            typer.echo(written)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="Run folder to compare with.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Run folder to judge.")],
    cases: Annotated[int, typer.Option(help="Wins and losses shown a metric.")] = 5,
    alpha: Annotated[float, typer.Option(help="Level of significance after correction for many metrics.")] = 0.05,
) -> None:
    """Compare two runs of the same cases, metric by metric. Exit code 4 if B is significantly worse in any."""
    with reported():
        comparison = late("evaluation.comparison")
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
    with reported():
        case_file = late("evaluation.case_file")
        case_file.refuse_existing(out)
        settings = late("service.settings").load(collection=collection)
        opened = late("service.composition.library").open_library(settings).open(settings.collection)
        with _questioner(settings, llm) as questioner, watching() as watch:
            advance = watch("Asking the language model") if questioner else None
            drafted = late("evaluation.drafting").draft(
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
    with reported():
        cases = late("evaluation.harvest").harvest(feedback)
        late("evaluation.case_file").write(out, cases)
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
    with reported():
        judging = late("evaluation.judge")
        server = late("service.generators.openai_client").Server(base_url, model, key, timeout)
        with closing(judging.Judge(server)) as asked, watching() as watch:
            result = judging.judge_run(folder, asked, on_progress=watch("Judging"))
        typer.echo(judging.markdown(result))


app.command()(speed)
app.command()(load)


@contextmanager
def _questioner(settings: Any, wanted: bool | None) -> Iterator[Any]:
    """The language model that the settings name, ready to propose questions; None without one, or when it is not wanted."""
    server = None if wanted is False else late("service.generators.openai_client").Server.of(settings)
    if server is None:
        if wanted:
            raise SettingsInvalid("--llm needs llm_base_url and llm_model. Set them, or take --no-llm.")
        yield None
        return
    checker = late("service.scoring.support").SupportChecker.load(
        late("models").folder("support"), settings.home / "cache"
    )
    with closing(late("evaluation.questioner").Questioner(server, checker)) as questioner:
        yield questioner


def _run_suite(file: Path, out: Path, index: Path, retry_errors: bool) -> int:
    """Run every entry, then judge the gates; the exit code."""
    suites = late("evaluation.suite")
    execution = late("evaluation.execution")
    suite = suites.read(file)
    verdicts = []
    for entry in suite.entries:
        plan = execution.plan_of(entry, suite, retry_errors=retry_errors)
        typer.echo(f"{suite.name}: {entry.name}", err=True)
        _execute(plan, out / entry.name, index)
        _show_errors(out / entry.name)
        verdicts += suites.judge(entry.name, entry.gates, _figures(out / entry.name))
    late("evaluation.report").write(out)
    for verdict in verdicts:
        typer.echo(verdict)
    return WORSE if any(not verdict.passed for verdict in verdicts) else 0


def _execute(plan: Plan, out: Path, index: Path) -> None:
    with watching() as watch:
        late("evaluation.execution").execute(plan, out, index, watch)


def _figures(folder: Path) -> Any:
    rows = late("evaluation.rows").read_rows(folder)
    seed = late("evaluation.manifest").read(folder)["identity"]["seed"]
    return late("evaluation.summary").figures(rows, seed=seed)


def _show_figures(folder: Path) -> None:
    _show_errors(folder)
    for figure in _figures(folder):
        found = figure.estimate
        typer.echo(f"{figure.metric:24} {found.value:8.4f}  [{found.low:.4f}, {found.high:.4f}]  n={found.cases}")
    sealed = late("evaluation.manifest").read(folder)["identity"]["dataset"]["sha256"]
    typer.echo(f'rows in {folder}; to seal the data in a suite: sha256 = "{sealed}"', err=True)


def _show_errors(folder: Path) -> None:
    """How many cases failed and the first reason, with what to do."""
    rows = late("evaluation.rows").read_rows(folder)
    failed = [row for row in rows if row.error is not None]
    if failed:
        typer.echo(
            f"{len(failed)} of {len(rows)} cases are errors; the first is {failed[0].case}: {failed[0].error}. "
            "Mend the cause and run the same command with --retry-errors.",
            err=True,
        )
