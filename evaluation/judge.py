"""A language model's verdict on answers, from any OpenAI-compatible server. Optional; nothing needs it.

The model is asked for a JSON object of one fixed form. What is not that form is its own outcome, "unparsable", and
never counts as a verdict; how often it happens is reported. So is "unanswered": that one request came to nothing.
The model's name as the server gives it is recorded. Agreement with the deterministic `correct` is Cohen's kappa (1960) over
the cases that have both.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from evaluation.asking import Asker, Form
from evaluation.errors import ModelUnavailable, NoReply, RunInvalid
from evaluation.metrics.intervals import Estimate, mean_interval
from evaluation.rows import Row, read_rows, whole_lines
from service.generators.openai_client import Server

Outcome = Literal["right", "partly", "wrong", "unparsable", "unanswered"]
_FILE = "judge.jsonl"
_NO_VERDICT = ("unparsable", "unanswered")


class VerdictForm(Form):
    """What the judge must reply."""

    reason: str
    verdict: Literal["right", "partly", "wrong"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said of one case; `reason` is its own words, or what it or its server wrote instead of a verdict.

    `request` is the SHA-256 of what was asked of which model.
    """

    case: str
    outcome: Outcome
    reason: str
    model: str
    request: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts of a run. `right` is over those that are verdicts; `agreement` and `kappa` are with the score `correct`."""

    verdicts: tuple[Verdict, ...]
    models: tuple[str, ...]
    prompt_hash: str
    right: Estimate | None
    unparsable: int
    unanswered: int
    agreement: Estimate | None
    kappa: float | None


class Judge:
    """Asks the model at `server`, which may write `longest` tokens a verdict."""

    def __init__(self, server: Server, *, longest: int = 512) -> None:
        self._asker = Asker(
            server,
            "judge",
            {"question", "reference", "answer", "quotes"},
            VerdictForm,
            longest=longest,
            mend="(For the judge these are --base-url, --model and JUDGE_API_KEY.)",
        )

    @property
    def prompt_hash(self) -> str:
        """SHA-256 of the prompt's files."""
        return self._asker.prompt_hash

    def close(self) -> None:
        """Close the connections."""
        self._asker.close()

    def verdict(self, row: Row, kept: Verdict | None = None) -> Verdict:
        """The verdict on one answered row: `kept`, if the same was asked for it. Raises ModelUnavailable."""
        messages = self._asker.messages(**_values(row))
        asked = f"{self._asker.model}\0{messages.instructions}\0{messages.request}"
        request = sha256(asked.encode()).hexdigest()
        if kept is not None and kept.request == request:
            return kept
        try:
            reply = self._asker.ask(messages)
        except NoReply as refused:
            return Verdict(row.case, "unanswered", str(refused), self._asker.model, request)
        if reply.form is None:
            return Verdict(row.case, "unparsable", reply.text, reply.model, request)
        return Verdict(row.case, reply.form.verdict, reply.form.reason, reply.model, request)


def _values(row: Row) -> dict[str, str]:
    """What the prompt shows of a case."""
    output = row.output or {}
    quotes = "\n".join(f"[{citation['number']}] {citation['quote']}" for citation in output.get("citations", []))
    gold = row.gold.get("answers") or [evidence["quote"] for evidence in row.gold.get("evidence", [])]
    reference = "\n".join(f"- {text}" for text in gold)
    if row.gold.get("answerable") is False:
        reference = "- The documents do not answer this question; the right answer is to say so."
    return {
        "question": row.question,
        "reference": reference or "- (none known: judge by the quotes)",
        "answer": output.get("text", ""),
        "quotes": quotes or "(none)",
    }


def judge_run(folder: Path, judge: Judge, *, on_progress: Callable[[int, int], None] | None = None) -> Judgement:
    """Judge every answered row of a run, keep the verdicts in judge.jsonl, and sum up.

    A verdict that is there is kept when the same was asked of the same model; all others are asked for anew. Raises
    ModelUnavailable when the server goes away, or replies to not one request.
    """
    rows = [row for row in read_rows(folder) if row.output is not None and "sentences" in row.output]
    if not rows:
        raise RunInvalid(f"{folder} holds no answers. Judge a run of the task answer.")
    kept = _kept(folder / _FILE)
    verdicts: list[Verdict] = []
    with (folder / _FILE).open("a", encoding="utf-8") as stream:
        for number, row in enumerate(rows, start=1):
            verdict = judge.verdict(row, kept.get(row.case))
            verdicts.append(verdict)
            if verdict is not kept.get(row.case) and verdict.outcome != "unanswered":
                stream.write(json.dumps(asdict(verdict), ensure_ascii=False) + "\n")
                stream.flush()
            if on_progress is not None:
                on_progress(number, len(rows))
    if all(verdict.outcome == "unanswered" for verdict in verdicts):
        raise ModelUnavailable(f"Not one of {len(verdicts)} requests had a reply. {verdicts[0].reason}")
    return summed(rows, verdicts, judge.prompt_hash)


def summed(rows: Sequence[Row], verdicts: Sequence[Verdict], prompt_hash: str) -> Judgement:
    """Shares and agreement. "partly" counts as not right."""
    judged = [(row, verdict) for row, verdict in zip(rows, verdicts, strict=True) if verdict.outcome not in _NO_VERDICT]
    both = [
        (row.scores["correct"] == 1.0, v.outcome == "right")
        for row, v in judged
        if row.scores.get("correct") is not None
    ]
    return Judgement(
        verdicts=tuple(verdicts),
        models=tuple(sorted({verdict.model for verdict in verdicts})),
        prompt_hash=prompt_hash,
        right=mean_interval([float(verdict.outcome == "right") for _, verdict in judged]),
        unparsable=sum(verdict.outcome == "unparsable" for verdict in verdicts),
        unanswered=sum(verdict.outcome == "unanswered" for verdict in verdicts),
        agreement=mean_interval([float(left == right) for left, right in both]),
        kappa=cohen_kappa(both),
    )


def cohen_kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Agreement beyond chance. None without pairs, or when chance alone would agree always."""
    if not pairs:
        return None
    count = len(pairs)
    observed = sum(left == right for left, right in pairs) / count
    left_share, right_share = (sum(pair[side] for pair in pairs) / count for side in (0, 1))
    chance = left_share * right_share + (1 - left_share) * (1 - right_share)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def markdown(judgement: Judgement) -> str:
    """The summary for a terminal or a pull request."""
    total = len(judgement.verdicts)

    def shown(estimate: Estimate | None) -> str:
        if estimate is None:
            return "-"
        return f"{estimate.value:.4f} ({estimate.low:.4f} – {estimate.high:.4f}, n={estimate.cases})"

    return "\n".join(
        [
            f"Judge {', '.join(judgement.models)}, prompt {judgement.prompt_hash[:12]}, {total} answers",
            "",
            "| | |",
            "| --- | --- |",
            f"| right | {shown(judgement.right)} |",
            f"| unparsable verdicts | {judgement.unparsable} of {total} |",
            f"| requests without a whole reply | {judgement.unanswered} of {total} |",
            f"| agreement with `correct` | {shown(judgement.agreement)} |",
            f"| Cohen's kappa | {'-' if judgement.kappa is None else f'{judgement.kappa:.4f}'} |",
        ]
    )


def _kept(file: Path) -> dict[str, Verdict]:
    """The verdicts of a file by case, the last one a case; what a killed run left of a line is cut off."""
    kept: dict[str, Verdict] = {}
    for number, line in enumerate(whole_lines(file), start=1):
        try:
            fields: Mapping[str, Any] = json.loads(line)
            kept[fields["case"]] = Verdict(**fields)
        except (ValueError, LookupError, TypeError) as error:
            raise RunInvalid(
                f"{file}, line {number}: no verdict ({error}). Move the file away to judge anew."
            ) from error
    return kept
