"""GitHub Actions: a gate that fails as an annotation of the run, and the report as the summary of the job."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evaluation.suite import GateResult

_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_ESCAPES, ":": "%3A", ",": "%2C"}


def annotations(results: Sequence[GateResult], suite: Path) -> Iterator[str]:
    """A workflow command for each gate that failed, at the suite's file."""
    for result in results:
        if not result.passed:
            title = _escaped(f"{result.run}: {result.gate.metric}", _IN_PROPERTIES)
            yield f"::error file={_escaped(str(suite), _IN_PROPERTIES)},title={title}::{_escaped(str(result), _ESCAPES)}"


def annotate(
    results: Sequence[GateResult], suite: Path, report: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """The lines to print in GitHub Actions; none elsewhere. The report is added to the summary of the job."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    yield from annotations(results, suite)
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary and report.exists():
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(report.read_text(encoding="utf-8"))


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(sign, sign) for sign in text)
