"""Read and write Quoth's own case format: JSON lines, one case per line. docs/evaluation.md shows it with an example.

    id          text, unique in the file                                            required
    question    text                                                                required
    history     [{"question", "answer"}], oldest first
    answerable  true or false: whether the documents hold the answer
    answers     [text]: right answers, alternatives
    evidence    [{"document", "quote", "start", "end", "group"}]: what a right answer rests on; `document` is a file name
                relative to the corpus folder, a URI or a document id; `group` numbers alternatives, from 0
    relevant    {document: grade}: for retrieval; without it, the documents of the evidence count 1
    rewrite     text: the question rewritten to stand alone
    tags        {name: text}: groups of cases in the report

The corpus is the folder that contains the file, without the folders of runs in it, unless the run names another folder or a
collection.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evaluation.cases import Case, Dataset, GoldEvidence, SourceDocument
from evaluation.datasets.records import DataRecord, UniqueIds, json_lines, parsed_lines
from evaluation.errors import DataInvalid, RunInvalid
from evaluation.rows import ROWS
from service.records import Turn

FIELDS = ("id", "question", "history", "answerable", "answers", "evidence", "relevant", "rewrite", "tags")
_EVIDENCE_FIELDS = ("document", "quote", "start", "end", "group")
_DATA_SUFFIXES = {".jsonl", ".json", ".tsv", ".toml", ".py", ".sealed", ".looks"}


def read(path: Path, corpus: Path | None = None, *, collection: bool = False, unsealed: str | None = None) -> Dataset:
    """The cases of a file, asked of the files below `corpus` or of an existing collection (then without sources).

    `unsealed` are the lines of a sealed file, decrypted.
    """
    sources = {} if collection else _files(corpus or path.parent)
    ids = UniqueIds("case")
    records = json_lines(path) if unsealed is None else parsed_lines(unsealed, path)
    cases = tuple(_case(record, sources, ids) for record in records)
    return Dataset(path.stem, "quoth", (path,), cases, sources)


def _files(folder: Path) -> dict[str, SourceDocument]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    runs = {file.parent for file in files if file.name == ROWS}
    files = [file for file in files if runs.isdisjoint(file.parents)]
    documents = {
        file.relative_to(folder).as_posix(): file for file in files if file.suffix.lower() not in _DATA_SUFFIXES
    }
    if not documents:
        raise DataInvalid(
            folder, None, "no document beside the cases", "Name the corpus folder with --corpus, or a --collection"
        )
    return {
        name: SourceDocument(name, file.stem, "", file) for name, file in documents.items() if "__pycache__" not in name
    }


def _case(record: DataRecord, sources: dict[str, SourceDocument], ids: UniqueIds) -> Case:
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


def _evidence(item: DataRecord, sources: dict[str, SourceDocument]) -> GoldEvidence:
    item.refuse_unknown(_EVIDENCE_FIELDS)
    document = _check_document(item.text("document"), item, sources)
    has_place = "start" in item.value or "end" in item.value
    start, end = (item.number("start"), item.number("end")) if has_place else (None, None)
    quote = item.text("quote")
    if start is not None and end is not None and (start < 0 or end - start != len(quote)):
        raise item.fault(
            f"the quote has {len(quote)} characters but start and end say {end - start}", "Count characters"
        )
    group = item.number("group") if "group" in item.value else 0
    return GoldEvidence(document, quote, start, end, group)


def _relevant(
    record: DataRecord, evidence: tuple[GoldEvidence, ...], sources: dict[str, SourceDocument]
) -> dict[str, int]:
    grades = record.value.get("relevant")
    if grades is None:
        return {item.document: 1 for item in evidence}
    if not isinstance(grades, dict) or not all(isinstance(grade, int) for grade in grades.values()):
        raise record.fault(f"'relevant' is {grades!r}", "Make it an object of document: whole number")
    return {_check_document(document, record, sources): grade for document, grade in grades.items()}


def _check_document(document: str, record: DataRecord, sources: dict[str, SourceDocument]) -> str:
    if sources and document not in sources:
        raise record.fault(f"unknown document {document!r}", f"The corpus holds: {', '.join(list(sources)[:8])}")
    return document


def _tags(record: DataRecord) -> dict[str, str]:
    tags = record.value.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise record.fault(f"'tags' is {tags!r}", "Make it an object of name: text")
    return dict(tags)


def refuse_existing(file: Path) -> None:
    """Raise RunInvalid if the file exists, since somebody may have reviewed it."""
    if file.exists():
        raise RunInvalid(f"{file} exists and may hold reviewed cases. Name another file with --out.")


def write_cases(file: Path, cases: Iterable[Case]) -> None:
    """Write the cases, one per line. Raises RunInvalid if the file exists."""
    refuse_existing(file)
    file.write_text(
        "".join(json.dumps(case_fields(case), ensure_ascii=False) + "\n" for case in cases), encoding="utf-8"
    )


def case_fields(case: Case) -> dict[str, Any]:
    """The fields of one case, without those that are empty."""
    every: dict[str, Any] = {
        "id": case.id,
        "question": case.question,
        "history": [{"question": turn.question, "answer": turn.answer} for turn in case.history],
        "answerable": case.answerable,
        "answers": list(case.answers),
        "evidence": [_evidence_fields(evidence) for evidence in case.evidence],
        "relevant": {} if case.relevant == {item.document: 1 for item in case.evidence} else dict(case.relevant),
        "rewrite": case.rewrite,
        "tags": dict(case.tags),
    }
    return {name: value for name, value in every.items() if value is not None and value not in ([], {})}


def _evidence_fields(evidence: GoldEvidence) -> dict[str, Any]:
    fields: dict[str, Any] = {"document": evidence.document, "quote": evidence.quote}
    if evidence.start is not None:
        fields |= {"start": evidence.start, "end": evidence.end}
    if evidence.group:
        fields["group"] = evidence.group
    return fields
