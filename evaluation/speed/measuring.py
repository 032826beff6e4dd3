"""Run Quoth and the peers in turn, round by round, and write speed.json and speed.md.

Each system runs in its own process. A round runs every system once, so that whatever slows the machine for a while
slows all; the ratio to Quoth is computed within a round, and its spread over rounds is shown.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from evaluation.errors import TaskUnfit
from evaluation.manifest import machine, versions
from evaluation.metrics.statistics import percentiles
from evaluation.speed.environments import PEERS, prepare
from evaluation.speed.growth import base_vectors
from evaluation.speed.workload import write_workload
from index.embedding.encoder import SentenceEncoder
from index.embedding.weights import bundled_folder

_PROGRAMS = Path(__file__).parent / "peers"
_LAST_LINES = 3
_MEDIAN_FROM = 3
_QUOTH = "Quoth"


@dataclass(frozen=True, slots=True)
class SpeedPlan:
    """What to measure: peers by name, sizes, rounds, threads, and chunk counts for growth.

    `like` is the folder of a collection whose vectors growth draws others around.
    """

    peers: tuple[str, ...]
    documents: int
    queries: int
    repeats: int
    threads: int
    growth: tuple[int, ...]
    like: Path | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One system in one round. `index_cpu_s` and `query_cpu_ms` are processor time, of all threads.

    `query_ms` and `query_cpu_ms` hold a value for each query, `right_s` one for each query with the right answer: the
    seconds since the start from nothing.
    """

    system: str
    load_s: float
    index_s: float
    index_cpu_s: float
    query_ms: tuple[float, ...]
    query_cpu_ms: tuple[float, ...]
    rss_mib: float
    found: int
    right_s: tuple[float, ...]


def peer_names(text: str) -> tuple[str, ...]:
    """The peers in a comma-separated list, or for "all" or "none". Raises TaskUnfit for an unknown one."""
    known = {peer.name.casefold(): peer.name for peer in PEERS}
    if text in {"all", "none"}:
        return tuple(known.values()) if text == "all" else ()
    names = [name.strip().casefold() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise TaskUnfit(f"No peer is named {name!r}. There are: {', '.join(known.values())}.")
    return tuple(known[name] for name in names)


def measure(plan: SpeedPlan, out: Path, *, say: Callable[[str], None]) -> str:
    """Carry out the plan; return the Markdown, also in speed.md. `say` is called with each step."""
    workload = write_workload(out / "workload", plan.documents, plan.queries)
    programs: dict[str, list[str]] = {_QUOTH: [sys.executable, str(_PROGRAMS / "quoth_itself.py")]}
    left_out: dict[str, str] = {}
    installed: dict[str, Sequence[str]] = {}
    for peer in (peer for peer in PEERS if peer.name in plan.peers):
        say(f"Preparing {peer.name}")
        environment = prepare(peer, out / "environments")
        if environment.python is None:
            left_out[peer.name] = environment.reason or ""
        else:
            programs[peer.name] = [str(environment.python), str(_PROGRAMS / peer.program), *peer.arguments]
            installed[peer.name] = environment.versions
    rounds: list[dict[str, Measurement]] = []
    for number in range(1, plan.repeats + 1):
        measurements: dict[str, Measurement] = {}
        for name, command in programs.items():
            say(f"Round {number} of {plan.repeats}: {name}")
            try:
                measurements[name] = _run(name, command, workload, plan.threads)
            except ChildFailed as error:
                left_out[name] = str(error)
        programs = {name: program for name, program in programs.items() if name not in left_out}
        rounds.append(measurements)
    growth = _measure_growth(plan, out / "growth", say) if plan.growth else []
    text = markdown(plan, rounds, left_out, growth, installed)
    (out / "speed.md").write_text(text, encoding="utf-8")
    record = {
        "plan": {**asdict(plan), "like": plan.like and plan.like.name},
        "machine": machine(),
        "versions": versions(),
        "peers": installed,
        "rounds": [{name: asdict(item) for name, item in measurements.items()} for measurements in rounds],
        "left_out": left_out,
        "growth": growth,
    }
    (out / "speed.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return text


class ChildFailed(Exception):
    """A measured program ended with an error; the message has its last lines."""


def markdown(
    plan: SpeedPlan,
    rounds: Sequence[Mapping[str, Measurement]],
    left_out: Mapping[str, str],
    growth: Sequence[Mapping[str, float]],
    installed: Mapping[str, Sequence[str]],
) -> str:
    """The tables: medians over rounds, and Quoth's speed as a multiple of each peer's, within rounds. A median stands
    only with three rounds or more; of fewer, least and greatest are shown.
    """
    lines = [
        f"{plan.documents:,} documents, {plan.queries} queries, {plan.threads} threads, {plan.repeats} rounds; "
        + (
            "median (least – greatest)"
            if plan.repeats >= _MEDIAN_FROM
            else "least – greatest: too few rounds for a median"
        ),
        "",
        "| system | load s | index s | of it processor s | query ms p50 | p95 | processor ms p50 | peak MiB "
        "| right answer after s | answered right |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = list(dict.fromkeys(name for found in rounds for name in found))
    for name in names:
        runs = [found[name] for found in rounds if name in found]
        query = [percentiles(run.query_ms) for run in runs]
        right = [run.right_s for run in runs]
        cells = [
            name,
            _spread([run.load_s for run in runs], 1),
            _spread([run.index_s for run in runs], 1),
            _spread([run.index_cpu_s for run in runs], 1),
            _spread([found["p50"] for found in query], 1),
            _spread([found["p95"] for found in query], 1),
            _spread([median(run.query_cpu_ms) for run in runs], 1),
            _spread([run.rss_mib for run in runs], 0),
            _spread([median(seconds) for seconds in right if 2 * len(seconds) >= plan.queries], 1),
            _spread([len(seconds) for seconds in right], 0),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "The time after which a question has its right answer is shown where at least half of the questions got it. How many "
        "times as fast Quoth is, by processor time and by elapsed time, within rounds:",
        "",
        "| compared with | indexes, processor | indexes, elapsed | answers, processor | answers, elapsed |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in names:
        pairs = [(found[_QUOTH], found[name]) for found in rounds if name in found and _QUOTH in found]
        if name != _QUOTH and pairs:
            ratios = (
                [other.index_cpu_s / own.index_cpu_s for own, other in pairs],
                [other.index_s / own.index_s for own, other in pairs],
                [median(other.query_cpu_ms) / median(own.query_cpu_ms) for own, other in pairs],
                [median(other.query_ms) / median(own.query_ms) for own, other in pairs],
            )
            lines.append(f"| {name} | {' | '.join(_spread(values, 2) + 'x' for values in ratios)} |")
    lines += ["", *(f"{name}: {', '.join(found)}" for name, found in installed.items())]
    lines += [f"{name} is not measured: {reason}" for name, reason in left_out.items()]
    if growth:
        lines += [
            "",
            "Elapsed time, in brackets processor time:",
            "",
            "| chunks | added in s | first search after s | query ms p50 | p95 | recall@10 | peak MiB | mapped | disk MiB |",
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        lines += [
            f"| {row['chunks']:,.0f} | {row['build_s']:.0f} ({row['build_cpu_s']:.0f}) "
            f"| {row['start_s']:.1f} ({row['start_cpu_s']:.1f}) "
            f"| {row['query_ms_p50']:.1f} ({row['query_cpu_ms_p50']:.1f}) "
            f"| {row['query_ms_p95']:.1f} ({row['query_cpu_ms_p95']:.1f}) | {row['recall']:.3f} "
            f"| {row['rss_mib']:.0f} | {row['mapped_mib']:.0f} | {row['disk_mib']:.0f} |"
            for row in growth
        ]
    return "\n".join(lines) + "\n"


def _run(name: str, command: Sequence[str], workload: Path, threads: int) -> Measurement:
    python, program, *further = command
    given = [str(workload), str(bundled_folder()), str(threads)]
    figures = _run_child([python, program, *given, *further])
    if name == _QUOTH:
        figures |= _run_child([python, str(_PROGRAMS / "quoth_first.py"), *given])
    lists = ("query_ms", "query_cpu_ms", "right_s")
    return Measurement(name, **{**figures, **{many: tuple(figures[many]) for many in lists}})


def _measure_growth(plan: SpeedPlan, folder: Path, say: Callable[[str], None]) -> list[dict[str, float]]:
    """Grow one collection in `folder` through all sizes, remove it, and return the figures at each size."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    around, collection = folder / "around.npy", folder / "collection"
    np.save(around, base_vectors(plan.like))
    SentenceEncoder(cache=folder / "cache").encode(["compiled once"])
    figures = []
    for size in sorted(plan.growth):
        say(f"Growing to {size:,} chunks")
        program = [sys.executable, "-m", "evaluation.speed.growth"]
        built = _run_child([*program, "grow", str(collection), str(around), str(size)])
        figures.append(built | _run_child([*program, "serve", str(collection), str(around), str(time.time())]))
    shutil.rmtree(folder)
    return figures


def _run_child(command: Sequence[str]) -> dict[str, Any]:
    """The JSON object that the program prints last. Raises ChildFailed with its last lines."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stdout.strip().splitlines()
    if result.returncode != 0 or not lines:
        output = " / ".join(result.stderr.strip().splitlines()[-_LAST_LINES:])
        raise ChildFailed(f"exit code {result.returncode}: {output}")
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures


def _spread(values: Sequence[float], digits: int) -> str:
    if not values:
        return "–"
    least, middle, greatest = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    if len(values) == 1 or least == greatest:
        return middle
    return f"{middle} ({least} – {greatest})" if len(values) >= _MEDIAN_FROM else f"{least} – {greatest}"
