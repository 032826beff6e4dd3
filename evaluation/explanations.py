"""Explanations in the rows of a run: what is stored of one, and at which stage each wrong case was lost. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.document_matching import DocumentMatcher
from evaluation.rows import Row
from service.explaining.explanation import Stage
from service.schemas.explanations import ExplanationOut

RIGHT = "right"
ERROR = "error"
UNEXPLAINED_REFUSAL = "refused, unexplained"
UNEXPLAINED_ANSWER = "answered wrongly, unexplained"
STAGES: Mapping[str, str] = {
    ERROR: "the case failed, and has no answer",
    Stage.NOT_EXTRACTED: "the gold words are in no document as Quoth reads it",
    Stage.NOT_RETRIEVED: "the search ranks no passage with them among the first 50",
    Stage.NOT_READ: "a passage with them was found, but too far down to be read, or left out as a copy",
    Stage.CONSTRAINT_UNMET: "the passage counts as not naming what the question names",
    Stage.OTHER_UNIT: "the passage was read, and another unit scored better",
    Stage.REFUSED: "the right unit was chosen, and the confidence was too low",
    Stage.CHECKED_AWAY: "the right sentence was written, and the check left it out",
    Stage.CITED_WRONGLY: "the right sentence was given with a citation elsewhere",
    Stage.NOT_THERE: "the documents do not say, and the question was answered",
    UNEXPLAINED_REFUSAL: "refused, though the documents say; nothing explains why",
    UNEXPLAINED_ANSWER: "another answer than the gold one; nothing explains why",
}
"""The stages at which a case may be lost, in order, with what each means."""

_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Loss:
    """The cases that were lost at one stage; `left` is how many of all are left after it."""

    stage: str
    meaning: str
    rows: tuple[Row, ...]
    left: int


def explained_output(explanation: ExplanationOut, matcher: DocumentMatcher) -> dict[str, Any]:
    """What a row stores of an explanation: documents by the names of the data set, floats with six decimals."""
    stored: dict[str, Any] = _rounded(explanation.model_dump(mode="json"))
    for passage in stored["passages"]:
        passage["document"] = matcher.label(passage.pop("document_id"), passage.pop("uri"))
        del passage["version"]
    for place in stored["expected"]:
        del place["document_id"]
    return stored


def lost_at(row: Row) -> str | None:
    """The stage at which a case was lost, or RIGHT; None for a case that cannot be right or wrong."""
    if row.error is not None:
        return ERROR
    correct = row.scores.get("correct")
    if correct is None or row.output is None or "refused" not in row.output:
        return None
    if correct == 1.0:
        return RIGHT
    stage: str | None = row.output.get("why", {}).get("stage")
    if stage is not None and stage != Stage.NOT_LOST:
        return stage
    if row.gold.get("answerable") is False:
        return str(Stage.NOT_THERE)
    return UNEXPLAINED_REFUSAL if row.output["refused"] else UNEXPLAINED_ANSWER


def losses(rows: Sequence[Row]) -> list[Loss]:
    """Where the cases of a run are lost, stage by stage; empty for a run of another task than `answer`."""
    by_stage: dict[str, list[Row]] = {}
    for row in rows:
        stage = lost_at(row)
        if stage is not None:
            by_stage.setdefault(stage, []).append(row)
    if not set(by_stage) - {ERROR}:
        return []
    left = sum(map(len, by_stage.values()))
    found = []
    for stage, meaning in STAGES.items():
        lost = by_stage.get(stage, [])
        if lost:
            left -= len(lost)
            found.append(Loss(stage, meaning, tuple(lost), left))
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
