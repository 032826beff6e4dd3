"""The manifest of a run: everything that its figures depend on, written before the first case.

Its `identity` decides whether a run may be resumed: same cases, documents, task, sample, seed, settings, encoder, models,
prompts and code. Machine, library versions and times are recorded too, but do not decide.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.cases import Dataset
from evaluation.errors import RunInvalid

FILE = "manifest.json"
_LIBRARIES = ("quoth", "torch", "transformers", "openvino", "faiss-cpu", "tantivy", "sentencex", "ir-measures", "numpy")
_ROOT = Path(__file__).resolve().parent.parent
_CODE = ("index", "service", "evaluation")
_MAX_NAMED = 6  # differences that an error names
_SHORT = 60  # characters of a value that an error shows


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of the identity that two runs do not share, by its path, with the value of each; None where one has none."""

    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.name} ({_short(self.before)} and {_short(self.after)})"


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
        "code_sha256": code_hash(),
    }


def collection_identity(name: str, documents: Iterable[tuple[str, str]], pending_vectors: int | None) -> dict[str, Any]:
    """What a run records of the collection that it asks: its name, and a hash of which documents it holds.

    `documents` are the title and version of each; a version is a hash of the document's bytes. The same documents have the
    same hash on any machine. `pending_vectors` counts the passages that are found by their words only, None if the server
    does not say.
    """
    versions = sorted(f"{title}\0{version}" for title, version in documents)
    content = hashlib.sha256("\n".join(versions).encode()).hexdigest()
    return {"name": name, "documents": len(versions), "sha256": content, "pending_vectors": pending_vectors}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What two identities do not have in common, by path (`target.settings.top_k`), in order."""
    left, right = dict(_leaves(before)), dict(_leaves(after))
    names = sorted({*left, *right})
    return [Difference(name, left.get(name), right.get(name)) for name in names if left.get(name) != right.get(name)]


def begin(folder: Path, ident: Mapping[str, Any]) -> None:
    """Write the manifest of a new run, or raise RunInvalid with what differs if the folder holds another run."""
    file = folder / FILE
    ident = json.loads(json.dumps(ident))
    if file.exists():
        found = differences(read(folder)["identity"], ident)
        if found:
            named = ", ".join(map(str, found[:_MAX_NAMED])) + (" and more" if len(found) > _MAX_NAMED else "")
            raise RunInvalid(f"{folder} holds another run; what differs: {named}. Name a new folder with --out.")
        return
    _write(file, {"identity": ident, "began": _now(), "machine": machine(), "versions": versions()})


def finish(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Add what is known only at the end: counts and seconds."""
    _write(folder / FILE, {**read(folder), "ended": _now(), **outcome})


def note(folder: Path, facts: Mapping[str, Any]) -> None:
    """Add facts that are known beside the identity, such as how often sealed cases were looked at."""
    _write(folder / FILE, {**read(folder), **facts})


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


def code_hash() -> str:
    """SHA-256 over the Python files of Quoth, the way it scores included."""
    hashes = (folder_hash(_ROOT / name, {".py"}) for name in _CODE)
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def folder_hash(folder: Path, suffixes: Collection[str] = (".txt", ".md")) -> str:
    """SHA-256 over names and bytes of the files in a folder with one of the suffixes."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix in suffixes):
        digest.update(f"{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _SHORT else f"{text[:12]}…"


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
