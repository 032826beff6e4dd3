"""Feedback on answers -> cases for review. A thumbs-down says that something is wrong; what is right, a person fills in.

The input is exported feedback, one JSON object a line:

    {"answer_id": "...", "verdict": "down", "sentence": 0, "comment": "It is 1904.", "label": "ada", "question": "...",
     "history": [{"question", "answer"}], "created_at": "...",
     "answer": {"text": "...", "refused": false, "citations": [{"uri": "...", "quote": "..."}]}}

`verdict` is up or down. `sentence` (an index from 0, null for the whole answer), `label` (who said so), `comment`, `history`
and `created_at` may be missing. A thumbs-up on an answer becomes a case whose evidence is what was cited: it guards against
getting worse. A thumbs-down becomes a case without gold, tagged with what was wrong. The same question harvested twice is one
case, the later verdict.
"""

from pathlib import Path

from evaluation.cases import Case, Evidence
from evaluation.datasets.records import Record, json_lines
from service.records import Turn

FIELDS = ("answer_id", "verdict", "sentence", "comment", "label", "question", "history", "answer", "created_at")


def harvest(file: Path) -> list[Case]:
    """The cases of an export, in the order of their first feedback. Raises DataInvalid with the line of the fault."""
    cases: dict[tuple[str, tuple[Turn, ...]], Case] = {}
    for record in json_lines(file):
        case = _case(record)
        cases[" ".join(case.question.casefold().split()), case.history] = case
    return list(cases.values())


def _case(record: Record) -> Case:
    record.refuse_unknown(FIELDS)
    verdict = record.text("verdict")
    if verdict not in {"up", "down"}:
        raise record.fault(f"verdict {verdict!r}", "Write 'up' or 'down'")
    value = record.value.get("answer")
    if not isinstance(value, dict):
        raise record.fault("no 'answer' object", "Export the feedback with its answers")
    answer = Record(value, record.file, record.line)
    refused = bool(answer.flag("refused", default=False))
    tags = {"source": "feedback", "verdict": verdict, "review": _advice(verdict, refused)}
    comment = record.text("comment", default="").strip()
    if comment:
        tags["comment"] = comment
    sentence = record.value.get("sentence")
    if sentence is not None:
        if isinstance(sentence, bool) or not isinstance(sentence, int) or sentence < 0:
            raise record.fault(f"sentence {sentence!r}", "Write the index of the sentence, from 0, or null")
        tags["sentence"] = str(sentence)
    if label := record.text("label", default="").strip():
        tags["label"] = label
    kept = verdict == "up"
    return Case(
        id=f"feedback-{record.text('answer_id')}",
        question=record.text("question"),
        history=tuple(
            Turn(turn.text("question"), turn.text("answer", default=""))
            for turn in record.children("history", required=False)
        ),
        answerable=not refused if kept else None,
        evidence=tuple(
            Evidence(citation.text("uri"), citation.text("quote"))
            for citation in (answer.children("citations", required=False) if kept else [])
        ),
        tags=tags,
    )


def _advice(verdict: str, refused: bool) -> str:
    """What the reviewer has to fill in."""
    if verdict == "up":
        return "check the quotes, then keep"
    if refused:
        return "it was refused: set answerable, and quote the evidence if the documents hold it"
    return "the answer was wrong: set answerable, and quote the right evidence"
