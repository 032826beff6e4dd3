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

    [[run.gate]]
    metric = "correct"
    at_least = 0.6
    where = { form = "table" }          # only the cases with these tags

`collection` names one that holds the documents, and `endpoint` a running Quoth whose collection does. A path may begin with
`{data}`, the folder of data sets that the reader of the suite is given. Unknown keys are errors.
The manifest of every run records the hash of the suite file and of the data.
"""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from evaluation.datasets.loading import FORMATS, Format
from evaluation.errors import SuiteInvalid
from evaluation.metrics.statistics import Estimate
from evaluation.retrievers import RETRIEVERS, Retriever
from evaluation.rows import Row
from evaluation.summary import figures
from evaluation.tasks.task import TASKS, TaskName

Bound = Literal["value", "low", "high"]
_DATA = "{data}/"


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound on one metric: on its value, or on an end of its interval; over the cases that have all the tags `where`."""

    metric: str
    at_least: float | None
    at_most: float | None
    of: Bound
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """One run of a suite."""

    name: str
    dataset: Path
    format: Format | None = None
    split: str | None = None
    corpus: Path | None = None
    sha256: str | None = None
    task: TaskName | None = None
    retriever: Retriever | None = None
    only: Path | None = None
    sample: int | None = None
    generator: str | None = None
    collection: str | None = None
    endpoint: str | None = None
    workers: int | None = None
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
        where = "".join(f", {tag} = {value}" for tag, value in self.gate.where.items())
        verdict = "pass" if self.passed else "FAIL"
        return f"{verdict}  {self.run}{where}: {self.gate.metric}{bound} {measured}, wanted {required}"


def read_suite(file: Path, data: Path | None = None) -> Suite:
    """The suite in a file, with `data` in the place of `{data}`. Raises SuiteInvalid: the key and its allowed values."""
    try:
        written = file.read_bytes()
        table = tomllib.loads(written.decode())
    except (OSError, ValueError) as error:
        raise SuiteInvalid(f"{file}: {error}. Write it as docs/evaluation.md shows.") from error
    _refuse_unknown(table, ("name", "seed", "run"), file, "the suite")
    entries = tuple(_entry(run, file, data) for run in table.get("run", []))
    names = [entry.name for entry in entries]
    if not entries or len(set(names)) != len(names):
        raise SuiteInvalid(f"{file}: its runs are {names}. Give it at least one [[run]], each with its own name.")
    seed = _typed_value(table, "seed", int, file, 0)
    name = _typed_value(table, "name", str, file, file.stem)
    return Suite(name, seed, entries, hashlib.sha256(written).hexdigest())


def check_gates(run: str, gates: Sequence[Gate], rows: Sequence[Row], *, seed: int = 0) -> list[GateResult]:
    """The result of each gate, from the rows of the run. A gate on what was not measured fails."""
    results = []
    estimates: dict[frozenset[tuple[str, str]], dict[str, Estimate]] = {}
    for gate in gates:
        tags = frozenset(gate.where.items())
        if tags not in estimates:
            chosen = [row for row in rows if tags <= row.tags.items()]
            estimates[tags] = {figure.metric: figure.estimate for figure in figures(chosen, seed=seed)}
        estimate = estimates[tags].get(gate.metric)
        measured: float | None = None if estimate is None else getattr(estimate, gate.of)
        passed = (
            measured is not None
            and (gate.at_least is None or measured >= gate.at_least)
            and (gate.at_most is None or measured <= gate.at_most)
        )
        results.append(GateResult(run, gate, measured, passed))
    return results


_ENTRY = tuple(entry.name for entry in fields(SuiteEntry) if entry.name != "gates")


def _entry(table: Mapping[str, Any], file: Path, data: Path | None) -> SuiteEntry:
    _refuse_unknown(table, (*_ENTRY, "gate"), file, "a [[run]]")
    for key in ("name", "dataset"):
        if not isinstance(table.get(key), str):
            raise SuiteInvalid(f"{file}: a [[run]] without {key!r}. Give it one, as a text.")
    corpus = _typed_value(table, "corpus", str, file, None)
    only = _typed_value(table, "only", str, file, None)
    return SuiteEntry(
        name=table["name"],
        dataset=_path(table["dataset"], file, data),
        format=_choice(table, "format", FORMATS, file, None),
        split=_typed_value(table, "split", str, file, None),
        corpus=None if corpus is None else _path(corpus, file, data),
        sha256=_typed_value(table, "sha256", str, file, None),
        task=_choice(table, "task", TASKS, file, None),
        retriever=_choice(table, "retriever", RETRIEVERS, file, None),
        only=None if only is None else _path(only, file, data),
        sample=_typed_value(table, "sample", int, file, None),
        generator=_typed_value(table, "generator", str, file, None),
        collection=_typed_value(table, "collection", str, file, None),
        endpoint=_typed_value(table, "endpoint", str, file, None),
        workers=_typed_value(table, "workers", int, file, None),
        gates=tuple(_gate(gate, file) for gate in table.get("gate", [])),
        settings=_typed_value(table, "settings", dict, file, {}),
    )


def _path(text: str, file: Path, data: Path | None) -> Path:
    """A path of the suite: relative to its file, or in the folder of data sets."""
    if not text.startswith(_DATA):
        return file.parent / text
    if data is None:
        raise SuiteInvalid(f"{file}: {text} is in a folder of data sets that was not named. Name the path itself.")
    return data / text.removeprefix(_DATA)


def _gate(table: Mapping[str, Any], file: Path) -> Gate:
    _refuse_unknown(table, tuple(gate.name for gate in fields(Gate)), file, "a [[run.gate]]")
    bounds = [table.get("at_least"), table.get("at_most")]
    if sum(bound is not None for bound in bounds) != 1 or not isinstance(table.get("metric"), str):
        raise SuiteInvalid(f"{file}: the gate {dict(table)}. Give it 'metric' and one of 'at_least' and 'at_most'.")
    minimum, maximum = (None if bound is None else float(bound) for bound in bounds)
    where = _typed_value(table, "where", dict, file, {})
    if not all(isinstance(value, str) for value in where.values()):
        raise SuiteInvalid(f'{file}: where = {where}. Write tags as texts: where = {{ form = "table" }}.')
    return Gate(table["metric"], minimum, maximum, _choice(table, "of", get_args(Bound), file, "value"), where)


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
