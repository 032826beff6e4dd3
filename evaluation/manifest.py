"""The manifest of a run: everything that its figures depend on, written before the first case.

Its `identity` decides whether a run may be resumed: same data, task, sample, seed, settings, models, prompts and code
version. Machine, library versions and times are recorded too, but do not decide.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.cases import Dataset
from evaluation.errors import RunInvalid

FILE = "manifest.json"
_LIBRARIES = ("quoth", "torch", "transformers", "openvino", "faiss-cpu", "tantivy", "sentencex", "ir-measures", "numpy")
_ROOT = Path(__file__).resolve().parent.parent


def identity(
    dataset: Dataset, task: str, sample: int | None, seed: int, target: Mapping[str, object], suite: str | None
) -> dict[str, Any]:
    """What two runs must have in common to count as the same run."""
    return {
        "dataset": {
            "name": dataset.name,
            "format": dataset.format,
            "sha256": dataset.sha256(),
            "cases": len(dataset.cases),
            "documents": len(dataset.sources),
            "notes": list(dataset.notes),
        },
        "task": task,
        "sample": sample,
        "seed": seed,
        "target": dict(target),
        "suite_sha256": suite,
        "models": model_hashes(_ROOT / "models"),
        "prompts_sha256": folder_hash(_ROOT / "prompts"),
    }


def begin(folder: Path, ident: Mapping[str, Any]) -> None:
    """Write the manifest of a new run, or raise RunInvalid with what differs if the folder holds another run."""
    file = folder / FILE
    ident = json.loads(json.dumps(ident))
    if file.exists():
        before = read(folder)["identity"]
        differs = sorted(key for key in {*before, *ident} if before.get(key) != ident.get(key))
        if differs:
            raise RunInvalid(f"{folder} holds another run: {', '.join(differs)} differ. Name a new folder with --out.")
        return
    _write(file, {"identity": ident, "began": _now(), "machine": machine(), "versions": versions()})


def finish(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Add what is known only at the end: counts and seconds."""
    _write(folder / FILE, {**read(folder), "ended": _now(), **outcome})


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises RunInvalid."""
    try:
        manifest: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunInvalid(
            f"{folder} is not a run folder ({error}). Name one that `quoth eval run --out` wrote."
        ) from error
    return manifest


def machine() -> dict[str, object]:
    """Processor, cores that this process may use, memory in GiB, system."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _cpu(), "cores": cores, "memory_gib": round(pages / 2**30, 1), "system": platform.platform()}


def versions() -> dict[str, str]:
    """Python and the libraries that figures depend on; those not installed as a distribution are left out."""
    installed = {distribution.metadata["Name"].lower(): distribution.version for distribution in _distributions()}
    return {"python": platform.python_version()} | {name: installed[name] for name in _LIBRARIES if name in installed}


def model_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each shipped model: of its weights by its config (verified at loading), else of its JSON files."""
    hashes = {}
    for model in sorted(path for path in folder.glob("*") if any(path.glob("*.json"))):
        config = model / "config.json"
        recorded = json.loads(config.read_text(encoding="utf-8")).get("sha256") if config.exists() else None
        hashes[model.name] = recorded or folder_hash(model, {".json"})
    return hashes


def folder_hash(folder: Path, suffixes: Collection[str] = (".txt", ".md")) -> str:
    """SHA-256 over names and bytes of the files in a folder with one of the suffixes."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix in suffixes):
        digest.update(f"{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _distributions() -> list[importlib.metadata.Distribution]:
    return [item for item in importlib.metadata.distributions() if item.metadata["Name"]]


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(file: Path, value: Mapping[str, Any]) -> None:
    """Replace the file atomically, so that a kill leaves either the old or the new one."""
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(file)
