"""The plain encoder's retrieval figure against one that shares no code with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.datasets import beir
from evaluation.execution import RunPlan, execute
from evaluation.rows import read_rows
from index.embedding.weights import bundled_folder

SEED = Path(__file__).parent.parent / "seeds" / "cyber-cooperation-briefing.md"


def test_ndcg_by_hand() -> None:
    # gains 0, 2, 1 at places 1 to 3: 2/log2(3) + 1/2; the best order: 2 + 1/log2(3)
    from evaluation.reference import ndcg

    assert ndcg(["x", "b", "a"], {"a": 1, "b": 2, "gone": 0}) == pytest.approx(
        (2 / 1.5849625 + 0.5) / (2 + 1 / 1.5849625)
    )
    assert ndcg(["x"], {"a": 1}) == 0.0


def test_the_encoder_run_and_sentence_transformers_own_search_come_out_the_same(tmp_path: Path) -> None:
    from evaluation.reference import measure

    paragraphs = [text for text in SEED.read_text(encoding="utf-8").split("\n\n") if len(text) > 120][:12]
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(paragraphs)]
    queries = [{"_id": f"q{n}", "text": " ".join(text.split()[4:10])} for n, text in enumerate(paragraphs)]
    for name, records in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text(
            "".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8"
        )
    judged = "".join(f"q{n}\td{(n + n % 2) % len(paragraphs)}\t1\n" for n in range(len(paragraphs)))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")

    def watch(name: str, total: int | None = None) -> Any:
        return lambda *_: None

    rows = read_rows(execute(RunPlan(folder, retriever="encoder"), tmp_path / "run", tmp_path / "index", watch))
    ours = [row.scores["ndcg@10"] or 0.0 for row in rows]
    assert 0.4 < sum(ours) / len(ours) < 1.0
    # bf16 may exchange neighbours that are all but equal: of 12 queries one such pair near the top is worth up to .02
    assert sum(ours) / len(ours) == pytest.approx(measure(beir.read(folder), bundled_folder()), abs=0.02)
