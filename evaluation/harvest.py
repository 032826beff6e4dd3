"""Turn feedback on answers into cases for review.

A thumbs-down says that something is wrong; a person fills in what is right.

The input is exported feedback, one JSON object per line:

    {"answer_id": "...", "verdict": "down", "sentence": 0, "comment": "It is 1904.", "label": "ada", "question": "...",
     "history": [{"question", "answer"}], "created_at": "...",
     "answer": {"text": "...", "refused": false, "citations": [{"uri": "...", "quote": "..."}]}}

`verdict` is up or down. `sentence` (an index from 0, null for the whole answer), `label` (who gave it), `comment`,
`history` and `created_at` may be missing. A thumbs-up on an answer becomes a case whose evidence is what was cited: it
guards against regressions. A thumbs-down becomes a case without gold, tagged with what was wrong. The same question
harvested twice becomes one case, with the later verdict.
"""

from pathlib import Path

from evaluation.cases import Case, GoldEvidence
from evaluation.datasets.records import DataRecord, json_lines
from service.records import Turn

FIELDS = ("answer_id", "verdict", "sentence", "comment", "label", "question", "history", "answer", "created_at")


def harvest_cases(file: Path) -> list[Case]:
    """The cases of an export, ordered by their first feedback. Raises DataInvalid with the line at fault."""
    cases: dict[tuple[str, tuple[Turn, ...]], Case] = {}
    for record in json_lines(file):
        case = _case(record)
        cases[" ".join(case.question.casefold().split()), case.history] = case
    return list(cases.values())


def _case(record: DataRecord) -> Case:
    record.refuse_unknown(FIELDS)
    verdict = record.text("verdict")
    if verdict not in {"up", "down"}:
        raise record.fault(f"verdict {verdict!r}", "Write 'up' or 'down'")
    value = record.value.get("answer")
    if not isinstance(value, dict):
        raise record.fault("no 'answer' object", "Export the feedback with its answers")
    answer = DataRecord(value, record.file, record.line)
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
    liked = verdict == "up"
    return Case(
        id=f"feedback-{record.text('answer_id')}",
        question=record.text("question"),
        history=tuple(
            Turn(turn.text("question"), turn.text("answer", default=""))
            for turn in record.children("history", required=False)
        ),
        answerable=not refused if liked else None,
        evidence=tuple(
            GoldEvidence(citation.text("uri"), citation.text("quote"))
            for citation in (answer.children("citations", required=False) if liked else [])
        ),
        tags=tags,
    )


def _advice(verdict: str, refused: bool) -> str:
    """What the reviewer must check or fill in."""
    if verdict == "up":
        return "check the quotes, then keep"
    if refused:
        return "it was refused: set answerable, and quote the evidence if the documents hold it"
    return "the answer was wrong: set answerable, and quote the right evidence"
