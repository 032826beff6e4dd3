"""The task `answer` for another system: scores what its answer allows, and leaves out what it does not."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from evaluation.cases import Case
from evaluation.document_matching import DocumentMatcher
from evaluation.metrics.citations import Quoted, citation_hit, citation_precision, citation_recall, citation_support
from evaluation.metrics.wording import contains_gold, normalize, rouge_l, token_f1
from evaluation.systems.answer import Source, SystemAnswer
from evaluation.systems.targets import SystemTarget
from evaluation.tasks.answering import short_answers
from evaluation.tasks.task import Observation, Scores, TaskName, round_score
from evaluation.tasks.verification import SUPPORTED_FROM, Checker
from index.chunking.sentences import sentence_spans


class SystemTask:
    """Asks another system. `texts` are documents by name, to look quotes up in; `checker` compares sentences with quotes."""

    name: TaskName = "answer"

    def __init__(
        self, target: SystemTarget, matcher: DocumentMatcher, texts: Mapping[str, str], checker: Checker | None
    ) -> None:
        self._target, self._matcher, self._checker = target, matcher, checker
        self._texts = {name: normalize(text) for name, text in texts.items()}

    def observe(self, case: Case) -> Observation:
        """Ask, look the quotes up, and compare each sentence with what the answer cites."""
        begun = perf_counter()
        answer = self._target.answer(case)
        wall = (perf_counter() - begun) * 1000
        sentences = [answer.text[start:end] for start, end in sentence_spans(answer.text)]
        output: dict[str, Any] = {
            "text": answer.text,
            "refused": answer.refused,
            "sentences": [] if answer.refused else [{"text": text} for text in sentences],
            "citations": [self._cited(number, source) for number, source in enumerate(answer.citations or (), start=1)],
            "cites": answer.citations is not None,
            "contexts": None if answer.contexts is None else [self._label(source) for source in answer.contexts],
            "attribution": self._attribution(answer, sentences),
        }
        if answer.confidence is not None:
            output["confidence"] = round_score(answer.confidence)
        return Observation(output, {"wall": wall})

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """The metrics of Quoth's own answers that this output allows, and `document_hit`: whether it cites a document with
        gold evidence.

        `correct` of an answerable case: a citation at the gold evidence if the system cites words, else the short gold answer
        in the text, else a cited document with gold evidence; None without any of these.
        """
        refused = bool(output["refused"])
        citations = output["citations"]
        quoted = [Quoted(c["document"], c["quote"]) for c in citations if c["quote"]]
        quotes_words = bool(quoted) or (output["cites"] and not citations)
        text = "" if refused else output["text"]
        scores: Scores = {"answered": float(not refused), "correct": self._correct(case, output, quoted, quotes_words)}
        scores["quote_validity"] = _share([c["literal"] for c in citations if c["literal"] is not None])
        scores |= output["attribution"] or {}
        if case.answerable is not False:
            scores["context_recall"] = _context_recall(case, output["contexts"])
        if case.answerable is not False and not refused:
            if quotes_words:
                scores |= {
                    "citation_precision": citation_precision(quoted, case.evidence),
                    "citation_recall": citation_recall(quoted, case.evidence),
                    "citation_hit": citation_hit(quoted, case.evidence),
                }
            scores |= {
                "document_hit": _document_hit(case, citations) if output["cites"] else None,
                "contains_answer": contains_gold(text, short_answers(case)),
                "answer_f1": token_f1(text, case.answers),
                "rouge_l": rouge_l(text, case.answers),
            }
        return {name: round_score(value) for name, value in scores.items() if value is not None}

    def _correct(
        self, case: Case, output: Mapping[str, Any], quoted: Sequence[Quoted], quotes_words: bool
    ) -> float | None:
        if case.answerable is False:
            return float(bool(output["refused"]))
        is_judged = case.evidence or short_answers(case)
        if case.answerable is None or not is_judged:
            return None
        if output["refused"]:
            return 0.0
        if case.evidence and quotes_words:
            return citation_hit(quoted, case.evidence)
        if short_answers(case):
            return contains_gold(output["text"], short_answers(case))
        return _document_hit(case, output["citations"]) if output["cites"] else None

    def _cited(self, number: int, source: Source) -> dict[str, Any]:
        document = self._label(source)
        text = self._texts.get(document)
        literal = normalize(source.quote) in text if text is not None and source.quote else None
        return {"number": number, "document": document, "quote": source.quote, "literal": literal}

    def _label(self, source: Source) -> str:
        return self._matcher.label(source.document, source.document)

    def _attribution(self, answer: SystemAnswer, sentences: Sequence[str]) -> dict[str, float] | None:
        """Whether what the answer cites supports its sentences, all quotes for every sentence; None without quotes."""
        quotes = [source.quote for source in answer.citations or () if source.quote]
        if self._checker is None or answer.refused or not quotes or not sentences:
            return None
        checker = self._checker
        recall, _ = citation_support(
            [(sentence, ["\n\n".join(quotes)]) for sentence in sentences],
            lambda premise, statement: checker.check([(statement, premise)])[0] >= SUPPORTED_FROM,
        )
        return None if recall is None else {"attribution_recall": round_score(recall)}


def _document_hit(case: Case, citations: Sequence[Mapping[str, Any]]) -> float | None:
    gold = {evidence.document for evidence in case.evidence}
    return float(any(citation["document"] in gold for citation in citations)) if gold else None


def _context_recall(case: Case, contexts: Sequence[str] | None) -> float | None:
    """Share of the documents with gold evidence that are among those retrieved; None if the system does not say."""
    gold = {document for document, grade in case.relevant.items() if grade > 0}
    return len(gold.intersection(contexts)) / len(gold) if contexts is not None and gold else None


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
