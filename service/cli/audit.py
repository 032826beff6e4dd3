"""The commands on an answer of the past: `quoth verify` proves or refutes it, `quoth replay` asks its question again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from service.cli.console import CollectionOption, JsonOption
from service.cli.rendering import Line, clean, show
from service.errors import AnswerUnreadable
from service.observability.logs import configure
from service.records import Answer
from service.settings import Settings, load

if TYPE_CHECKING:
    from service.audit.findings import Finding
    from service.audit.replay import Replay, ReplayChange
    from service.audit.verification import Verification

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
    from service.answer_json import answer_of

    verification = _verify(answer_of(_read(answer)), settings, collection)
    if as_json:
        from service.schemas.verification import VerificationOut

        typer.echo(VerificationOut.model_validate(verification).model_dump_json(indent=2))
    else:
        show(Console(), verification_lines(verification))
    if verification.findings:
        raise typer.Exit(1)


def verification_lines(verification: Verification) -> Iterator[Line]:
    """The verdict and its grounds, then each finding with what the answer says and what the documents hold."""
    sign, style = _SIGNS[verification.verdict]
    grounds = [
        (verification.quotes, "quote or passage stands", "quotes and passages stand", "where the answer says"),
        (verification.quoted, "sentence is", "sentences are", "made of quotes"),
        (verification.derived, "calculation comes", "calculations come", "out the same"),
        (verification.checked, "verdict on support is", "verdicts on support are", "confirmed by the checker"),
    ]
    proofs = ", ".join(f"{count} {one if count == 1 else many} {rest}" for count, one, many, rest in grounds if count)
    yield Line(0, Text(sign, style) + Text(f": {proofs}" if proofs else ""))
    for finding in verification.findings:
        yield from _finding_lines(finding)


def _finding_lines(finding: Finding) -> Iterator[Line]:
    yield Line(2, Text(f"{finding.subject}: ", "bold") + Text(clean(finding.message)))
    for label, value in (("says", finding.claimed), ("is", finding.found)):
        if value is not None:
            yield Line(4, Text(f"{label:>4}: ", "dim") + Text(clean(value)))


def _verify(answer: Answer, settings: Settings, collection: str | None) -> Verification:
    from models import folder
    from service.answering.checking import SupportPolicy
    from service.audit import verification
    from service.audit.versions import Versions
    from service.composition.library import open_library
    from service.scoring.support import SupportChecker

    def check(pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        # Only an answer that a language model worded needs the checker, which takes seconds to load.
        return SupportChecker.load(folder("support"), settings.cache).check(pairs)

    versions = Versions(open_library(settings), [collection] if collection else None)
    return verification.verify(answer, versions, check, min_support=SupportPolicy().min_support)


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


def replay(
    id: Annotated[str, typer.Argument(metavar="ANSWER_ID", help="The field `id` of an answer.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Ask a stored answer's question again over the same passages, and show what changed. Exit code 1: the answer changed."""
    settings = load()
    configure("warning")
    from service.audit import replay as replaying
    from service.composition.service import assemble
    from service.composition.store import open_store

    stored = open_store(settings).answer(id, owner=None)
    replayed = replaying.replay(stored, assemble(settings))
    if as_json:
        from service.schemas.answers import AnswerOut

        answer = AnswerOut.of(replayed.answer).model_dump(mode="json")
        changes = {"made_with": _dicts(replayed.made_with), "answer_changes": _dicts(replayed.answer_changes)}
        typer.echo(json.dumps({**changes, "answer": answer}, ensure_ascii=False, indent=2))
    else:
        show(Console(), replay_lines(replayed))
    if replayed.answer_changes:
        raise typer.Exit(1)


def replay_lines(replay: Replay) -> Iterator[Line]:
    """Whether the answer is the same, then each change: before (-) and now (+)."""
    if replay.answer_changes:
        yield Line(0, Text("✗ the answer is another one", "bold red"))
    else:
        yield Line(0, Text("✓ the same answer", "green"))
    yield from _change_lines(replay.answer_changes)
    if replay.made_with:
        yield Line(0, Text("Made with something different:", "dim"))
    yield from _change_lines(replay.made_with)


def _change_lines(changes: tuple[ReplayChange, ...]) -> Iterator[Line]:
    for change in changes:
        yield Line(2, Text(clean(change.what), "bold"))
        if change.then is not None:
            yield Line(4, Text(f"- {clean(change.then)}", "red"))
        if change.now is not None:
            yield Line(4, Text(f"+ {clean(change.now)}", "green"))


def _dicts(changes: tuple[ReplayChange, ...]) -> list[dict[str, Any]]:
    return [asdict(change) for change in changes]
