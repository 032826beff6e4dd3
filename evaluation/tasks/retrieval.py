"""Which documents does a search find, and in what order?"""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from evaluation.cases import Case
from evaluation.metrics.retrieval import retrieval_scores
from evaluation.tasks.task import Observation, Scores, TaskName, rounded
from service.conversations import fused, rewrite

DEPTH = 100
Search = Callable[[str], Sequence[tuple[str, float]]]


class Retrieving:
    """Runs every case's question through `search`, which gives (document, score), best first and each document once.

    A case with a history is searched in three forms: its last turn as it is, as Quoth searches for a follow-up, and (where
    there is one) in its gold rewriting. The unmarked scores are Quoth's.
    """

    name: TaskName = "retrieve"

    def __init__(self, search: Search) -> None:
        self._search = search

    def observe(self, case: Case) -> Observation:
        """Search for the question and, in a conversation, its other forms."""
        queries = rewrite(case.question, case.history).queries
        forms = {"": " + ".join(queries)}
        if case.history:
            forms["last"] = case.question
            if case.rewrite:
                forms["gold"] = case.rewrite
        begun = perf_counter()
        rankings = {"": self._fused(queries)}
        wall = (perf_counter() - begun) * 1000
        rankings |= {form: self._search(query) for form, query in forms.items() if form}
        output = {
            "queries": forms,
            "rankings": {
                form: [[document, rounded(score)] for document, score in found] for form, found in rankings.items()
            },
        }
        return Observation(output, {"wall": wall})

    def _fused(self, queries: Sequence[str]) -> Sequence[tuple[str, float]]:
        found = [self._search(query) for query in queries]
        return found[0] if len(found) == 1 else fused([[document for document, _ in one] for one in found])[:DEPTH]

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """nDCG@10, MRR@10, MAP@100 and recall; `name/last` and `name/gold` for the other forms of a follow-up."""
        scores: Scores = {}
        for form, ranking in output["rankings"].items():
            found = retrieval_scores([document for document, _ in ranking], case.relevant)
            scores |= {
                f"{name}/{form}" if form else name: value if value is None else rounded(value)
                for name, value in found.items()
            }
        return scores


def by_document(passages: Sequence[tuple[str, float]], depth: int = DEPTH) -> list[tuple[str, float]]:
    """Passages, best first -> documents at their best passage's place, at most `depth`."""
    best: dict[str, float] = {}
    for document, score in passages:
        best.setdefault(document, score)
    return list(best.items())[:depth]
