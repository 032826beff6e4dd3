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
    """One system in one round.

    `query_ms` holds a value for each query, `right_s` one for each query with the right answer: the seconds since the
    start from nothing.
    """

    system: str
    load_s: float
    index_s: float
    query_ms: tuple[float, ...]
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
    programs: dict[str, tuple[Path, Path]] = {_QUOTH: (Path(sys.executable), _PROGRAMS / "quoth_itself.py")}
    left_out: dict[str, str] = {}
    installed: dict[str, Sequence[str]] = {}
    for peer in (peer for peer in PEERS if peer.name in plan.peers):
        say(f"Preparing {peer.name}")
        environment = prepare(peer, out / "environments")
        if environment.python is None:
            left_out[peer.name] = environment.reason or ""
        else:
            programs[peer.name] = (environment.python, _PROGRAMS / peer.program)
            installed[peer.name] = environment.versions
    rounds: list[dict[str, Measurement]] = []
    for number in range(1, plan.repeats + 1):
        measurements: dict[str, Measurement] = {}
        for name, (python, program) in programs.items():
            say(f"Round {number} of {plan.repeats}: {name}")
            try:
                measurements[name] = _run(name, python, program, workload, plan.threads)
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
    """The tables: medians over rounds, and Quoth's speed as a multiple of each peer's, with minimum and maximum."""
    lines = [
        f"{plan.documents:,} documents, {plan.queries} queries, {plan.threads} threads, {plan.repeats} rounds; "
        "median (least – greatest)",
        "",
        "| system | load s | documents/s | query ms p50 | p95 | peak MiB | right answer after s "
        "| Quoth indexes | Quoth answers | Quoth answers right |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = list(dict.fromkeys(name for found in rounds for name in found))
    for name in names:
        runs = [found[name] for found in rounds if name in found]
        pairs = [(found[_QUOTH], found[name]) for found in rounds if name in found and _QUOTH in found]
        query = [percentiles(run.query_ms) for run in runs]
        cells = [
            name,
            _spread([run.load_s for run in runs], 1),
            _spread([plan.documents / run.index_s for run in runs], 0),
            _spread([found["p50"] for found in query], 1),
            _spread([found["p95"] for found in query], 1),
            _spread([run.rss_mib for run in runs], 0),
            _spread([median(run.right_s) for run in runs if run.right_s], 1),
        ]
        if name == _QUOTH:
            cells += ["", "", ""]
        else:
            cells.append(_spread([other.index_s / own.index_s for own, other in pairs], 2) + "x")
            medians = [(median(own.query_ms), median(other.query_ms)) for own, other in pairs]
            cells.append(_spread([other / own for own, other in medians], 2) + "x")
            earlier = [
                median(other.right_s) / median(own.right_s) for own, other in pairs if own.right_s and other.right_s
            ]
            cells.append(_spread(earlier, 1) + "x" if earlier else "")
        lines.append(f"| {' | '.join(cells)} |")
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


def _run(name: str, python: Path, program: Path, workload: Path, threads: int) -> Measurement:
    command = [str(python), str(program), str(workload), str(bundled_folder()), str(threads)]
    figures = _run_child(command)
    if name == _QUOTH:
        figures |= _run_child([command[0], str(_PROGRAMS / "quoth_first.py"), *command[2:]])
    return Measurement(name, **{**figures, **{many: tuple(figures[many]) for many in ("query_ms", "right_s")}})


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
    middle = f"{median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.{digits}f} – {max(values):,.{digits}f})"
