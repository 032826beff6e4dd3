"""Cases -> Quoth's own JSON lines format (`datasets/golden` reads it), one case a line, ready for a person's review."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evaluation.cases import Case, Evidence
from evaluation.errors import RunInvalid


def refuse_existing(file: Path) -> None:
    """Raise RunInvalid if the file exists: somebody may have reviewed it."""
    if file.exists():
        raise RunInvalid(f"{file} exists and may hold reviewed cases. Name another file with --out.")


def write(file: Path, cases: Iterable[Case]) -> None:
    """Write the cases. Raises RunInvalid if the file exists."""
    refuse_existing(file)
    file.write_text("".join(json.dumps(fields(case), ensure_ascii=False) + "\n" for case in cases), encoding="utf-8")


def fields(case: Case) -> dict[str, Any]:
    """The fields of one case; those that say nothing are left out."""
    known: dict[str, Any] = {
        "id": case.id,
        "question": case.question,
        "history": [{"question": turn.question, "answer": turn.answer} for turn in case.history],
        "answerable": case.answerable,
        "answers": list(case.answers),
        "evidence": [_evidence(evidence) for evidence in case.evidence],
        "rewrite": case.rewrite,
        "tags": dict(case.tags),
    }
    return {name: value for name, value in known.items() if value is not None and value not in ([], {})}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = {"document": evidence.document, "quote": evidence.quote}
    if evidence.start is not None:
        found |= {"start": evidence.start, "end": evidence.end}
    if evidence.group:
        found["group"] = evidence.group
    return found
