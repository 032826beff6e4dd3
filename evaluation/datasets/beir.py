"""BEIR folders: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

Thakur et al. 2021, https://arxiv.org/abs/2104.08663. A document's text is its title, an empty line, and its text, so
that what is indexed is what BEIR's own baselines read. Only queries that the split judges become cases.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from evaluation.cases import Case, Dataset, SourceDocument
from evaluation.datasets.records import DataRecord, UniqueIds, json_lines, text_lines
from evaluation.errors import DataInvalid

_GRADE = re.compile(r"-?[0-9]{1,9}")
_SPLITS = ("test", "dev", "train")


def read(path: Path, split: str | None = None) -> Dataset:
    """The data set in a folder. `split` names a file of qrels/; by default test, else dev, else train."""
    corpus, queries = path / "corpus.jsonl", path / "queries.jsonl"
    sources = read_corpus(corpus)
    ids = UniqueIds("query")
    questions: dict[str, DataRecord] = {}
    for record in json_lines(queries):
        questions[ids.add(record.text("_id"), record)] = record
    qrels = _split_file(path / "qrels", split)
    judged = read_qrels(qrels, questions, sources)
    cases = tuple(
        Case(id=id, question=questions[id].text("text"), relevant=judged[id]) for id in questions if id in judged
    )
    return Dataset(f"{path.name}-{qrels.stem}", "beir", (corpus, queries, qrels), cases, sources)


def read_corpus(file: Path) -> dict[str, SourceDocument]:
    """The documents of a BEIR corpus file, in order."""
    ids = UniqueIds("document")
    sources: dict[str, SourceDocument] = {}
    for record in json_lines(file):
        id = ids.add(record.text("_id"), record)
        title, text = record.text("title", default="").strip(), record.text("text", default="").strip()
        if not title and not text:
            raise record.fault(
                f"document {id!r} has neither title nor text", "Give it a text, or remove it and its qrels"
            )
        sources[id] = SourceDocument(id, title, f"{title}\n\n{text}" if title and text else title or text)
    return sources


def read_qrels(
    file: Path, queries: Mapping[str, object], sources: Mapping[str, SourceDocument]
) -> dict[str, dict[str, int]]:
    """Grades by query and document, from three tab-separated columns under a header.

    Queries without a relevant document are left out.
    """
    judged: dict[str, dict[str, int]] = {}
    for line, text in text_lines(file):
        columns = text.split("\t")
        if line == 1 and columns[-1].strip() == "score":
            continue
        if len(columns) != 3:
            fix = "Write query id, document id and grade with tabs between"
            raise DataInvalid(file, line, f"{len(columns)} columns instead of 3", fix)
        query, document, grade = (column.strip() for column in columns)
        add_grade(judged, query, document, grade, file, line, queries, sources)
    kept = {query: grades for query, grades in judged.items() if any(grade > 0 for grade in grades.values())}
    if not kept:
        raise DataInvalid(file, None, "no query has a relevant document", "Name a split with judgements")
    return kept


def add_grade(
    judged: dict[str, dict[str, int]],
    query: str,
    document: str,
    grade: str,
    file: Path,
    line: int,
    queries: Mapping[str, object],
    sources: Mapping[str, SourceDocument],
) -> None:
    """Add a judgement to `judged`. Raises DataInvalid: unknown query or document, bad grade, two different grades."""
    if query not in queries:
        raise DataInvalid(file, line, f"unknown query {query!r}", "Add the query, or remove the line")
    if document not in sources:
        raise DataInvalid(
            file, line, f"unknown document {document!r}", "Add the document to the corpus, or remove the line"
        )
    if not _GRADE.fullmatch(grade):
        raise DataInvalid(file, line, f"the grade is {grade!r}", "Write the grade as a whole number")
    grades = judged.setdefault(query, {})
    if grades.get(document, int(grade)) != int(grade):
        fix = "Keep one of the two lines"
        raise DataInvalid(file, line, f"query {query!r} judges document {document!r} twice with different grades", fix)
    grades[document] = int(grade)


def _split_file(folder: Path, split: str | None) -> Path:
    splits = sorted(file.stem for file in folder.glob("*.tsv"))
    chosen = [split] if split else [name for name in _SPLITS if name in splits][:1]
    if not chosen or chosen[0] not in splits:
        raise DataInvalid(
            folder, None, f"no qrels for split {split or 'test'!r}", f"Name one of: {', '.join(splits) or '(none)'}"
        )
    return folder / f"{chosen[0]}.tsv"
