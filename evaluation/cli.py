"""`quoth eval`: run, report, compare, table, draft, vary, harvest, seal, judge, speed, load. quoth.py adds these commands.

Exit codes: 0 success, 1 an error (one line on standard error), 4 a failed gate or a comparison that got worse. The
modules behind a command are imported when it runs, so that `quoth --help` does not wait for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.drafting.cli import draft, vary
from evaluation.speed.cli import cluster, load, speed
from evaluation.systems.cli import refuse_for_target, run_target
from evaluation.terminal import CollectionOption, OutOption, progress_bars, report_errors, require_choice

if TYPE_CHECKING:
    from evaluation.execution import Overrides, RunPlan
    from evaluation.rows import Row

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
    context: typer.Context,
    what: Annotated[
        Path, typer.Argument(metavar="SUITE|DATASET", help="A suite.toml, or a data set's file or folder.")
    ],
    out: OutOption = Path("eval-run"),
    task: Annotated[
        str | None, typer.Option(help="answer, retrieve, read or verify; default: the task that the set is made for.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Format of the data set; default: detected.")] = None,
    split: Annotated[str | None, typer.Option(help="Split of a BEIR folder.")] = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Documents of a case file; default: its folder.")
    ] = None,
    collection: CollectionOption = None,
    retriever: Annotated[
        str | None, typer.Option(help="hybrid (the default), reranked, dense, bm25 or encoder (task retrieve).")
    ] = None,
    only: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run only the cases whose ids are in this file, one per line.")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Run only this many cases, drawn with the seed.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample and of the intervals.")] = 0,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="A running Quoth whose collection holds the documents.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="EVAL_API_KEY", help="API key of that Quoth.")] = None,
    generator: Annotated[str | None, typer.Option(help="Generator that writes the answers.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Cases run at the same time; default: 1 in process, 4 against a server.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="SYSTEM",
            help="Another system: a file of answers, https://host/v1, 'command: PROGRAM' or python:module:function.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model that an endpoint of --target is asked for.")] = None,
    citations: Annotated[
        str | None, typer.Option(help="How an endpoint of --target cites: list (the default), ragflow, json or none.")
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Run the cases of DIR that failed again; keep the others.")
    ] = False,
    index: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the indexes of data sets; default: OUT/index.")
    ] = None,
    passphrase: Annotated[
        str | None, typer.Option(envvar="EVAL_PASSPHRASE", help="Passphrase of sealed cases.", show_default=False)
    ] = None,
    opened: Annotated[
        bool, typer.Option("--open", help="Store the words of sealed cases, too; this counts as opening them.")
    ] = False,
) -> None:
    """Run a data set or a suite. Killed and started again, it continues where it stopped.

    With a suite, options stand above what its file says; those that belong to one data set are refused.
    """
    with report_errors():
        from evaluation.datasets.loading import FORMATS

        given = _given(context)
        chosen_format = None if format is None else require_choice("--format", format, FORMATS)
        if target is None and (model or citations):
            raise typer.BadParameter("This belongs to --target. Leave it out.", param_hint="--model, --citations")
        if target is not None:
            from evaluation.systems.execution import SystemPlan

            refuse_for_target(given, what)
            plan_of_system = SystemPlan(what, chosen_format, collection, only, sample, seed, workers, retry_errors)
            run_target(plan_of_system, target, model, citations, key if target.startswith("http") else None, out)
            _show_figures(out)
            return
        if "key" in given and endpoint is None and what.suffix != ".toml":
            raise _needless_key()
        if index is not None and (endpoint or collection):
            raise typer.BadParameter("Nothing is indexed here. Leave it out.", param_hint="--index")
        from evaluation.execution import Overrides, plan_entry
        from evaluation.retrievers import RETRIEVERS
        from evaluation.suite import SuiteEntry
        from evaluation.tasks.task import TASKS

        indexes = index or out / "index"
        overrides = Overrides(
            collection=collection,
            sample=sample,
            seed=seed if "seed" in given else None,
            endpoint=endpoint,
            key=key,
            generator=generator,
            workers=workers,
            retry_errors=retry_errors,
            passphrase=passphrase,
            opened=opened,
        )
        if what.suffix == ".toml":
            _refuse_for_suite(given)
            raise typer.Exit(_run_suite(what, out, indexes, overrides, is_key_given="key" in given))
        entry = SuiteEntry(
            name=out.name,
            dataset=what,
            format=chosen_format,
            split=split,
            corpus=corpus,
            task=None if task is None else require_choice("--task", task, TASKS),
            retriever=None if retriever is None else require_choice("--retriever", retriever, RETRIEVERS),
            only=only,
        )
        _execute(plan_entry(entry, overrides), out, indexes)
        _show_figures(out)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run, or of a suite's runs.")],
) -> None:
    """Write report.html (one self-contained page) and report.md into the folder."""
    with report_errors():
        from evaluation.report import write_report

        for file in write_report(folder):
            typer.echo(file)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="Run folder to compare with.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Run folder to judge.")],
    cases: Annotated[int, typer.Option(help="Wins and losses shown for each metric.")] = 5,
    alpha: Annotated[float, typer.Option(help="Level of significance after correction for many metrics.")] = 0.05,
) -> None:
    """Compare two runs of the same cases, metric by metric. Exit code 4 if B is significantly worse in any."""
    with report_errors():
        from evaluation.comparison import compare, markdown

        comparison = compare(before, after, alpha=alpha)
        typer.echo(markdown(comparison, cases=cases))
        if comparison.worse:
            raise typer.Exit(WORSE)


@app.command()
def table(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, of one system each.")],
) -> None:
    """Show several runs of the same cases in one table, such as Quoth's and those of other systems."""
    with report_errors():
        from evaluation.side_by_side import table as side_by_side

        typer.echo(side_by_side(runs))


@app.command()
def harvest(
    feedback: Annotated[Path, typer.Argument(metavar="FILE", help="Exported feedback, JSON lines.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Case file to write.")] = Path(
        "harvest.jsonl"
    ),
) -> None:
    """Turn feedback on answers into cases, for a person to review."""
    with report_errors():
        from evaluation.datasets.golden import write_cases
        from evaluation.harvest import harvest_cases

        cases = harvest_cases(feedback)
        write_cases(out, cases)
        typer.echo(
            f"{len(cases)} cases in {out}. Review them before use: a thumbs-down says what is wrong, not what is right."
        )


@app.command()
def seal(
    cases: Annotated[Path, typer.Argument(metavar="FILE", help="Case file of Quoth's own form.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Sealed file to write; default: FILE.sealed.")
    ] = None,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="Share of the cases that is sealed.")] = 0.3,
    seed: Annotated[int, typer.Option(help="Seed of the choice.")] = 0,
    passphrase: Annotated[
        str,
        typer.Option(
            envvar="EVAL_PASSPHRASE",
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            help="Opens the sealed file.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Seal a part of a test set: encrypted, measured without being shown, and every look counted."""
    with report_errors():
        from evaluation.datasets.golden import read, refuse_existing, write_cases
        from evaluation.runs import sample_cases
        from evaluation.sealing import SUFFIX
        from evaluation.sealing import seal as write_sealed

        sealed_file = out or cases.with_suffix(SUFFIX)
        if sealed_file.suffix != SUFFIX:
            raise typer.BadParameter(f"Name a file that ends in {SUFFIX}.", param_hint="--out")
        open_file = sealed_file.with_suffix(".open.jsonl")
        refuse_existing(open_file)
        every = read(cases, collection=True).cases
        sealed = sample_cases(every, max(1, round(share * len(every))), seed)
        write_sealed(sealed, sealed_file, passphrase)
        write_cases(open_file, [case for case in every if case not in sealed])
        typer.echo(
            f"{len(sealed)} cases are sealed in {sealed_file}, {len(every) - len(sealed)} are open in {open_file}. "
            f"Now delete {cases}, keep the passphrase elsewhere, and measure with: quoth eval run {sealed_file}"
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
    with report_errors():
        from evaluation.judge import Judge, judge_run, markdown
        from service.generators.openai_client import ModelEndpoint

        with closing(Judge(ModelEndpoint(base_url, model, key, timeout))) as judging, progress_bars() as watch:
            summary = judge_run(folder, judging, on_progress=watch("Judging"))
        typer.echo(markdown(summary))


app.command()(draft)
app.command()(vary)
app.command()(speed)
app.command()(load)
app.command()(cluster)


_OF_ONE_DATA_SET = ("opened", "task", "format", "split", "corpus", "retriever", "only")


def _given(context: typer.Context) -> set[str]:
    """The options that stand on the command line."""
    return {name for name in context.params if str(context.get_parameter_source(name)).endswith("COMMANDLINE")}


def _refuse_for_suite(given: set[str]) -> None:
    """Raise BadParameter for an option that belongs to one data set, of which a suite has several."""
    for name in _OF_ONE_DATA_SET:
        if name in given:
            option = "--open" if name == "opened" else f"--{name}"
            raise typer.BadParameter("A suite says this for each of its runs. Set it there.", param_hint=option)


def _needless_key() -> typer.BadParameter:
    return typer.BadParameter("A key is for --endpoint. Leave it out.", param_hint="--key")


def _run_suite(file: Path, out: Path, index: Path, overrides: Overrides, *, is_key_given: bool) -> int:
    """Run every entry, then check the gates. Returns the exit code."""
    from evaluation.annotations import annotate
    from evaluation.execution import plan_entry
    from evaluation.manifest import read
    from evaluation.report import write_report
    from evaluation.rows import read_rows
    from evaluation.suite import check_gates, read_suite

    suite = read_suite(file)
    plans = [(entry, plan_entry(entry, overrides, seed=suite.seed, suite=suite.sha256)) for entry in suite.entries]
    if is_key_given and not any(plan.endpoint for _, plan in plans):
        raise _needless_key()
    results = []
    for entry, plan in plans:
        typer.echo(f"{suite.name}: {entry.name}", err=True)
        _execute(plan, out / entry.name, index)
        rows, seed = read_rows(out / entry.name), read(out / entry.name)["identity"]["seed"]
        _show_errors(rows)
        results += check_gates(entry.name, entry.gates, rows, seed=seed)
    write_report(out)
    for result in results:
        typer.echo(result)
    for line in annotate(results, file, out / "report.md"):
        typer.echo(line)
    return WORSE if any(not result.passed for result in results) else 0


def _execute(plan: RunPlan, out: Path, index: Path) -> None:
    from evaluation.execution import execute

    with progress_bars() as watch:
        execute(plan, out, index, watch)


def _show_figures(folder: Path) -> None:
    from evaluation import manifest
    from evaluation.rows import read_rows
    from evaluation.summary import figures

    rows, identity = read_rows(folder), manifest.read(folder)["identity"]
    _show_errors(rows)
    for figure in figures(rows, seed=identity["seed"]):
        estimate = figure.estimate
        typer.echo(
            f"{figure.metric:24} {estimate.value:8.4f}  [{estimate.low:.4f}, {estimate.high:.4f}]  n={estimate.cases}"
        )
    data_hash = identity["dataset"]["sha256"]
    typer.echo(f'rows in {folder}; to seal the data in a suite: sha256 = "{data_hash}"', err=True)


def _show_errors(rows: Sequence[Row]) -> None:
    """Print how many cases failed, the first reason, and what to do."""
    failed = [row for row in rows if row.error is not None]
    if failed:
        typer.echo(
            f"{len(failed)} of {len(rows)} cases are errors; the first is {failed[0].case}: {failed[0].error}. "
            "Fix the cause and run the same command with --retry-errors.",
            err=True,
        )
