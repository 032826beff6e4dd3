"""The command `quoth verify`: is an answer what it says it is? Exit codes: 0 proved; 1 it is not proved, or an error."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from service.cli.console import CollectionOption, JsonOption
from service.cli.rendering import Line, clean, show
from service.errors import AnswerUnreadable
from service.observability.logs import configure
from service.settings import Settings, load

if TYPE_CHECKING:
    from service.audit.verification import Finding, Verification

_STDIN = Path("-")
_SIGNS = {"proved": ("✓ proved", "green"), "refuted": ("✗ refuted", "bold red"), "unproved": ("? not proved", "yellow")}


def verify(
    answer: Annotated[
        Path, typer.Argument(metavar="ANSWER.json", help="What `quoth ask --json` printed; - reads it from a pipe.")
    ],
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove an answer against the documents: quotes, offsets, numbers, support. Exit code 0: proved; 1: it is not."""
    settings = load()
    configure("warning")
    received = _late("service.answer_json").answer_of(_read(answer))
    verification = _verified(received, settings, collection)
    if as_json:
        schemas = _late("service.api.routes.verify")
        typer.echo(schemas.VerificationOut.model_validate(verification).model_dump_json(indent=2))
    else:
        show(Console(), verification_lines(verification))
    if verification.findings:
        raise typer.Exit(1)


def verification_lines(verification: Verification) -> Iterator[Line]:
    """The verdict, its grounds, and each thing that is not as the answer says, with what is there instead."""
    sign, style = _SIGNS[verification.verdict]
    grounds = [
        (verification.quotes, "quote or passage stands", "quotes and passages stand", "where the answer says"),
        (verification.quoted, "sentence is", "sentences are", "made of quotes"),
        (verification.checked, "verdict on support is", "verdicts on support are", "confirmed by the checker"),
    ]
    said = ", ".join(f"{count} {one if count == 1 else many} {rest}" for count, one, many, rest in grounds if count)
    yield Line(0, Text(sign, style) + Text(f": {said}" if said else ""))
    for finding in verification.findings:
        yield from _finding_lines(finding)


def _finding_lines(finding: Finding) -> Iterator[Line]:
    yield Line(2, Text(f"{finding.subject}: ", "bold") + Text(clean(finding.message)))
    for label, value in (("says", finding.claimed), ("is", finding.found)):
        if value is not None:
            yield Line(4, Text(f"{label:>4}: ", "dim") + Text(clean(value)))


def _verified(answer: Any, settings: Settings, collection: str | None) -> Verification:
    libraries, support = _late("service.composition.library"), _late("service.scoring.support")
    checking, models = _late("service.answering.checking"), _late("models")

    def check(pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        # Only an answer that a language model worded needs the checker, which takes seconds to load.
        checker = support.SupportChecker.load(models.folder("support"), settings.cache)
        probabilities: Sequence[float] = checker.check(pairs)
        return probabilities

    versions = _late("service.audit.versions").Versions(
        libraries.open_library(settings), [collection] if collection else None
    )
    verification: Verification = _late("service.audit.verification").verify(
        answer, versions, check, enough=checking.SupportPolicy().enough
    )
    return verification


def _read(file: Path) -> Any:
    try:
        text = sys.stdin.read() if file == _STDIN else file.read_text("utf-8")
        return json.loads(text)
    except OSError as error:
        raise AnswerUnreadable(f"{file} cannot be read: {error.strerror}. Name the file of an answer.") from error
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(
            f"{file} is not JSON: {error}. Save an answer: quoth ask QUESTION --json > {file}"
        ) from error


def _late(module: str) -> Any:
    """A module that brings in the engines, imported when the command runs, not for help."""
    return importlib.import_module(module)
