"""Load the data set at a path: by the format that the caller names, else by the files found there."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from evaluation.cases import Dataset
from evaluation.datasets import beir, bipia, claims, clapnq, filings, golden, mtrag, squad, trec
from evaluation.datasets.records import json_lines
from evaluation.errors import DataInvalid

Format = Literal["quoth", "squad", "beir", "trec", "clapnq", "mtrag", "filings", "bipia", "scifact", "wice", "begin"]
FORMATS: tuple[Format, ...] = get_args(Format)

_READERS: Mapping[Format, Callable[[Path], Dataset]] = {
    "squad": squad.read,
    "trec": trec.read,
    "clapnq": clapnq.read,
    "mtrag": mtrag.read,
    "filings": filings.read,
    "bipia": bipia.read,
    "scifact": claims.read_scifact,
    "wice": claims.read_wice,
    "begin": claims.read_begin,
}

_FORMAT_ADVICE = f"Name it with --format, one of: {', '.join(FORMATS)}"


def load(
    path: Path,
    format: Format | None = None,
    *,
    split: str | None = None,
    corpus: Path | None = None,
    collection: bool = False,
    unsealed: str | None = None,
) -> Dataset:
    """The data set at `path`, read and checked as a whole. Raises DataInvalid with file, line and fix.

    `split` selects qrels of a BEIR folder. For Quoth's own format `corpus` and `collection` say where the documents are, and
    `unsealed` are the lines of a sealed file.
    """
    if not path.exists():
        raise DataInvalid(path, None, "no such file or folder", "Check the path")
    match format or ("quoth" if unsealed is not None else detect(path)):
        case "beir":
            return beir.read(path, split)
        case "quoth":
            return golden.read(path, corpus, collection=collection, unsealed=unsealed)
        case other:
            return _READERS[other](path)


def detect(path: Path) -> Format:
    """The format of the file or folder at `path`, by file names and by the fields of the first record."""
    format = _folder_format(path) if path.is_dir() else _file_format(path)
    if format is None:
        raise DataInvalid(path, None, "the format is not recognised", _FORMAT_ADVICE)
    return format


def _folder_format(path: Path) -> Format | None:
    if (path / "human_evaluations.json").is_file() or any(path.glob("*_lastturn.jsonl")):
        return "mtrag"
    if (path / "queries.jsonl").is_file():
        return "beir"
    if (path / "qa.jsonl").is_file():
        return "filings"
    if any(path.glob("text_attack_*.json")):
        return "bipia"
    if (path / "answerable.jsonl").is_file():
        return "clapnq"
    return "trec" if trec.is_trec(path) else None


def _file_format(path: Path) -> Format | None:
    if path.suffix == ".tsv":
        return "begin"
    if path.suffix == ".json":
        return "squad"
    if path.suffix != ".jsonl":
        return None
    first = next(iter(json_lines(path)))
    fields = first.value.keys()
    if {"claim", "evidence", "label"} <= fields:
        return "wice"
    if {"input", "passages", "output"} <= fields:
        return "clapnq"
    if "question" in fields:
        return "quoth"
    listing = ", ".join(sorted(fields)[:8]) or "(none)"
    raise first.fault(f"the format is not recognised by the fields {listing}", _FORMAT_ADVICE)
