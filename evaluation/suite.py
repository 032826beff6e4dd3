"""Read suite.toml, which lists runs and the gates that they must pass, and check the gates.

    name = "release"
    seed = 7

    [[run]]
    name = "clapnq"                     # folder of the run, and its name in reports
    dataset = "../data/clapnq"          # relative to the suite file
    sha256 = "17d1..."                  # seals the data; `quoth eval run` prints it
    task = "answer"
    sample = 100

    [[run.gate]]
    metric = "quote_validity"
    at_least = 1.0
    of = "low"                          # the value, or the low or high end of its interval

Unknown keys are errors. The manifest of every run records the hash of the suite file and of the data.
"""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from evaluation.datasets.loading import FORMATS, Format
from evaluation.errors import SuiteInvalid
from evaluation.retrievers import RETRIEVERS, Retriever
from evaluation.summary import Figure
from evaluation.tasks.task import TASKS, TaskName

Bound = Literal["value", "low", "high"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound on one metric: on its value, or on an end of its interval."""

    metric: str
    at_least: float | None
    at_most: float | None
    of: Bound


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """One run of a suite."""

    name: str
    dataset: Path
    format: Format | None
    split: str | None
    corpus: Path | None
    sha256: str | None
    task: TaskName | None
    retriever: Retriever
    only: Path | None
    sample: int | None
    generator: str | None
    gates: tuple[Gate, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite: its entries, and the hash of the file's bytes."""

    name: str
    seed: int
    entries: tuple[SuiteEntry, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a run passed a gate. `measured` is None when the run has no such metric, which fails."""

    run: str
    gate: Gate
    measured: float | None
    passed: bool

    def __str__(self) -> str:
        required = f">= {self.gate.at_least}" if self.gate.at_least is not None else f"<= {self.gate.at_most}"
        measured = "not measured" if self.measured is None else f"{self.measured:.4f}"
        bound = "" if self.gate.of == "value" else f" ({self.gate.of} end)"
        return (
            f"{'pass' if self.passed else 'FAIL'}  {self.run}: {self.gate.metric}{bound} {measured}, wanted {required}"
        )


def read_suite(file: Path) -> Suite:
    """The suite in a file. Raises SuiteInvalid, which names the key and its allowed values."""
    try:
        data = file.read_bytes()
        table = tomllib.loads(data.decode())
    except (OSError, ValueError) as error:
        raise SuiteInvalid(f"{file}: {error}. Write it as docs/evaluation.md shows.") from error
    _refuse_unknown(table, ("name", "seed", "run"), file, "the suite")
    entries = tuple(_entry(run, file) for run in table.get("run", []))
    names = [entry.name for entry in entries]
    if not entries or len(set(names)) != len(names):
        raise SuiteInvalid(f"{file}: its runs are {names}. Give it at least one [[run]], each with its own name.")
    seed = _typed_value(table, "seed", int, file, 0)
    name = _typed_value(table, "name", str, file, file.stem)
    return Suite(name, seed, entries, hashlib.sha256(data).hexdigest())


def check_gates(run: str, gates: Sequence[Gate], figures: Sequence[Figure]) -> list[GateResult]:
    """The result of each gate."""
    estimates = {figure.metric: figure.estimate for figure in figures}
    results = []
    for gate in gates:
        estimate = estimates.get(gate.metric)
        measured: float | None = None if estimate is None else getattr(estimate, gate.of)
        passed = (
            measured is not None
            and (gate.at_least is None or measured >= gate.at_least)
            and (gate.at_most is None or measured <= gate.at_most)
        )
        results.append(GateResult(run, gate, measured, passed))
    return results


_ENTRY = ("name", "dataset", "format", "split", "corpus", "sha256", "task", "retriever", "only", "sample", "generator")


def _entry(table: Mapping[str, Any], file: Path) -> SuiteEntry:
    _refuse_unknown(table, (*_ENTRY, "gate", "settings"), file, "a [[run]]")
    for key in ("name", "dataset"):
        if not isinstance(table.get(key), str):
            raise SuiteInvalid(f"{file}: a [[run]] without {key!r}. Give it one, as a text.")
    corpus = _typed_value(table, "corpus", str, file, None)
    only = _typed_value(table, "only", str, file, None)
    return SuiteEntry(
        name=table["name"],
        dataset=file.parent / table["dataset"],
        format=_choice(table, "format", FORMATS, file, None),
        split=_typed_value(table, "split", str, file, None),
        corpus=None if corpus is None else file.parent / corpus,
        sha256=_typed_value(table, "sha256", str, file, None),
        task=_choice(table, "task", TASKS, file, None),
        retriever=_choice(table, "retriever", RETRIEVERS, file, "hybrid"),
        only=None if only is None else file.parent / only,
        sample=_typed_value(table, "sample", int, file, None),
        generator=_typed_value(table, "generator", str, file, None),
        gates=tuple(_gate(gate, file) for gate in table.get("gate", [])),
        settings=_typed_value(table, "settings", dict, file, {}),
    )


def _gate(table: Mapping[str, Any], file: Path) -> Gate:
    _refuse_unknown(table, ("metric", "at_least", "at_most", "of"), file, "a [[run.gate]]")
    bounds = [table.get("at_least"), table.get("at_most")]
    if sum(bound is not None for bound in bounds) != 1 or not isinstance(table.get("metric"), str):
        raise SuiteInvalid(f"{file}: the gate {dict(table)}. Give it 'metric' and one of 'at_least' and 'at_most'.")
    minimum, maximum = (None if bound is None else float(bound) for bound in bounds)
    return Gate(table["metric"], minimum, maximum, _choice(table, "of", get_args(Bound), file, "value"))


def _refuse_unknown(table: Mapping[str, Any], keys: Sequence[str], file: Path, where: str) -> None:
    for key in table:
        if key not in keys:
            close = get_close_matches(key, keys, n=1)
            advice = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(keys)}."
            raise SuiteInvalid(f"{file}: unknown key {key!r} in {where}. {advice}")


def _typed_value(table: Mapping[str, Any], key: str, kind: type, file: Path, default: Any) -> Any:
    value = table.get(key, default)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise SuiteInvalid(f"{file}: {key} = {value!r}. Make it a {kind.__name__}.")
    return value


def _choice(table: Mapping[str, Any], key: str, choices: Sequence[str], file: Path, default: Any) -> Any:
    value = table.get(key, default)
    if value is not None and value not in choices:
        raise SuiteInvalid(f"{file}: {key} = {value!r}. Use one of {', '.join(choices)}.")
    return value
