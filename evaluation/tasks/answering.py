"""The task `answer`: ask the whole corpus and score citations, refusal, wording, support and injection."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from evaluation.cases import Case, SourceDocument
from evaluation.document_matching import DocumentMatcher
from evaluation.explanations import explained_output
from evaluation.metrics.citations import (
    Quoted,
    citation_hit,
    citation_precision,
    citation_recall,
    citation_support,
    quote_validity,
)
from evaluation.metrics.faithfulness import injection_obeyed, injection_quoted, unsupported_share
from evaluation.metrics.wording import contains_gold, normalize, rouge_l, token_f1
from evaluation.targets import ExplainingTarget, Target, Why
from evaluation.tasks.task import Observation, Scores, TaskName, round_score
from evaluation.tasks.verification import SUPPORTED_FROM, Checker
from service.schemas.answers import AnswerOut
from service.schemas.search import PassageOut

_SHORT_ANSWER_WORDS = 10


class AnsweringTask:
    """Asks the target and scores its answer. `checker` is for the ALCE scores; None leaves them out."""

    name: TaskName = "answer"

    def __init__(
        self,
        target: Target,
        matcher: DocumentMatcher,
        sources: Mapping[str, SourceDocument],
        checker: Checker | None,
    ) -> None:
        self._target = target
        self._matcher = matcher
        self._sources = sources
        self._checker = checker

    def observe(self, case: Case) -> Observation:
        """Ask, look every quote up in its document, and have the checker compare each sentence with its quotes.

        A wrong answer is explained, if the target can: what each step saw, and where the right sentence was lost.
        """
        begun = perf_counter()
        answer, why = self._ask(case)
        wall = (perf_counter() - begun) * 1000
        output = self._output(case, answer)
        if self.scores(case, output)["correct"] == 0.0 and (explanation := why()) is not None:
            output["why"] = explained_output(explanation, self._matcher)
        return Observation(output, {**answer.timings_ms, "wall": wall})

    def _ask(self, case: Case) -> tuple[AnswerOut, Why]:
        if isinstance(self._target, ExplainingTarget):
            return self._target.answer_with_why(case, self._matcher)
        return self._target.answer(case), lambda: None

    def _output(self, case: Case, answer: AnswerOut) -> dict[str, Any]:
        return {
            "text": answer.text,
            "refused": answer.refused,
            "confidence": round_score(answer.confidence),
            "rewritten_question": answer.rewritten_question,
            "sentences": [
                {
                    "text": s.text,
                    "citations": list(s.citations),
                    "supported": s.supported,
                    "support": round_score(s.support),
                    "kind": s.kind,
                }
                for s in answer.sentences
            ],
            "citations": [
                {
                    "number": c.number,
                    "document": self._matcher.label(c.document_id, c.uri),
                    "page": c.page,
                    "start": c.start,
                    "end": c.end,
                    "quote": c.quote,
                    "literal": self._target.literal(c),
                }
                for c in answer.citations
            ],
            "passages": [
                {
                    "document": self._matcher.label(p.document_id, p.uri),
                    "start": p.start,
                    "end": p.end,
                    "score": round_score(p.score),
                    "evidence": self._evidence_in(p, case),
                }
                for p in answer.passages
            ],
            "attribution": self._attribution(answer),
            "generator": answer.generator,
            "prompt_hash": answer.prompt_hash,
            "usage": answer.usage.model_dump(),
            "drafted": answer.drafted.model_dump(),
            "parts": [
                {"question": p.question, "refused": p.refused, "confidence": round_score(p.confidence)}
                for p in answer.parts
            ],
            "notes": list(answer.notes),
        }

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """Citation, wording and support scores of answered cases that can be answered; `correct` of every judged case.

        `correct`: an unanswerable case is refused; an answerable one is answered with a citation at the gold evidence,
        or (without gold evidence) with the short gold answer in its text. An answerable case with neither is not
        scored, not even if it is refused.
        """
        refused = bool(output["refused"])
        sentences = [sentence["text"] for sentence in output["sentences"]]
        quoted = [self._located(citation) for citation in output["citations"]]
        attribution = output["attribution"] or {}
        scores: Scores = {
            "correct": _correct(case, refused, quoted, sentences),
            "answered": None if case.canary else float(not refused),
            "citation_precision": None,
            "citation_recall": None,
            "citation_hit": None,
            "contains_answer": None,
            "answer_f1": None,
            "rouge_l": None,
            "passage_recall": _passage_recall(case, output["passages"]),
            "document_recall": _document_recall(case, output["passages"]),
            "quote_validity": quote_validity([citation["literal"] for citation in output["citations"]]),
            "attribution_recall": attribution.get("recall"),
            "attribution_precision": attribution.get("precision"),
            "unsupported_share": unsupported_share(
                [
                    sentence["supported"]
                    for sentence in output["sentences"]
                    if sentence.get("kind", "stated") == "stated"
                ]
            ),
            "injection_obeyed": injection_obeyed(sentences, case.canary, self._given_text(case)),
            "injection_quoted": injection_quoted(sentences, case.canary),
        }
        if case.answerable is not False and not refused:
            text = " ".join(sentences)
            scores |= {
                "citation_precision": citation_precision(quoted, case.evidence),
                "citation_recall": citation_recall(quoted, case.evidence),
                "citation_hit": citation_hit(quoted, case.evidence),
                "contains_answer": contains_gold(text, short_answers(case)),
                "answer_f1": token_f1(text, case.answers),
                "rouge_l": rouge_l(text, case.answers),
            }
        return {name: value if value is None else round_score(value) for name, value in scores.items()}

    def _attribution(self, answer: AnswerOut) -> dict[str, float | None] | None:
        if self._checker is None or not answer.sentences:
            return None
        quotes = {citation.number: citation.quote for citation in answer.citations}
        statements = [
            (s.text, [quotes[number] for number in s.citations if number in quotes])
            for s in answer.sentences
            if s.kind == "stated"
        ]
        recall, precision = citation_support(statements, self._supports)
        return {
            "recall": None if recall is None else round_score(recall),
            "precision": None if precision is None else round_score(precision),
        }

    def _supports(self, premise: str, statement: str) -> bool:
        assert self._checker is not None
        return self._checker.check([(statement, premise)])[0] >= SUPPORTED_FROM

    def _evidence_in(self, passage: PassageOut, case: Case) -> list[int]:
        """The numbers of the gold quotes that the passage holds, in the order of the case."""
        label = self._matcher.label(passage.document_id, passage.uri)
        shown = {"document": label, "start": passage.start, "end": passage.end, "quote": passage.text}
        located = self._located(shown)
        return [number for number, gold in enumerate(case.evidence) if citation_hit([located], [gold]) == 1.0]

    def _located(self, citation: Mapping[str, Any]) -> Quoted:
        """The citation to score, with its place only if the cited text is the data set's, so that the offsets fit."""
        source = self._sources.get(citation["document"])
        start, end, quote = citation["start"], citation["end"], citation["quote"]
        same = source is not None and source.text != "" and source.text[start:end] == quote
        return Quoted(citation["document"], quote, start if same else None, end if same else None)

    def _given_text(self, case: Case) -> str:
        return " ".join(self._sources[name].text for name in case.given if name in self._sources)


def short_answers(case: Case) -> list[str]:
    """The right answers that are short enough to be looked for in a text."""
    return [answer for answer in case.answers if len(normalize(answer).split()) <= _SHORT_ANSWER_WORDS]


def _correct(case: Case, refused: bool, quoted: list[Quoted], sentences: list[str]) -> float | None:
    if case.answerable is False:
        return float(refused)
    if case.answerable is None or not (case.evidence or short_answers(case)):
        return None
    if refused:
        return 0.0
    if case.evidence:
        return citation_hit(quoted, case.evidence)
    return contains_gold(" ".join(sentences), short_answers(case))


def _passage_recall(case: Case, passages: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of the gold quotes that the passages shown hold, best over groups. None without gold evidence."""
    held = {number for passage in passages for number in passage["evidence"]}
    groups: dict[int, list[bool]] = {}
    for number, gold in enumerate(case.evidence):
        groups.setdefault(gold.group, []).append(number in held)
    return max((sum(found) / len(found) for found in groups.values()), default=None)


def _document_recall(case: Case, passages: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of the relevant documents that are among the passages shown. None if no relevant document is known."""
    relevant = {document for document, grade in case.relevant.items() if grade > 0}
    return len(relevant & {passage["document"] for passage in passages}) / len(relevant) if relevant else None
