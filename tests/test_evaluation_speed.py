import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import TaskUnfit
from evaluation.speed import measuring
from evaluation.speed.drawn import Cloud, chunk_texts
from evaluation.speed.environments import Peer, prepare
from evaluation.speed.growth import GrowthEncoder, base_vectors, grow, serve
from evaluation.speed.measuring import Measurement, SpeedPlan, markdown, peer_names
from evaluation.speed.workload import vocabulary, write_workload
from index.chunking.chunker import LIMIT
from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
from index.library import Library
from index.records import Document
from tests.shared_networks import shared_encoder

PLAN = SpeedPlan(("by hand",), documents=1000, queries=3, repeats=2, threads=2, growth=())


def test_a_workload_is_made_by_its_seed_and_fits_one_passage_a_document(tmp_path: Path) -> None:
    first, second = (write_workload(tmp_path / name, 50, 10, seed=4) for name in ("a", "b"))
    assert (first / "documents.jsonl").read_bytes() == (second / "documents.jsonl").read_bytes()
    documents = [json.loads(line) for line in (first / "documents.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({document["id"] for document in documents}) == 50
    assert all(120 <= len(document["text"].split()) < 144 for document in documents)
    queries = [json.loads(line)["text"] for line in (first / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [document["text"].lower() for document in documents]
    assert all(any(all(word in text for word in query.split()) for text in texts) for query in queries)


def test_a_word_of_the_workload_is_one_token_of_the_encoder() -> None:
    words = vocabulary()
    assert len(set(words)) == len(words) > 10_000
    text = " ".join(words[5000:5100])
    assert len(SentenceEncoder().token_offsets(text)) == 100


def round_of(quoth_s: float, peer_s: float, quoth_ms: float, peer_ms: float) -> dict[str, Measurement]:
    """A round in which a third of the time was the processor's for Quoth, and half of it for the peer."""
    own, other = (quoth_ms,) * 3, (peer_ms,) * 3
    right = (1.0, 2.0, quoth_s)
    return {
        "Quoth": Measurement("Quoth", 1.0, quoth_s, quoth_s / 3, own, tuple(ms / 3 for ms in own), 500.0, 3, right),
        "by hand": Measurement(
            "by hand", 2.0, peer_s, peer_s / 2, other, tuple(ms / 2 for ms in other), 900.0, 3, (9.0,)
        ),
    }


def test_ratios_are_taken_within_a_round_by_processor_time_and_by_elapsed_time() -> None:
    rounds = [round_of(10, 20, 4, 6), round_of(5, 20, 5, 10), round_of(10, 30, 4, 8)]
    text = markdown(replace(PLAN, repeats=3), rounds, {"txtai": "pip said no"}, [], {})
    ratios = [line for line in text.splitlines() if line.startswith("| by hand")][-1]
    assert (
        ratios == "| by hand | 4.50 (3.00 – 6.00)x | 3.00 (2.00 – 4.00)x | 3.00 (2.25 – 3.00)x | 2.00 (1.50 – 2.00)x |"
    )
    assert "txtai is not measured: pip said no" in text


def test_a_median_needs_three_rounds_and_a_time_to_the_right_answer_half_of_the_answers() -> None:
    text = markdown(PLAN, [round_of(10, 20, 4, 6), round_of(5, 20, 5, 10)], {}, [], {})
    assert "least – greatest: too few rounds for a median" in text
    quoth, by_hand = [line for line in text.splitlines() if line.startswith(("| Quoth |", "| by hand |"))][:2]
    assert "| 5.0 – 10.0 |" in quoth
    assert quoth.endswith("| 2.0 | 3 |")
    assert by_hand.endswith("| – | 1 |")  # one of three questions


def test_peers_are_named_or_refused() -> None:
    assert peer_names("txtai, HAYSTACK") == ("txtai", "Haystack")
    assert len(peer_names("all")) == 7
    assert peer_names("none") == ()
    with pytest.raises(TaskUnfit, match="No peer is named 'ragas'"):
        peer_names("ragas")


def test_a_peer_that_cannot_be_installed_is_reported_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.speed.environments.TORCH", "no such requirement !")
    environment = prepare(Peer("broken", "broken.py", ()), tmp_path)
    assert environment.python is None
    assert environment.reason is not None
    assert "no such requirement" in environment.reason


def test_quoth_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    workload = write_workload(tmp_path, 20, 4)
    program = Path(measuring.__file__).parent / "peers" / "quoth_itself.py"
    done = subprocess.run(
        [sys.executable, str(program), str(workload), "-", "1"], capture_output=True, text=True, check=True
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["found"] == 4
    assert len(figures["query_ms"]) == 4
    assert figures["index_s"] > 0
    assert figures["index_cpu_s"] > 0
    assert len(figures["query_cpu_ms"]) == 4
    assert figures["rss_mib"] > 100
    assert 0 < len(figures["right_s"]) <= 4
    assert min(figures["right_s"]) > figures["load_s"] + figures["index_s"]


def test_quoth_from_nothing_is_asked_until_each_question_is_answered_right(tmp_path: Path) -> None:
    workload = write_workload(tmp_path, 20, 4)
    program = Path(measuring.__file__).parent / "peers" / "quoth_first.py"
    figures = measuring._run_child([sys.executable, str(program), str(workload), "-", "2"])
    assert 0 < len(figures["right_s"]) <= 4  # with vectors, words in no order are not always found first
    assert min(figures["right_s"]) > 0


def test_a_program_that_fails_shows_its_last_words() -> None:
    with pytest.raises(measuring.ChildFailed, match="exit code 3: oops"):
        measuring._run_child([sys.executable, "-c", "import sys; sys.stderr.write('oops'); sys.exit(3)"])


def test_a_collection_grows_and_is_searched_by_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.speed.growth.SentenceEncoder", lambda cache=None: shared_encoder())
    around = base_vectors(None, size=12)
    first, second = (grow(tmp_path / "collection", around, size) for size in (40, 90))
    assert (first["chunks"], second["chunks"]) == (40, 96)
    collection = Collection(tmp_path / "collection", GrowthEncoder({}, shared_encoder()))
    assert collection.verify() == []
    collection.close()
    figures = serve(tmp_path / "collection", around, time.time())
    assert figures["query_ms_p95"] >= figures["query_ms_p50"] > 0
    assert figures["recall"] == 1.0
    assert figures["query_cpu_ms_p50"] > 0
    assert figures["start_s"] >= figures["open_s"] > 0
    row = markdown(PLAN, [], {}, [second | figures], {}).splitlines()[-1]
    assert row.startswith(f"| {second['chunks']:.0f} | ")
    assert " | 1.000 | " in row


def test_growth_goes_around_the_vectors_of_a_collection(tmp_path: Path) -> None:
    library = Library(tmp_path, shared_encoder())
    collection = library.open_or_create("mine")
    collection.add(Document("d", "v", "file:///d", "d", "text/plain", "Apples fall."))
    collection.embed_pending()
    library.close()
    found = base_vectors(tmp_path / "collections" / "mine")
    assert found == pytest.approx(shared_encoder().encode(["Apples fall."]), abs=1e-3)


def test_drawn_text_is_the_same_each_time_and_a_chunk_fits_the_encoder() -> None:
    drawn = chunk_texts(7)
    assert drawn == chunk_texts(7) != chunk_texts(8)
    sizes = [len(SentenceEncoder().token_offsets(text)) for text in drawn]
    assert all(150 < size <= LIMIT for size in sizes)


def test_the_cloud_is_the_same_each_time_and_questions_lie_as_far_off_as_said() -> None:
    vectors = np.random.default_rng(0).standard_normal((30, 384)).astype(np.float32)
    cloud = Cloud(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    passages, again = (cloud.passages(np.random.default_rng(5), 40) for _ in range(2))
    questions = cloud.questions(np.random.default_rng(6), passages)
    assert np.array_equal(passages, again)
    assert np.linalg.norm(passages, axis=1) == pytest.approx(1.0)
    assert np.linalg.norm(questions, axis=1) == pytest.approx(1.0)
    assert (passages * questions).sum(axis=1) == pytest.approx(0.55, abs=1e-5)
