"""MTRAG conversations: follow-up questions with the passages that answer them.

Katsis et al. 2025, https://arxiv.org/abs/2501.03468. Two forms of folder are read:

- with `human_evaluations.json`: conversations with reference answers, the passages they rest on, and whether they can be
  answered. `*_rewrite.jsonl` beside it gives the gold rewritings, joined by task id.
- with `corpus.jsonl` and `qrels/*.tsv`: the retrieval tasks, whose `*_lastturn.jsonl`, `*_questions.jsonl` and
  `*_rewrite.jsonl` hold the last turn, all user turns and the gold rewriting. Their history has no answers.
"""

from collections.abc import Iterator
from pathlib import Path

from evaluation.cases import Case, Dataset, SourceDocument
from evaluation.datasets.beir import read_corpus, read_qrels
from evaluation.datasets.records import UniqueIds, json_lines, json_root
from evaluation.errors import DataInvalid
from service.records import Turn

_SPEAKER = "|user|:"


def read(path: Path) -> Dataset:
    """The data set in a folder of either form. Raises DataInvalid with the line at fault."""
    conversations = path / "human_evaluations.json"
    if conversations.is_file():
        return _conversations(path, conversations)
    qrels = sorted((path / "qrels").glob("*.tsv"))
    if not (path / "corpus.jsonl").is_file() or len(qrels) != 1:
        fix = "Put corpus.jsonl and one qrels/*.tsv beside the queries, or human_evaluations.json"
        raise DataInvalid(path, None, "neither retrieval tasks nor conversations", fix)
    return _tasks(path, qrels[0])


def _conversations(path: Path, file: Path) -> Dataset:
    root = json_root(file)
    ids = UniqueIds("document")
    sources: dict[str, SourceDocument] = {}
    for document in root.children("documents"):
        id = ids.add(document.text("document_id"), document)
        sources[id] = SourceDocument(id, document.text("title", default=""), document.text("text"))
    rewrites, files = _queries(path, "rewrite")
    ids = UniqueIds("task")
    cases = []
    for task in root.children("tasks"):
        id = ids.add(task.text("task_id"), task)
        turns = [(turn.text("speaker"), turn.text("text")) for turn in task.children("input")]
        if not turns or turns[-1][0] != "user":
            raise task.fault(f"task {id!r} does not end with a turn of 'user'", "End 'input' with the user's turn")
        *earlier, last = turns
        relevant = {}
        for context in task.children("contexts", required=False):
            document_id = context.text("document_id")
            if document_id not in sources:
                raise context.fault(f"unknown document {document_id!r}", "Add it to 'documents', or remove the context")
            relevant[document_id] = 1
        kind = (*task.texts("Answerability", required=False), "UNKNOWN")[0]
        cases.append(
            Case(
                id=id,
                question=last[1].strip(),
                history=tuple(_turns(earlier)),
                answers=tuple(target.text("text") for target in task.children("targets", required=False)),
                answerable={"ANSWERABLE": True, "UNANSWERABLE": False}.get(kind),
                relevant=relevant,
                rewrite=rewrites.get(id),
                tags={"answerability": kind.lower()},
            )
        )
    if not cases:
        raise root.fault("no task", "Put at least one record under 'tasks'")
    return Dataset(f"{path.name}-conversations", "mtrag", (file, *files), tuple(cases), sources)


def _tasks(path: Path, qrels: Path) -> Dataset:
    sources = read_corpus(path / "corpus.jsonl")
    last, last_files = _queries(path, "lastturn")
    turns, turn_files = _queries(path, "questions", first=None)
    rewrites, rewrite_files = _queries(path, "rewrite")
    if not last:
        raise DataInvalid(path, None, "no *_lastturn.jsonl", "Put the last turns beside the corpus")
    judged = read_qrels(qrels, last, sources)
    cases = tuple(
        Case(
            id=id,
            question=last[id],
            history=tuple(Turn(question, "") for question in turns.get(id, "").split("\n")[:-1]),
            relevant=judged[id],
            rewrite=rewrites.get(id),
        )
        for id in last
        if id in judged
    )
    files = (path / "corpus.jsonl", qrels, *last_files, *turn_files, *rewrite_files)
    return Dataset(f"{path.name}-retrieval", "mtrag", files, cases, sources)


def _queries(path: Path, kind: str, first: int | None = 1) -> tuple[dict[str, str], tuple[Path, ...]]:
    """Texts by task id from every `*_KIND.jsonl`, with the first `first` turns of each (None: all), one per line."""
    files = tuple(sorted(path.glob(f"*_{kind}.jsonl")))
    texts: dict[str, str] = {}
    for file in files:
        ids = UniqueIds("query")
        for record in json_lines(file):
            turns = [turn.strip() for turn in record.text("text").split(_SPEAKER) if turn.strip()]
            if not turns:
                raise record.fault("a query without a turn", "Write it as '|user|: QUESTION'")
            texts[ids.add(record.text("_id"), record)] = "\n".join(turns[:first])
    return texts, files


def _turns(parts: list[tuple[str, str]]) -> Iterator[Turn]:
    """Turns from alternating speakers; a question without a reply has an empty answer."""
    question: str | None = None
    for speaker, text in parts:
        if speaker == "user":
            if question is not None:
                yield Turn(question, "")
            question = text.strip()
        elif question is not None:
            yield Turn(question, text.strip())
            question = None
    if question is not None:
        yield Turn(question, "")
