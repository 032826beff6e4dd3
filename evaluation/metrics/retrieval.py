"""Retrieval metrics of one ranking: nDCG@10, recall, reciprocal rank, average precision, by ir-measures (MacAvaney et
al. 2022).

https://arxiv.org/abs/2111.13466. nDCG is Järvelin & Kekäläinen 2002 with the gain equal to the grade, as trec_eval and
BEIR do.
"""

from collections.abc import Mapping, Sequence

DEPTHS = (1, 3, 5, 10, 20, 50, 100)


def retrieval_scores(ranking: Sequence[str], grades: Mapping[str, int]) -> dict[str, float | None]:
    """Scores of one query: `ndcg@10`, `mrr@10`, `map@100` and `recall@k` for each of DEPTHS, all in 0 to 1.

    `ranking` holds document ids, best first, without repeats; `grades` are the judgements. A query without a relevant
    document has no scores.
    """
    names = ["ndcg@10", "mrr@10", "map@100", *(f"recall@{depth}" for depth in DEPTHS)]
    if not any(grade > 0 for grade in grades.values()):
        return dict.fromkeys(names)
    if len(set(ranking)) != len(ranking):
        raise ValueError("a ranking lists a document twice; keep its best place only")
    import ir_measures  # noqa: PLC0415 - takes 0.3 s, which `quoth --help` should not wait for
    from ir_measures import AP, RR, R, nDCG  # noqa: PLC0415 - as above

    measures = [nDCG @ 10, RR @ 10, AP @ 100, *(R @ depth for depth in DEPTHS)]
    qrels = {"q": {document: max(0, grade) for document, grade in grades.items()}}
    run = {"q": {document: 1.0 / rank for rank, document in enumerate(ranking, start=1)}}
    values = {metric.measure: metric.value for metric in ir_measures.iter_calc(measures, qrels, run)} if ranking else {}
    return {name: float(values.get(measure, 0.0)) for name, measure in zip(names, measures, strict=True)}
