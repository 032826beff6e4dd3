"""The task `read`: find the answer in a given passage, and tell whether it has one."""

from collections.abc import Mapping, Sequence
from math import exp
from time import perf_counter
from typing import Any

from evaluation.cases import Case, SourceDocument
from evaluation.metrics.citations import Quoted, citation_hit
from evaluation.metrics.wording import exact_match, token_f1
from evaluation.tasks.task import Observation, Scores, TaskName, round_score
from index.chunking.units import prose_rendering
from service.scoring.reader import Reader
from service.scoring.second_pass import read_twice


class ReadingTask:
    """Has the reader read the case's passages, and takes the best sentence of the most relevant one."""

    name: TaskName = "read"

    def __init__(self, reader: Reader, sources: Mapping[str, SourceDocument]) -> None:
        self._reader = reader
        self._sources = sources

    def observe(self, case: Case) -> Observation:
        """The answer span, its sentence, and the probability that the passage answers the question."""
        texts = [self._sources[name].text for name in case.given]
        begun = perf_counter()
        readings = read_twice(case.question, [prose_rendering(text) for text in texts], [""] * len(texts), self._reader)
        wall = (perf_counter() - begun) * 1000
        place = max(range(len(texts)), key=lambda i: readings[i].relevance)
        reading, text = readings[place], texts[place]
        output: dict[str, Any] = {
            "document": case.given[place],
            "confidence": round_score(1 / (1 + exp(-reading.relevance))),
            "sentence": None,
            "answer": "",
        }
        if reading.sentences:
            best = max(reading.sentences, key=lambda sentence: sentence.score)
            span = best.answer or (best.start, best.end)
            output["sentence"] = {"start": best.start, "end": best.end, "quote": text[best.start : best.end]}
            output["answer"] = text[span[0] : span[1]]
        return Observation(output, {"wall": wall})

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """Span scores of answerable cases, without a threshold; unanswerable cases have only their confidence."""
        if case.answerable is False:
            return {"exact_match": None, "f1": None, "sentence_hit": None}
        sentence = output["sentence"]
        chosen = [Quoted(output["document"], sentence["quote"], sentence["start"], sentence["end"])] if sentence else []
        scores = {
            "exact_match": exact_match(output["answer"], case.answers),
            "f1": token_f1(output["answer"], case.answers),
            "sentence_hit": citation_hit(chosen, case.evidence),
        }
        return {name: value if value is None else round_score(value) for name, value in scores.items()}


def unfit(cases: Sequence[Case]) -> str | None:
    """Why these cases do not suit the task; None if they do."""
    without = next((case.id for case in cases if not case.given), None)
    return None if without is None else f"case {without!r} has no given passage"
