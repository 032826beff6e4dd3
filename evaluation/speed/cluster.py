"""Quoth embedded (a home folder) and distributed (PostgreSQL and Lance tables), side by side in one run.

Indexing: processes add drawn documents to one collection, each another share, and make drawn vectors for them, so what is
measured is everything but the encoder. Searching: one collection of real passages with their vectors, grown by drawn ones;
the same ledger is copied into the database, and both systems are asked the same questions.
"""

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, make_url, text

from evaluation.datasets.beir import read as read_beir
from evaluation.manifest import machine, versions
from evaluation.speed.cluster_process import make_encoder, open_library
from evaluation.speed.drawn import Cloud, DrawnEncoder, add_drawn
from index.collection import Collection
from index.embedding.encoder import Encoder
from index.ledger.sqlite.ledger import SqliteLedger
from index.records import Document
from index.storage.atomic import bytes_below
from index.storage.postgres import with_driver

_NAME = "passages"
_SAMPLE_SECONDS = 0.5
_ADDED = 500
_LISTS = ("hits", "dense", "words")


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """What to measure, and over which database and storage.

    `documents` are drawn for each number of `workers`; `sizes` are chunk counts to search, of which the passages of the BEIR
    folder `beir` are the first. `hashed`: with vectors of hashed words rather than the encoder that ships.
    """

    database: str
    storage: str
    beir: Path
    questions: int
    sizes: tuple[int, ...]
    workers: tuple[int, ...]
    documents: int
    hashed: bool


def measure(plan: ClusterPlan, out: Path, *, say: Callable[[str], None]) -> str:
    """Carry out the plan; return the Markdown, also in cluster.md. `say` is called with each step."""
    out.mkdir(parents=True, exist_ok=True)
    places = {
        "embedded": {"home": str(out / "embedded")},
        "distributed": {"home": str(out / "distributed"), "database": plan.database, "storage": plan.storage},
    }
    indexing = [
        {"system": system, "workers": count} | _index(place, plan.documents, count, say)
        for count in plan.workers
        for system, place in places.items()
    ]
    searching = [
        {"system": system, "chunks": size} | row
        for size in plan.sizes
        for system, row in _search(plan, places, size, out, say).items()
    ]
    pairs = [
        {"chunks": one["chunks"]} | agreement(one, other)
        for one, other in zip(searching[::2], searching[1::2], strict=True)
    ]
    written = markdown(plan, indexing, searching, pairs)
    (out / "cluster.md").write_text(written, encoding="utf-8")
    given = {
        "hashed": plan.hashed,
        "sizes": plan.sizes,
        "workers": plan.workers,
        "documents": plan.documents,
        "questions": plan.questions,
    }
    record = {
        "plan": given,
        "machine": machine(),
        "versions": versions(),
        "indexing": indexing,
        "searching": [{name: value for name, value in row.items() if name not in _LISTS} for row in searching],
        "agreement": pairs,
    }
    (out / "cluster.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return written


def agreement(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float]:
    """How far two systems find the same for the same questions: shares of all questions, and mean shares of each list.

    `same` is the share with the same passages in any order, `first` with the same first one, `hits` the mean share of common
    passages, and `dense` and `words` that of the first ten of each ranking.
    """
    pairs = list(zip(one["hits"], other["hits"], strict=True))
    figures = {
        "same": float(np.mean([set(here) == set(there) for here, there in pairs])),
        "first": float(np.mean([here[:1] == there[:1] for here, there in pairs])),
        "hits": _common(pairs),
    }
    for ranking in ("dense", "words"):
        lists = zip(one[ranking], other[ranking], strict=True)
        figures[ranking] = _common([(here[:10], there[:10]) for here, there in lists])
    return figures


def _common(pairs: Sequence[tuple[Sequence[object], Sequence[object]]]) -> float:
    shares = [
        len(set(here) & set(there)) / max(len(here), len(there)) if here or there else 1.0 for here, there in pairs
    ]
    return float(np.mean(shares))


def _index(place: dict[str, str], documents: int, workers: int, say: Callable[[str], None]) -> dict[str, float]:
    """Figures of `workers` processes that index at the same time, and of the lag meanwhile and afterwards."""
    system = "distributed" if "database" in place else "embedded"
    say(f"Indexing {documents:,} documents, {system}, {workers} workers")
    name = f"indexed{workers}"
    with closing(open_library(place, DrawnEncoder())) as library:
        if name in library.names():
            library.drop(name)
        collection = library.open_or_create(name)
        watch = _LagSampler(collection)
        bounds = np.linspace(0, documents, workers + 1).astype(int)
        rows = _run_together([["add", json.dumps(place), name, str(a), str(b)] for a, b in pairwise(bounds)])
        ended = time.time()
        left = collection.search_lag().changes
        while collection.search_lag().changes:
            time.sleep(0.05)
        caught_up = time.time()
        watch.stop()
        chunks = collection.state().chunks
        collection.search("first")
        library.drop(name)
    elapsed = max(row["ended"] for row in rows) - min(row["begun"] for row in rows)
    figures = {
        "chunks": chunks,
        "seconds": elapsed,
        "chunks_a_second": chunks / elapsed,
        "cpu_s": sum(row["cpu_s"] for row in rows),
        "rss_mib": max(row["rss_mib"] for row in rows),
        "lag_changes": watch.changes,
        "lag_s": watch.seconds,
        "left": left,
        "left_s": caught_up - ended,
    }
    say(json.dumps(figures))
    return figures


class _LagSampler:
    """Looks at the lag of a collection twice a second, and keeps the greatest."""

    def __init__(self, collection: Collection) -> None:
        self.changes, self.seconds = 0, 0.0
        self._collection = collection
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            lag = self._collection.search_lag()
            self.changes, self.seconds = max(self.changes, lag.changes), max(self.seconds, lag.seconds)


def _search(
    plan: ClusterPlan, places: Mapping[str, dict[str, str]], size: int, out: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Figures of both systems over the same collection of `size` chunks."""
    cache = None if plan.hashed else out / "cache"
    encoder = make_encoder(cache)
    dataset = read_beir(plan.beir)
    asked = out / "questions.json"
    asked.write_text(json.dumps([case.question for case in dataset.cases[: plan.questions]]), encoding="utf-8")
    folder = Path(places["embedded"]["home"]) / "collections" / _NAME
    with closing(Collection(folder, encoder)) as collection:
        if collection.state().chunks == 0:
            say(f"Indexing the passages of {plan.beir.name}")
            sources = list((dataset.sources or {}).values())
            for start in range(0, len(sources), _ADDED):
                collection.change(
                    [(_passage(one.id, one.title, one.text), None) for one in sources[start : start + _ADDED]]
                )
        collection.embed_pending(on_progress=lambda done, total: say(f"{done:,} of {total:,} vectors"))
    with closing(
        SqliteLedger(folder / "ledger.sqlite", encoder=encoder.fingerprint, dimension=encoder.dimension)
    ) as ledger:
        with ledger.snapshot() as snapshot:
            vectors = snapshot.sample(20_000)
        say(f"Growing to {size:,} chunks")
        add_drawn(ledger, Cloud(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)), size)
        figures: dict[str, dict[str, Any]] = {"embedded": {}, "distributed": {}}
        with closing(open_library(places["embedded"], encoder)) as library:
            figures["embedded"] |= _timed("built", lambda: _make_searchable(library.open(_NAME)))
        with closing(open_library(places["distributed"], encoder)) as library:
            if _NAME in library.names():
                library.drop(_NAME)
            say("Copying the ledger into the database, and projecting it")
            figures["distributed"] |= _timed("copied", lambda: _adopt(library, ledger, encoder))
            figures["distributed"] |= _timed("built", lambda: _make_searchable(library.open(_NAME)))
    for system, place in places.items():
        say(f"Searching {size:,} chunks, {system}")
        figures[system] |= _run_together(
            [["search", json.dumps(place), _NAME, str(asked), "" if cache is None else str(cache)]]
        )[0]
    figures["embedded"]["disk_mib"] = bytes_below(folder) / 2**20
    figures["distributed"]["disk_mib"] = _database_bytes(plan.database) / 2**20
    tables = Path(plan.storage)
    figures["distributed"]["tables_mib"] = bytes_below(tables) / 2**20 if tables.is_dir() else None
    for row in figures.values():
        say(json.dumps({name: value for name, value in row.items() if name not in _LISTS}))
    return figures


def _make_searchable(collection: Collection) -> None:
    """Do what a worker does until nothing is left to do, and save what a server would load."""
    while collection.search_lag().changes:
        collection.project()
    collection.project()


def _adopt(library: Any, ledger: SqliteLedger, encoder: Encoder) -> None:
    library._ledgers.adopt(  # an import without the packing of an export
        _NAME, ledger.copy, encoder=encoder.fingerprint, dimension=encoder.dimension
    )


def _passage(name: str, title: str, content: str) -> Document:
    return Document(name, hashlib.sha256(content.encode()).hexdigest(), f"beir:{name}", title, "text/plain", content)


def _timed(name: str, act: Callable[[], object]) -> dict[str, float]:
    begun, used = time.perf_counter(), time.process_time()
    act()
    return {f"{name}_s": time.perf_counter() - begun, f"{name}_cpu_s": time.process_time() - used}


def _run_together(commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Run the processes at the same time; return what each printed."""
    program = [sys.executable, "-m", "evaluation.speed.cluster_process"]
    started = [subprocess.Popen([*program, *words], stdout=subprocess.PIPE, text=True) for words in commands]
    printed = [process.communicate()[0] for process in started]
    for process in started:
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return [json.loads(lines.strip().splitlines()[-1]) for lines in printed]


def _database_bytes(url: str) -> int:
    engine = create_engine(with_driver(make_url(url)))
    with engine.connect() as connection:
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return int(size)


def markdown(
    plan: ClusterPlan,
    indexing: Sequence[Mapping[str, Any]],
    searching: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
) -> str:
    """The tables."""
    lines = [
        f"Indexing {plan.documents:,} drawn documents with drawn vectors:",
        "",
        "| system | workers | chunks | seconds | chunks a second | processor s | MiB a worker | greatest lag, changes "
        "| seconds | left at the end | caught up after s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['system']} | {row['workers']} | {row['chunks']:,} | {row['seconds']:.1f} | {row['chunks_a_second']:.0f} "
        f"| {row['cpu_s']:.1f} | {row['rss_mib']:.0f} | {row['lag_changes']:,} | {row['lag_s']:.1f} | {row['left']:,} "
        f"| {row['left_s']:.1f} |"
        for row in indexing
    ]
    lines += [
        "",
        f"Searching for {plan.questions} questions, {'vectors of hashed words' if plan.hashed else 'the encoder that ships'}:",
        "",
        "| system | chunks | search made in s (processor) | first search s | query ms p50 (processor) | p95 (processor) | MiB "
        "| disk MiB | tables MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['system']} | {row['chunks']:,} | {row['built_s']:.1f} ({row['built_cpu_s']:.1f}) | {row['first_s']:.2f} "
        f"| {row['query_ms_p50']:.1f} ({row['query_cpu_ms_p50']:.1f}) | {row['query_ms_p95']:.1f} "
        f"({row['query_cpu_ms_p95']:.1f}) | {row['rss_mib']:.0f} | {row['disk_mib']:.0f} "
        f"| {'–' if row.get('tables_mib') is None else format(row['tables_mib'], '.0f')} |"
        for row in searching
    ]
    lines += [
        "",
        "What both find for the same question:",
        "",
        "| chunks | the same passages | the same first one | common passages | first ten by meaning | first ten by words |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['chunks']:,} | {row['same']:.3f} | {row['first']:.3f} | {row['hits']:.3f} | {row['dense']:.3f} "
        f"| {row['words']:.3f} |"
        for row in pairs
    ]
    return "\n".join(lines) + "\n"
