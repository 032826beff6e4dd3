"""The task `retrieve`: which documents does a search find, and in what order?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from time import perf_counter
from typing import Any

from evaluation.cases import Case
from evaluation.metrics.retrieval import retrieval_scores
from evaluation.tasks.task import Observation, Scores, TaskName, round_score
from index.search.fusion import reciprocal_rank
from service.followups.rewriter import Rewriter
from service.followups.rules import FUSION_CONSTANT, QUERY_WEIGHTS, rewrite

DEPTH = 100
Search = Callable[[str], Sequence[tuple[str, float]]]


class RetrievalTask:
    """Runs every case's question through `search`, which gives (document, score), best first and each document once.

    A case with a history is searched in three forms: its last turn as it is, as Quoth searches for a follow-up, and in
    its gold rewriting, if it has one. Scores without a suffix are Quoth's without a language model; a `rewriter` adds a
    fourth form, as Quoth searches with it.
    """

    name: TaskName = "retrieve"

    def __init__(self, search: Search, rewriter: Rewriter | None = None) -> None:
        self._search = search
        self._rewriter = rewriter

    def observe(self, case: Case) -> Observation:
        """Search for the question and, in a conversation, its other forms."""
        queries = rewrite(case.question, case.history).queries
        forms = {"": " + ".join(queries)}
        if case.history:
            forms["last"] = case.question
            if case.rewrite:
                forms["gold"] = case.rewrite
        begun = perf_counter()
        rankings = {"": self._search_all(queries)}
        wall = (perf_counter() - begun) * 1000
        rankings |= {form: self._search(query) for form, query in forms.items() if form}
        rewriting: dict[str, Any] = {}
        if case.history and self._rewriter:
            rewritten = self._rewriter.rewrite(case.question, case.history)
            forms["model"] = " + ".join(rewritten.rewriting.queries)
            rankings["model"] = self._search_all(rewritten.rewriting.queries)
            rewriting = {
                "rewriting": {"outcome": rewritten.outcome, "text": rewritten.text, "notes": list(rewritten.notes)},
                "usage": asdict(rewritten.usage),
            }
        output = {
            **rewriting,
            "queries": forms,
            "rankings": {
                form: [[document, round_score(score)] for document, score in ranking]
                for form, ranking in rankings.items()
            },
        }
        return Observation(output, {"wall": wall})

    def _search_all(self, queries: Sequence[str]) -> Sequence[tuple[str, float]]:
        found = [self._search(query) for query in queries]
        if len(found) == 1:
            return found[0]
        rankings = [[document for document, _ in hits] for hits in found]
        return reciprocal_rank(rankings, FUSION_CONSTANT, QUERY_WEIGHTS)[:DEPTH]

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """nDCG@10, MRR@10, MAP@100 and recall; `name/last`, `name/gold` and `name/model` for the other forms of a
        follow-up.

        `rewriting_taken`: whether the language model's rewriting could be used.
        """
        scores: Scores = {}
        for form, ranking in output["rankings"].items():
            values = retrieval_scores([document for document, _ in ranking], case.relevant)
            scores |= {
                f"{name}/{form}" if form else name: value if value is None else round_score(value)
                for name, value in values.items()
            }
        if "rewriting" in output:
            scores["rewriting_taken"] = float(output["rewriting"]["outcome"] == "taken")
        return scores


def rank_documents(passages: Sequence[tuple[str, float]], depth: int = DEPTH) -> list[tuple[str, float]]:
    """At most `depth` documents, each at its best passage's place; `passages` are (document, score), best first."""
    best: dict[str, float] = {}
    for document, score in passages:
        best.setdefault(document, score)
    return list(best.items())[:depth]
