"""The rows of a run: what is stored about each case, one JSON line each, and the files that hold them.

`rows.jsonl` holds nothing that differs between two equal runs, so equal runs have equal bytes: floats have six
decimals, answer ids are left out, and milliseconds are in `timings.jsonl`, one line per case in the same order.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from evaluation.cases import Case
from evaluation.errors import RunInvalid

ROWS = "rows.jsonl"
TIMINGS = "timings.jsonl"
NOTES = frozenset({"review", "comment"})
"""Tags that are remarks to a person, not kinds of cases."""
_FIGURES_NEED = ("refused", "confidence", "supported", "generator", "usage", "drafted")


@dataclass(frozen=True, slots=True)
class Row:
    """One case: the question, what is right, the output, and its scores; `error` says why there is no output."""

    case: str
    question: str
    gold: Mapping[str, Any]
    tags: Mapping[str, str]
    output: Mapping[str, Any] | None
    scores: Mapping[str, float | None]
    error: str | None = None

    def line(self) -> bytes:
        """The row as a JSON line."""
        return _line(asdict(self))

    @property
    def is_blind(self) -> bool:
        """Whether only what figures need is stored."""
        return not self.question

    def blind(self) -> "Row":
        """The row with what figures need and no words: of a sealed case."""
        output = self.output or {}
        kept: dict[str, Any] = {name: output[name] for name in _FIGURES_NEED if name in output}
        if "sentences" in output:
            kept["sentences"] = [{"supported": sentence["supported"]} for sentence in output["sentences"]]
        if "why" in output:
            kept["why"] = {"stage": output["why"]["stage"]}
        gold = {name: self.gold[name] for name in ("answerable", "supported") if name in self.gold}
        error = None if self.error is None else self.error.partition(":")[0]
        tags = {name: value for name, value in self.tags.items() if name not in NOTES}
        return Row(self.case, "", gold, tags, None if self.output is None else kept, self.scores, error)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The row with the fields of a parsed line."""
        return cls(**fields)


def gold_fields(case: Case) -> dict[str, Any]:
    """What a row stores about the right answer, so that a report does not need the data set."""
    gold: dict[str, Any] = {
        "answerable": case.answerable,
        "answers": list(case.answers),
        "evidence": [asdict(evidence) for evidence in case.evidence],
        "relevant": dict(case.relevant),
        "supported": case.supported,
        "history": [asdict(turn) for turn in case.history],
    }
    return {name: value for name, value in gold.items() if value not in (None, [], {})}


def read_rows(folder: Path) -> list[Row]:
    """The rows of a run folder, in order. Raises RunInvalid with the line at fault."""
    return [Row.of(fields) for fields in _read_lines(folder / ROWS)]


def read_timings(folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds by stage for each case."""
    return {fields["case"]: fields["ms"] for fields in _read_lines(folder / TIMINGS)}


def cut_at_first_error(folder: Path) -> dict[str, tuple[Row, dict[str, float]]]:
    """Cut the files off before the first error; return the later rows without an error by case, with their timings.

    Nothing is cut from a run without errors. Unfinished last lines are removed too.
    """
    if not (folder / ROWS).exists():
        return {}
    keep_whole_lines(folder / ROWS)
    rows = read_rows(folder)
    first = next((place for place, row in enumerate(rows) if row.error is not None), None)
    if first is None:
        return {}
    keep_whole_lines(folder / TIMINGS)
    timings = read_timings(folder)
    for name in (ROWS, TIMINGS):
        keep_whole_lines(folder / name, first)
    return {row.case: (row, timings[row.case]) for row in rows[first:] if row.error is None and row.case in timings}


class RowWriter:
    """Appends rows and timings in the order of the cases; a line is passed to the operating system when `write`
    returns.

    Opening removes a line that a killed run left unfinished, and lines that only one of the two files has.
    """

    def __init__(self, folder: Path) -> None:
        done = min(len(keep_whole_lines(folder / name)) for name in (ROWS, TIMINGS))
        for name in (ROWS, TIMINGS):
            keep_whole_lines(folder / name, done)
        self.done: tuple[str, ...] = tuple(row.case for row in read_rows(folder)) if done else ()
        self._rows: BinaryIO = (folder / ROWS).open("ab")
        self._timings: BinaryIO = (folder / TIMINGS).open("ab")

    def write(self, row: Row, timings_ms: Mapping[str, float]) -> None:
        """Append one case."""
        self._timings.write(_line({"case": row.case, "ms": {k: round(v, 3) for k, v in timings_ms.items()}}))
        self._timings.flush()
        self._rows.write(row.line())
        self._rows.flush()

    def close(self) -> None:
        """Close both files."""
        self._rows.close()
        self._timings.close()


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _read_lines(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise RunInvalid(f"{file}: {error.strerror}. Name a folder that `quoth eval run --out` has written.") from error
    values = []
    for number, line in enumerate(lines, start=1):
        try:
            values.append(json.loads(line))
        except ValueError as error:
            raise RunInvalid(f"{file}, line {number}: not JSON ({error}). Run again into a new folder.") from error
    return values


def keep_whole_lines(file: Path, max_lines: int | None = None) -> list[bytes]:
    """Cut a file off after its complete lines, at most `max_lines` of them, and return those."""
    if not file.exists():
        return []
    kept = file.read_bytes().split(b"\n")[:-1][:max_lines]
    with file.open("r+b") as stream:
        stream.truncate(sum(len(line) + 1 for line in kept))
    return kept
