"""Row: what a run keeps of one case, one JSON line each, and the files they are kept in.

`rows.jsonl` holds nothing that differs between two equal runs, so equal runs have equal bytes: floats have six decimals, answer
ids are left out, and milliseconds are in `timings.jsonl`, a line a case in the same order.
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


@dataclass(frozen=True, slots=True)
class Row:
    """One case: what was asked, what is right, what came out, and its scores; `error` says why nothing came out."""

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

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The row of a parsed line."""
        return cls(**fields)


def gold_of(case: Case) -> dict[str, Any]:
    """What rows keep of the right answer, so that a report needs no data set."""
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
    """The rows of a run folder, in order. Raises RunInvalid with the line of the fault."""
    return [Row.of(fields) for fields in _read(folder / ROWS)]


def read_timings(folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds by stage, by case."""
    return {fields["case"]: fields["ms"] for fields in _read(folder / TIMINGS)}


def take_back(folder: Path) -> dict[str, tuple[Row, dict[str, float]]]:
    """Cut the run off before its first error; what stood behind it without an error, by case, with its timings.

    Nothing is cut from a run without errors. Unfinished last lines go too.
    """
    if not (folder / ROWS).exists():
        return {}
    whole_lines(folder / ROWS)
    rows = read_rows(folder)
    first = next((place for place, row in enumerate(rows) if row.error is not None), None)
    if first is None:
        return {}
    whole_lines(folder / TIMINGS)
    timings = read_timings(folder)
    for name in (ROWS, TIMINGS):
        whole_lines(folder / name, first)
    return {row.case: (row, timings[row.case]) for row in rows[first:] if row.error is None and row.case in timings}


class RowWriter:
    """Appends rows and timings, in the order of the cases; a line is in the operating system's hands when `write` returns.

    Opening it cuts a line that a killed run left unfinished, and what one file has more than the other.
    """

    def __init__(self, folder: Path) -> None:
        done = min(len(whole_lines(folder / name)) for name in (ROWS, TIMINGS))
        for name in (ROWS, TIMINGS):
            whole_lines(folder / name, done)
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


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise RunInvalid(f"{file}: {error.strerror}. Name a folder that `quoth eval run --out` has written.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(json.loads(line))
        except ValueError as error:
            raise RunInvalid(f"{file}, line {number}: not JSON ({error}). Run again into a new folder.") from error
    return found


def whole_lines(file: Path, most: int | None = None) -> list[bytes]:
    """The whole lines of a file that is appended to, at most the first `most`; the rest of the file is cut off."""
    if not file.exists():
        return []
    kept = file.read_bytes().split(b"\n")[:-1][:most]
    with file.open("r+b") as stream:
        stream.truncate(sum(len(line) + 1 for line in kept))
    return kept
