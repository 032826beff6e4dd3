"""TREC folders: documents (`<doc>` with `<docno>`), topics (`<top>` with `<num>` and `<title>`), and qrels of four
columns.

Cranfield (Cleverdon 1967) and Vaswani as distributed in TREC form. The Cranfield files number the topics by their
original numbers (1, 2, 4, 8 ... 365) but the qrels by the topic's position (1 ... 225): joined by number, 73 topics
lose their judgements and most others get those of another question, without any error. So if the qrels use numbers that
are positions but not all topic numbers, they are joined by position, and a note of the data set says so.
"""

import re
from pathlib import Path

from evaluation.cases import Case, Dataset, SourceDocument
from evaluation.datasets.beir import add_grade
from evaluation.datasets.records import read_text, text_lines
from evaluation.errors import DataInvalid

_DOCUMENT = re.compile(r"<doc>(.*?)</doc>", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"<docno>\s*(.*?)\s*</docno>", re.IGNORECASE | re.DOTALL)
_TOPIC = re.compile(r"<top>(.*?)</top>", re.IGNORECASE | re.DOTALL)
_TOPIC_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*(\w+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TEXT = re.compile(r"<text>(.*?)</text>", re.IGNORECASE | re.DOTALL)


def read(path: Path) -> Dataset:
    """The data set in a folder, whose three files are recognised by their content."""
    documents, topics, qrels = _parts(path)
    sources = _documents(documents)
    questions = _topics(topics)
    rows = _judgements(qrels)
    used = {query for _, (query, *_) in rows}
    positions = [str(position) for position in range(1, len(questions) + 1)]
    notes: tuple[str, ...] = ()
    if not used <= questions.keys() and used <= set(positions):
        questions = dict(zip(positions, questions.values(), strict=True))
        notes = (f"{qrels.name} numbers the topics by position, {topics.name} does not; joined by position.",)
    judged: dict[str, dict[str, int]] = {}
    for line, (query, _, document, grade) in rows:
        add_grade(judged, query, document, grade, qrels, line, questions, sources)
    cases = tuple(
        Case(id=id, question=question, relevant=judged[id])
        for id, question in questions.items()
        if any(grade > 0 for grade in judged.get(id, {}).values())
    )
    if not cases:
        raise DataInvalid(
            qrels, None, "no topic has a relevant document", "Check that the qrels belong to these topics"
        )
    return Dataset(path.name, "trec", (documents, topics, qrels), cases, sources, notes)


def is_trec(folder: Path) -> bool:
    """Whether the folder looks like a TREC folder: some file begins with a document or a topic."""
    return any(_kind(file) in {"documents", "topics"} for file in sorted(folder.iterdir()) if file.is_file())


def _kind(file: Path) -> str:
    with file.open("rb") as stream:
        head = stream.read(400).lower()
    if b"<top>" in head:
        return "topics"
    if b"<doc>" in head:
        return "documents"
    return "qrels" if re.match(rb"\S+[ \t]+\S+[ \t]+\S+[ \t]+-?\d+\s", head) else "other"


def _parts(folder: Path) -> tuple[Path, Path, Path]:
    kinds: dict[str, list[Path]] = {"documents": [], "topics": [], "qrels": []}
    for file in sorted(folder.iterdir()):
        if file.is_file():
            kinds.get(_kind(file), []).append(file)
    for kind, files in kinds.items():
        if len(files) != 1:
            names = ", ".join(file.name for file in files) or "none"
            raise DataInvalid(folder, None, f"{len(files)} files of {kind} ({names})", f"Keep one file of {kind}")
    return kinds["documents"][0], kinds["topics"][0], kinds["qrels"][0]


def _documents(file: Path) -> dict[str, SourceDocument]:
    text = read_text(file)
    sources: dict[str, SourceDocument] = {}
    for match in _DOCUMENT.finditer(text):
        number = _NUMBER.search(match.group(1))
        if number is None:
            raise DataInvalid(file, _line(text, match), "a document without <docno>", "Give it a number")
        if number.group(1) in sources:
            raise DataInvalid(
                file, _line(text, match), f"document {number.group(1)!r} occurs twice", "Give each its own number"
            )
        title, body = _TITLE.search(match.group(1)), _TEXT.search(match.group(1))
        content = (body.group(1) if body else match.group(1)[number.end() :]).strip()
        heading = " ".join(title.group(1).split()) if title else ""
        sources[number.group(1)] = SourceDocument(number.group(1), heading, content or heading)
    return sources


def _topics(file: Path) -> dict[str, str]:
    text = read_text(file)
    questions: dict[str, str] = {}
    for match in _TOPIC.finditer(text):
        number, title = _TOPIC_NUMBER.search(match.group(1)), _TITLE.search(match.group(1))
        if number is None or title is None or not title.group(1).strip():
            raise DataInvalid(file, _line(text, match), "a topic without <num> or <title>", "Give it both")
        if number.group(1) in questions:
            raise DataInvalid(
                file, _line(text, match), f"topic {number.group(1)!r} occurs twice", "Give each its own number"
            )
        questions[number.group(1)] = " ".join(title.group(1).split())
    return questions


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1


def _judgements(file: Path) -> list[tuple[int, tuple[str, str, str, str]]]:
    rows = []
    for line, text in text_lines(file):
        columns = text.split()
        if len(columns) != 4:
            fix = "Write topic, iteration, document and grade"
            raise DataInvalid(file, line, f"{len(columns)} columns instead of 4", fix)
        rows.append((line, (columns[0], columns[1], columns[2], columns[3])))
    return rows
