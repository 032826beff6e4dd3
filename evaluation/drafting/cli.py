"""`quoth eval draft` and `quoth eval vary`. The modules behind a command are imported when it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.terminal import CollectionOption, progress_bars, report_errors
from service.errors import SettingsInvalid

if TYPE_CHECKING:
    from evaluation.drafting.question_writer import QuestionWriter
    from service.generators.openai_client import ModelEndpoint
    from service.settings import Settings


def draft(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Case file to write.")] = Path("cases.jsonl"),
    collection: CollectionOption = None,
    count: Annotated[int, typer.Option(min=1, help="Questions to propose.")] = 50,
    unanswerable: Annotated[
        float, typer.Option(min=0, max=1, help="Share of near misses that the documents do not answer.")
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
    with report_errors():
        import models
        from evaluation.datasets.golden import refuse_existing, write_cases
        from evaluation.drafting.draft import draft_cases
        from service.composition.library import open_library
        from service.scoring.reader import Reader
        from service.settings import load as load_settings

        refuse_existing(out)
        settings = load_settings(collection=collection)
        documents = open_library(settings).open(settings.collection)
        reader = Reader.load(models.folder("reader"), settings.cache)
        with _question_writer(settings, llm) as writer, progress_bars() as watch:
            advance = watch("Asking the language model") if writer else None
            watch("Reading the documents")
            drafted = draft_cases(
                documents, count, reader, unanswerable=unanswerable, seed=seed, writer=writer, on_progress=advance
            )
        write_cases(out, drafted.cases)
        if writer:
            typer.echo(f"{drafted.written} questions are by {writer.model}.", err=True)
        _show_left_out(drafted.dropped)
        kinds = ", ".join(f"{number} {kind}" for kind, number in drafted.kinds)
        short = f" of {count} asked for" if len(drafted.cases) < count else ""
        typer.echo(f"{len(drafted.cases)} cases{short} in {out}: {kinds}.")
        typer.echo(f"Review them, then: quoth eval run {out} --collection {settings.collection}")


def vary(
    cases: Annotated[Path, typer.Argument(metavar="FILE", help="Case file.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Case file to write.")],
    typos: Annotated[bool, typer.Option("--typos", help="With typing errors in one or two words.")] = False,
    keywords: Annotated[bool, typer.Option("--keywords", help="As keywords, like in a search box.")] = False,
    paraphrase: Annotated[
        bool, typer.Option("--paraphrase", help="In other words, by the language model that is set.")
    ] = False,
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="In another language (de, fr, ...), by the language model that is set."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the typing errors.")] = 0,
) -> None:
    """Word the questions of a case file anew, with the same gold, to see how much the wording matters."""
    with report_errors():
        from evaluation.datasets.golden import refuse_existing, write_cases
        from evaluation.datasets.loading import load
        from evaluation.drafting.variants import Rewording, varied_cases

        refuse_existing(out)
        asked = [*(["paraphrase"] if paraphrase else []), *(language or [])]
        if not (asked or typos or keywords):
            raise typer.BadParameter("name at least one of --typos, --keywords, --paraphrase, --language")
        server = _language_model() if asked else None
        with closing(Rewording(server)) if server else nullcontext() as rewording:
            varied = varied_cases(
                load(cases, "quoth", collection=True).cases,
                typos=typos,
                keywords=keywords,
                rewording=rewording,
                manners=asked,
                seed=seed,
            )
        write_cases(out, varied.cases)
        _show_left_out(varied.dropped)
        typer.echo(f"{len(varied.cases)} cases in {out}.")


def _show_left_out(dropped: Mapping[str, int]) -> None:
    if dropped:
        typer.echo("Left out:", err=True)
    for reason, number in sorted(dropped.items()):
        typer.echo(f"{number:6} {reason}", err=True)


def _language_model() -> ModelEndpoint:
    """The language model that the settings name. Raises SettingsInvalid without one."""
    from service.generators.openai_client import ModelEndpoint
    from service.settings import load as load_settings

    server = ModelEndpoint.of(load_settings())
    if server is None:
        raise SettingsInvalid(
            "--paraphrase and --language need llm_base_url and llm_model. Set them, or take --typos or --keywords."
        )
    return server


@contextmanager
def _question_writer(settings: Settings, wanted: bool | None) -> Iterator[QuestionWriter | None]:
    """The language model that the settings name, to propose questions; None without one, or if `wanted` is False."""
    import models
    from evaluation.drafting.question_writer import QuestionWriter
    from service.generators.openai_client import ModelEndpoint
    from service.scoring.support import SupportChecker

    server = None if wanted is False else ModelEndpoint.of(settings)
    if server is None:
        if wanted:
            raise SettingsInvalid("--llm needs llm_base_url and llm_model. Set them, or take --no-llm.")
        yield None
        return
    checker = SupportChecker.load(models.folder("support"), settings.cache)
    with closing(QuestionWriter(server, checker)) as writer:
        yield writer
