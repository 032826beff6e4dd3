"""Quoth's own case format: JSON lines, one case a line, for one's own corpus. docs/evaluation.md shows it with an example.

    id          text, unique in the file                                            required
    question    text                                                                required
    history     [{"question", "answer"}], oldest first
    answerable  true or false: whether the documents hold the answer
    answers     [text]: right answers, alternatives
    evidence    [{"document", "quote", "start", "end", "group"}]: what a right answer rests on; `document` is a file name
                relative to the corpus folder, a URI or a document id; `group` numbers alternatives, from 0
    relevant    {document: grade}: for retrieval; without it, the documents of the evidence count 1
    rewrite     text: the question made to stand alone
    tags        {name: text}: slices of the report

The corpus is the folder that the file lies in, unless another folder or a collection is named when the run starts.
"""

from pathlib import Path

from evaluation.cases import Case, Dataset, Evidence, Source
from evaluation.datasets.records import Ids, Record, json_lines
from evaluation.errors import DataInvalid
from service.records import Turn

FIELDS = ("id", "question", "history", "answerable", "answers", "evidence", "relevant", "rewrite", "tags")
_EVIDENCE_FIELDS = ("document", "quote", "start", "end", "group")
_DATA_SUFFIXES = {".jsonl", ".json", ".tsv", ".toml", ".py"}


def read(path: Path, corpus: Path | None = None, *, collection: bool = False) -> Dataset:
    """The cases of one file over the files below `corpus`, or over a collection that exists (then there are no sources)."""
    sources = {} if collection else _files(corpus or path.parent)
    ids = Ids("case")
    cases = tuple(_case(record, sources, ids) for record in json_lines(path))
    return Dataset(path.stem, "quoth", (path,), cases, sources)


def _files(folder: Path) -> dict[str, Source]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    named = {file.relative_to(folder).as_posix(): file for file in files if file.suffix.lower() not in _DATA_SUFFIXES}
    if not named:
        raise DataInvalid(
            folder, None, "no document beside the cases", "Name the corpus folder with --corpus, or a --collection"
        )
    return {name: Source(name, file.stem, "", file) for name, file in named.items() if "__pycache__" not in name}


def _case(record: Record, sources: dict[str, Source], ids: Ids) -> Case:
    record.refuse_unknown(FIELDS)
    id = ids.add(record.text("id"), record)
    answerable = record.flag("answerable")
    evidence = tuple(_evidence(item, sources) for item in record.children("evidence", required=False))
    if answerable is False and evidence:
        raise record.fault(f"case {id!r} is not answerable but has evidence", "Remove one of the two")
    return Case(
        id=id,
        question=record.text("question"),
        history=tuple(
            Turn(turn.text("question"), turn.text("answer", default=""))
            for turn in record.children("history", required=False)
        ),
        answers=record.texts("answers", required=False),
        answerable=True if answerable is None and evidence else answerable,
        evidence=evidence,
        relevant=_relevant(record, evidence, sources),
        rewrite=record.text("rewrite", default="") or None,
        tags=_tags(record),
    )


def _evidence(item: Record, sources: dict[str, Source]) -> Evidence:
    item.refuse_unknown(_EVIDENCE_FIELDS)
    document = _known(item.text("document"), item, sources)
    has_place = "start" in item.value or "end" in item.value
    start, end = (item.number("start"), item.number("end")) if has_place else (None, None)
    quote = item.text("quote")
    if start is not None and end is not None and (start < 0 or end - start != len(quote)):
        raise item.fault(
            f"the quote has {len(quote)} characters but start and end say {end - start}", "Count characters"
        )
    group = item.number("group") if "group" in item.value else 0
    return Evidence(document, quote, start, end, group)


def _relevant(record: Record, evidence: tuple[Evidence, ...], sources: dict[str, Source]) -> dict[str, int]:
    grades = record.value.get("relevant")
    if grades is None:
        return {item.document: 1 for item in evidence}
    if not isinstance(grades, dict) or not all(isinstance(grade, int) for grade in grades.values()):
        raise record.fault(f"'relevant' is {grades!r}", "Make it an object of document: whole number")
    return {_known(document, record, sources): grade for document, grade in grades.items()}


def _known(document: str, record: Record, sources: dict[str, Source]) -> str:
    if sources and document not in sources:
        raise record.fault(f"unknown document {document!r}", f"The corpus holds: {', '.join(list(sources)[:8])}")
    return document


def _tags(record: Record) -> dict[str, str]:
    tags = record.value.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise record.fault(f"'tags' is {tags!r}", "Make it an object of name: text")
    return dict(tags)
