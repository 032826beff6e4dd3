"""The command `why`: what each step of one answer saw and decided, and where the expected sentence was lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from service.cli import rendering
from service.cli.app import require_collection, service_of, well_formed
from service.cli.console import CollectionOption, JsonOption, print_json, quiet_settings, stdout
from service.cli.rendering import Line, blank, clean
from service.records import Question

if TYPE_CHECKING:
    from service.explaining.explanation import Explanation, PassageScore, UnitScore
    from service.records import Answer

_MAX_PASSAGES = 4  # shown besides those with an expected or quoted unit
_MAX_UNIT = 160  # characters of a unit that are shown


def why(
    question: Annotated[
        str,
        typer.Argument(metavar="QUESTION", callback=well_formed, help="The question, in quotes.", show_default=False),
    ],
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="Words of a sentence that holds the right answer; may be given again."),
    ] = None,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why a question is answered as it is: ranks, scores, confidence, and where the expected sentence is lost."""
    settings = quiet_settings(collection=collection)
    require_collection(settings)
    service = service_of(settings)
    from service.answering.trace import Trace
    from service.explaining.explain import Asked, explain
    from service.explaining.explanation import ExpectedWords

    trace = Trace()
    answer = service.answerer.answer(Question(question, settings.collection), trace)
    expected = [ExpectedWords(words) for words in expect or ()]
    opened = service.library.open(settings.collection)
    explanation = explain(Asked(trace, answer, service.answerer, opened, expected))
    if as_json:
        from service.schemas.explanations import ExplanationOut

        print_json(ExplanationOut.of(explanation))
    else:
        rendering.show(stdout(), why_lines(answer, explanation))


def why_lines(answer: Answer, found: Explanation) -> Iterator[Line]:
    """The explanation for a terminal: the outcome, where the expected words were lost, then what each step saw."""
    yield blank()
    outcome = "Refused" if answer.refused else "Answered"
    side = "below" if found.confidence < found.needed else "not below"
    yield Line(
        2,
        Text(
            f"{outcome}: the confidence is {found.confidence:.3f}, {side} the {found.needed:.3f} that is needed.",
            "bold",
        ),
    )
    if not answer.refused:
        yield Line(2, Text(clean(answer.text), "dim"))
    if found.stage is not None:
        yield blank()
        lost = "Not lost. " if found.stage == "not lost" else f"Lost: {found.stage}. "
        yield Line(2, Text(lost, "bold cyan") + Text(clean(found.because)))
    yield from _section("Confidence, as it differs from an average question", _signal_lines(found))
    yield from _section("What the question names", _constraint_lines(found))
    yield from _section(f"What was read: {len(found.passages)} passages, {found.shown} count", _passage_lines(found))
    yield from _section("What was written", _written_lines(found))
    yield blank()


def _section(title: str, lines: Iterator[Line]) -> Iterator[Line]:
    inside = list(lines)
    if inside:
        yield blank()
        yield Line(2, Text(title, "bold"))
        yield from inside


def _signal_lines(found: Explanation) -> Iterator[Line]:
    for signal in found.signals:
        value = "unknown" if signal.value is None else f"{signal.value:.3f}"
        yield Line(4, Text(f"{signal.name} {value}: {signal.share:+.2f} log odds"))


def _constraint_lines(found: Explanation) -> Iterator[Line]:
    for constraint in found.constraints:
        met = "is named by a passage that was read" if constraint.is_met else "is named by no passage that was read"
        by_expected = {None: "", True: ", the expected one too", False: ", not by the expected one"}
        yield Line(
            4, Text(clean(f"{constraint.text} ({constraint.kind}) {met}{by_expected[constraint.is_met_by_expected]}"))
        )


def _passage_lines(found: Explanation) -> Iterator[Line]:
    shown = [p for p in found.passages if p.rank <= _MAX_PASSAGES or any(u.is_expected or u.is_quoted for u in p.units)]
    for passage in shown:
        yield Line(4, Text(f"{passage.rank}. ", "cyan") + Text(clean(_place(passage))) + Text(_ranks(passage), "dim"))
        for unit in passage.units:
            yield _unit_line(unit)
    if len(shown) < len(found.passages):
        yield Line(4, Text(f"and {len(found.passages) - len(shown)} more: see --json", "dim"))


def _place(passage: PassageScore) -> str:
    page = "" if passage.page is None else f", p. {passage.page}"
    return f"{passage.title}{page}"


def _ranks(passage: PassageScore) -> str:
    words, vectors, fused = (rank or "–" for rank in (passage.ranks.words, passage.ranks.vectors, passage.ranks.fused))
    lost = f", lost {passage.lost:.1f}" if passage.lost else ""
    return f" · words {words}, meaning {vectors}, fused {fused} · relevance {passage.relevance:.2f}{lost}"


def _unit_line(unit: UnitScore) -> Line:
    text = clean(unit.text.strip())
    short = text if len(text) <= _MAX_UNIT else f"{text[:_MAX_UNIT]}…"
    marks = [name for name, is_so in (("expected", unit.is_expected), ("quoted", unit.is_quoted)) if is_so]
    lost = f" (lost {unit.lost:.1f})" if unit.lost else ""
    marked = Text(f" ← {', '.join(marks)}", "bold cyan") if marks else Text("")
    return Line(7, Text(f"{unit.total:+6.2f}{lost}  ", "dim") + Text(short) + marked)


def _written_lines(found: Explanation) -> Iterator[Line]:
    for sentence in found.written:
        support = "" if sentence.support is None else f", support {sentence.support:.2f}"
        yield Line(4, Text(f"{sentence.outcome}{support}: ", "dim") + Text(clean(sentence.text)))
