"""A language model's verdict on answers, from any OpenAI-compatible server. Optional; nothing needs it.

The model is asked for a JSON object of one fixed form. What is not that form is its own outcome, "unparsable", and
never counts as a verdict; how often it happens is reported. Temperature 0 and a fixed seed are asked for; the model's
name as the server gives it is recorded. Agreement with the deterministic `correct` is Cohen's kappa (1960) over the
cases that have both.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import httpx

from evaluation.errors import JudgeUnavailable, RunInvalid
from evaluation.metrics.intervals import Estimate, mean_interval
from evaluation.rows import Row, read_rows

Outcome = Literal["right", "partly", "wrong", "unparsable"]
VERDICTS = ("right", "partly", "wrong")
_FILE = "judge.jsonl"
_TEMPLATE = "judge_answer.txt"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": list(VERDICTS)}},
    "required": ["reason", "verdict"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said of one case; `reason` is its own words, or for "unparsable" what it wrote instead."""

    case: str
    outcome: Outcome
    reason: str
    model: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts of a run. `right` is over parsable verdicts; `agreement` and `kappa` are with the score `correct`."""

    verdicts: tuple[Verdict, ...]
    models: tuple[str, ...]
    prompt_hash: str
    right: Estimate | None
    unparsable: int
    agreement: Estimate | None
    kappa: float | None


class Judge:
    """Asks `model` at `base_url` (such as http://127.0.0.1:11434/v1)."""

    def __init__(self, base_url: str, model: str, key: str | None = None, *, timeout_s: float = 120.0) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=base_url.rstrip("/") + "/", headers=headers, timeout=timeout_s)
        self._base_url = base_url
        self._model = model
        self.template = (files("prompts") / _TEMPLATE).read_text(encoding="utf-8")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def verdict(self, row: Row) -> Verdict:
        """The verdict on one answered row. Raises JudgeUnavailable."""
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": prompt(self.template, row)}],
            "temperature": 0,
            "seed": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "verdict", "strict": True, "schema": _SCHEMA},
            },
        }
        try:
            response = self._client.post("chat/completions", json=body)
            response.raise_for_status()
            reply = response.json()
            text = reply["choices"][0]["message"]["content"]
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise JudgeUnavailable(
                f"{self._base_url}: {type(error).__name__}: {error}. Check the URL, the key and the model {self._model!r}."
            ) from error
        outcome, reason = parsed(text)
        return Verdict(row.case, outcome, reason, str(reply.get("model", self._model)))


def prompt(template: str, row: Row) -> str:
    """The template with the case filled in."""
    output = row.output or {}
    quotes = "\n".join(f"[{citation['number']}] {citation['quote']}" for citation in output.get("citations", []))
    gold = row.gold.get("answers") or [evidence["quote"] for evidence in row.gold.get("evidence", [])]
    reference = "\n".join(f"- {text}" for text in gold)
    if row.gold.get("answerable") is False:
        reference = "- The documents do not answer this question; the right answer is to say so."
    values = {
        "question": row.question,
        "reference": reference or "- (none known: judge by the quotes)",
        "answer": output.get("text", ""),
        "quotes": quotes or "(none)",
    }
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def parsed(text: object) -> tuple[Outcome, str]:
    """The verdict in a reply that is exactly the asked-for object; anything else is "unparsable". Nothing is repaired."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    if (
        isinstance(value, dict)
        and set(value) == {"reason", "verdict"}
        and isinstance(value["reason"], str)
        and value["verdict"] in VERDICTS
    ):
        return value["verdict"], value["reason"]
    return "unparsable", str(text)[:500]


def judge_run(folder: Path, judge: Judge, *, on_progress: Callable[[int, int], None] | None = None) -> Judgement:
    """Judge every answered row of a run, keep the verdicts in judge.jsonl, and sum up. Verdicts that are there are kept."""
    rows = [row for row in read_rows(folder) if row.output is not None and "sentences" in row.output]
    if not rows:
        raise RunInvalid(f"{folder} holds no answers. Judge a run of the task answer.")
    prompt_hash = hashlib.sha256(judge.template.encode()).hexdigest()
    verdicts = _kept(folder / _FILE, prompt_hash)
    with (folder / _FILE).open("a", encoding="utf-8") as stream:
        for number, row in enumerate(rows, start=1):
            if row.case not in verdicts:
                verdicts[row.case] = judge.verdict(row)
                line = {**asdict(verdicts[row.case]), "prompt_sha256": prompt_hash}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                stream.flush()
            if on_progress is not None:
                on_progress(number, len(rows))
    return summed(rows, [verdicts[row.case] for row in rows], prompt_hash)


def summed(rows: Sequence[Row], verdicts: Sequence[Verdict], prompt_hash: str) -> Judgement:
    """Shares and agreement. "partly" counts as not right."""
    parsable = [(row, verdict) for row, verdict in zip(rows, verdicts, strict=True) if verdict.outcome != "unparsable"]
    both = [
        (row.scores["correct"] == 1.0, v.outcome == "right")
        for row, v in parsable
        if row.scores.get("correct") is not None
    ]
    return Judgement(
        verdicts=tuple(verdicts),
        models=tuple(sorted({verdict.model for verdict in verdicts})),
        prompt_hash=prompt_hash,
        right=mean_interval([float(verdict.outcome == "right") for _, verdict in parsable]),
        unparsable=len(verdicts) - len(parsable),
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
            f"| agreement with `correct` | {shown(judgement.agreement)} |",
            f"| Cohen's kappa | {'-' if judgement.kappa is None else f'{judgement.kappa:.4f}'} |",
        ]
    )


def _kept(file: Path, prompt_hash: str) -> dict[str, Verdict]:
    if not file.exists():
        return {}
    kept = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        fields: dict[str, Any] = json.loads(line)
        if fields.pop("prompt_sha256") != prompt_hash:
            raise RunInvalid(f"{file} holds verdicts on another prompt. Move it away to judge anew.")
        kept[fields["case"]] = Verdict(**fields)
    return kept
