"""Judge answers with a language model on any OpenAI-compatible server. Optional; nothing else needs it.

The model is asked for a JSON object of one fixed form. A reply of another form has its own outcome, "unparsable", and
never counts as a verdict; its number is reported. So is that of "unanswered": requests that failed. The model's name as
the server gives it is recorded. Agreement with the deterministic `correct` is Cohen's kappa (1960) over the cases that
have both.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from evaluation.errors import ModelUnavailable, NoReply, RunInvalid
from evaluation.metrics.statistics import Estimate, mean_interval
from evaluation.rows import Row, keep_whole_lines, read_rows
from evaluation.structured_replies import ReplyForm, StructuredClient
from service.generators.openai_client import ModelEndpoint

JudgeOutcome = Literal["right", "partly", "wrong", "unparsable", "unanswered"]
_FILE = "judge.jsonl"
_NO_VERDICT = ("unparsable", "unanswered")


class JudgementForm(ReplyForm):
    """The form of the judge's reply."""

    reason: str
    verdict: Literal["right", "partly", "wrong"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one case; `reason` is in the judge's words, or what it or its server wrote instead of a verdict.

    `request` is the SHA-256 of the model's name and the messages sent.
    """

    case: str
    outcome: JudgeOutcome
    reason: str
    model: str
    request: str


@dataclass(frozen=True, slots=True)
class JudgeSummary:
    """A run's judgements. `right` counts those with a verdict; `agreement` and `kappa` compare with `correct`."""

    judgements: tuple[Judgement, ...]
    models: tuple[str, ...]
    prompt_hash: str
    right: Estimate | None
    unparsable: int
    unanswered: int
    agreement: Estimate | None
    kappa: float | None


class Judge:
    """Asks the model at `server`, which may write `max_tokens` for each verdict."""

    def __init__(self, server: ModelEndpoint, *, max_tokens: int = 512) -> None:
        self._client = StructuredClient(
            server,
            "judge",
            {"question", "reference", "answer", "quotes"},
            JudgementForm,
            max_tokens=max_tokens,
            advice="(For the judge these are --base-url, --model and JUDGE_API_KEY.)",
        )

    @property
    def prompt_hash(self) -> str:
        """SHA-256 of the prompt's files."""
        return self._client.prompt_hash

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def judge(self, row: Row, kept: Judgement | None = None) -> Judgement:
        """The judgement of one answered row: `kept`, if it was made for the same request. Raises ModelUnavailable."""
        messages = self._client.messages(**_prompt_values(row))
        identity = f"{self._client.model}\0{messages.instructions}\0{messages.request}"
        request = sha256(identity.encode()).hexdigest()
        if kept is not None and kept.request == request:
            return kept
        try:
            reply = self._client.ask(messages)
        except NoReply as refused:
            return Judgement(row.case, "unanswered", str(refused), self._client.model, request)
        if reply.form is None:
            return Judgement(row.case, "unparsable", reply.text, reply.model, request)
        return Judgement(row.case, reply.form.verdict, reply.form.reason, reply.model, request)


def _prompt_values(row: Row) -> dict[str, str]:
    """The values of the prompt's placeholders for a case."""
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


def judge_run(folder: Path, judge: Judge, *, on_progress: Callable[[int, int], None] | None = None) -> JudgeSummary:
    """Judge every answered row of a run, store the judgements in judge.jsonl, and summarise them.

    A stored judgement is kept when the same was asked of the same model; all others are asked for again. Raises
    ModelUnavailable when the server goes away, or replies to no request at all.
    """
    rows = [row for row in read_rows(folder) if row.output is not None and "sentences" in row.output]
    if not rows:
        raise RunInvalid(f"{folder} holds no answers. Judge a run of the task answer.")
    if any(row.is_blind for row in rows):
        raise RunInvalid(
            f"{folder} holds figures of sealed cases, without their words. Run them with --open to judge them."
        )
    keep_whole_lines(folder / _FILE)
    kept = read_judgements(folder)
    judgements: list[Judgement] = []
    with (folder / _FILE).open("a", encoding="utf-8") as stream:
        for number, row in enumerate(rows, start=1):
            judgement = judge.judge(row, kept.get(row.case))
            judgements.append(judgement)
            if judgement is not kept.get(row.case) and judgement.outcome != "unanswered":
                stream.write(json.dumps(asdict(judgement), ensure_ascii=False) + "\n")
                stream.flush()
            if on_progress is not None:
                on_progress(number, len(rows))
    if all(judgement.outcome == "unanswered" for judgement in judgements):
        raise ModelUnavailable(f"Not one of {len(judgements)} requests had a reply. {judgements[0].reason}")
    return summarize(rows, judgements, judge.prompt_hash)


def summarize(rows: Sequence[Row], judgements: Sequence[Judgement], prompt_hash: str) -> JudgeSummary:
    """The shares and the agreement. "partly" counts as not right."""
    judged = [pair for pair in zip(rows, judgements, strict=True) if pair[1].outcome not in _NO_VERDICT]
    both = [
        (row.scores["correct"] == 1.0, judgement.outcome == "right")
        for row, judgement in judged
        if row.scores.get("correct") is not None
    ]
    return JudgeSummary(
        judgements=tuple(judgements),
        models=tuple(sorted({judgement.model for judgement in judgements})),
        prompt_hash=prompt_hash,
        right=mean_interval([float(judgement.outcome == "right") for _, judgement in judged]),
        unparsable=sum(judgement.outcome == "unparsable" for judgement in judgements),
        unanswered=sum(judgement.outcome == "unanswered" for judgement in judgements),
        agreement=mean_interval([float(left == right) for left, right in both]),
        kappa=cohen_kappa(both),
    )


def cohen_kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Agreement beyond chance. None without pairs, or when chance alone would always agree."""
    if not pairs:
        return None
    count = len(pairs)
    observed = sum(left == right for left, right in pairs) / count
    left_share, right_share = (sum(pair[side] for pair in pairs) / count for side in (0, 1))
    chance = left_share * right_share + (1 - left_share) * (1 - right_share)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def markdown(summary: JudgeSummary) -> str:
    """The summary for a terminal or a pull request."""
    total = len(summary.judgements)

    def interval(estimate: Estimate | None) -> str:
        if estimate is None:
            return "-"
        return f"{estimate.value:.4f} ({estimate.low:.4f} – {estimate.high:.4f}, n={estimate.cases})"

    return "\n".join(
        [
            f"Judge {', '.join(summary.models)}, prompt {summary.prompt_hash[:12]}, {total} answers",
            "",
            "| | |",
            "| --- | --- |",
            f"| right | {interval(summary.right)} |",
            f"| unparsable verdicts | {summary.unparsable} of {total} |",
            f"| requests without a whole reply | {summary.unanswered} of {total} |",
            f"| agreement with `correct` | {interval(summary.agreement)} |",
            f"| Cohen's kappa | {'-' if summary.kappa is None else f'{summary.kappa:.4f}'} |",
        ]
    )


def read_judgements(folder: Path) -> dict[str, Judgement]:
    """The stored judgements of a run by case, the last one for each; empty if it was not judged. Raises RunInvalid."""
    file = folder / _FILE
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    kept: dict[str, Judgement] = {}
    for number, line in enumerate(lines, start=1):
        try:
            fields: Mapping[str, Any] = json.loads(line)
            kept[fields["case"]] = Judgement(**fields)
        except (ValueError, LookupError, TypeError) as error:
            raise RunInvalid(
                f"{file}, line {number}: no verdict ({error}). Move the file away to judge all answers again."
            ) from error
    return kept
