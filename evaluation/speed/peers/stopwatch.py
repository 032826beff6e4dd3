"""The common part of the peers' programs: read the workload, time indexing and each query, print one JSON line.

Uses only the standard library, since it runs in other systems' environments.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Build = Callable[[Sequence[tuple[str, str]]], object]
Search = Callable[[str, int], Sequence[str]]
_DEPTH = 10
_WARM_UP = 5


def arguments() -> tuple[Path, str]:
    """Workload folder and model folder, after limiting every library to the threads in the third argument."""
    workload, model, threads = sys.argv[1:4]
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = threads
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ[name] = "1"
    # Threads that wait for each other are to sleep: they would spin, which on a machine with other work costs peers that
    # use torch most of their time (encoding one query: 94 ms of processor time, or 11.5 with this; two cores).
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    return Path(workload), model


def measure(workload: Path, build: Build, search: Search, begun: float) -> None:
    """Index the documents, ask the queries, print the figures. `begun` is when the program began, before its imports.

    `load_s` is imports and model, `index_s` from the first document in to all searchable, `query_ms` a value for each
    query after a warm-up; `index_cpu_s` and `query_cpu_ms` are the processor time of all threads meanwhile. `rss_mib`
    is the highest resident memory of the process, `found` how many queries had a result.
    `right_s` holds, for each query whose first result is the document that it is about, the seconds from the start of
    the program to the answer, as all queries are asked once everything is searchable.
    """
    documents = [(record["id"], record["text"]) for record in records(workload / "documents.jsonl")]
    questions = records(workload / "queries.jsonl")
    queries = [record["text"] for record in questions]
    loaded, loaded_cpu = time.perf_counter(), time.process_time()
    build(documents)
    indexed, indexed_cpu = time.perf_counter(), time.process_time()
    for query in queries[:_WARM_UP]:
        search(query, _DEPTH)
    milliseconds, processor, found, right = [], [], 0, []
    for record in questions:
        start, start_cpu = time.perf_counter(), time.process_time()
        hits = search(record["text"], _DEPTH)
        elapsed = time.perf_counter() - start
        milliseconds.append(elapsed * 1000)
        processor.append((time.process_time() - start_cpu) * 1000)
        found += len(hits) > 0
        if list(hits[:1]) == [record["about"]]:
            right.append(indexed - begun + elapsed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "load_s": loaded - begun,
        "index_s": indexed - loaded,
        "index_cpu_s": indexed_cpu - loaded_cpu,
        "query_ms": milliseconds,
        "query_cpu_ms": processor,
        "rss_mib": peak,
        "found": found,
        "right_s": right,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def records(file: Path) -> list[dict[str, str]]:
    """The JSON objects of a file, one per line."""
    with file.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]
