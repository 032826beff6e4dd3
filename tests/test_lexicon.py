"""The lexicon: BM25 scores against the formula, analysis of words, replay of changes, damage, concurrent use."""

import math
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.ledger.rows import ChunkedDocument
from index.ledger.selection import Selection
from index.ledger.sqlite.ledger import SqliteLedger
from index.lexicon.analysis import compounds, terms
from index.lexicon.index import Lexicon
from index.records import Chunk, Document

TEXTS = ("red apple", "green apple pie pie", "blue sky over green fields", "red sky at night red")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", encoder="e", dimension=2)
    yield ledger
    ledger.close()


def add(ledger: SqliteLedger, *texts: str, prefix: str = "d") -> None:
    """One document with one chunk per text, without title and headings."""
    for number, text in enumerate(texts):
        name = f"{prefix}{number}"
        document = Document(name, "v", f"file:///{name}", "", "text/plain", text)
        ledger.change([ChunkedDocument(document, [Chunk(name, name, "v", 0, 0, len(text), text)])], [])


def found(lexicon: Lexicon, ledger: SqliteLedger, query: str, scope: Selection | None = None) -> list[str]:
    hits = lexicon.search(query, 10, scope)
    rows = ledger.chunks.get([number for number, _ in hits])
    return [rows[number].chunk.text for number, _ in hits]


def bm25(word: str, text: str, texts: tuple[str, ...]) -> float:
    """Robertson's formula with k1 = 1.2 and b = 0.75; the mark counts as a document without words."""
    count = len(texts) + 1
    mean = sum(len(other.split()) for other in texts) / count
    holding = sum(word in other.split() for other in texts)
    idf = math.log(1 + (count - holding + 0.5) / (holding + 0.5))
    frequency = text.split().count(word)
    return idf * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * len(text.split()) / mean))


def test_scores_are_bm25(ledger: SqliteLedger, tmp_path: Path) -> None:
    add(ledger, *TEXTS)
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    for query in ("apple", "red sky", "green pie night"):
        expected = {text: sum(bm25(word, text, TEXTS) for word in query.split()) for text in TEXTS}
        hits = lexicon.search(query, 10)
        rows = ledger.chunks.get([number for number, _ in hits])
        scores = {rows[number].chunk.text: score for number, score in hits}
        assert scores == pytest.approx({text: score for text, score in expected.items() if score}, rel=1e-5)
        assert [score for _, score in hits] == sorted(scores.values(), reverse=True)


def test_a_name_with_punctuation_ranks_before_texts_with_its_parts(ledger: SqliteLedger, tmp_path: Path) -> None:
    parts = ("A max of connections, chapter 7 tells.", "Connections have a max.")
    told = "MAX_CONNECTIONS is what a chapter like 9 tells."
    add(ledger, *parts, told, *(f"Another chapter, number {number}." for number in range(30)))
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    assert found(lexicon, ledger, "max_connections?")[0] == told
    assert set(found(lexicon, ledger, "max connections")) == {*parts, told}


def test_compounds_are_indexed_whole_and_consist_of_letters_and_digits() -> None:
    text = (
        "CVE-2021-44228 in lru_cache (functools.lru_cache), v3.11. A_b; end-of-line, and/or. _private __x__ a--b ½_２"
    )
    assert compounds(text) == [
        "cve-2021-44228", "lru_cache", "functools.lru_cache", "lru_cache", "v3.11", "a_b", "2_2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The runners ran", "running runner"),
        ("Café Zürich", "cafe zurich"),
        ("decomposed cafe\u0301", "caf\u00e9"),
        ("ﬁnancial statement", "financial"),
        ("東京は日本の首都です", "首都"),
        ("Section 10-K, item 7A", "10-k"),
        ("Größe in GRAD", "grosse"),
        ("हिन्दी में", "हिन्दी"),
    ],
)
def test_words_match_across_inflection_accents_and_scripts(
    ledger: SqliteLedger, tmp_path: Path, text: str, query: str
) -> None:
    add(ledger, text, "something else entirely")
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    assert found(lexicon, ledger, query) == [text]


@given(query=st.text(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_a_syntax_error(ledger: SqliteLedger, tmp_path: Path, query: str) -> None:
    lexicon = Lexicon(tmp_path / "lexicon")
    if not ledger.chunks.counts()[0]:
        add(ledger, *TEXTS)
    lexicon.catch_up(ledger)
    assert len(lexicon.search(query, 10)) <= len(TEXTS)
    assert len(lexicon.search(f'"{query}" AND text:(apple* OR +{query}~', 10)) >= 1


def test_repeated_words_count_once_and_very_long_queries_are_cut() -> None:
    assert terms("Apples, apple & APPLE pies!") == ["appl", "pie"]
    assert terms("??? ... !!!") == []
    assert len(terms(" ".join(f"word{number}" for number in range(10_000)))) == 256


def test_selections_apply_before_ranking(ledger: SqliteLedger, tmp_path: Path) -> None:
    add(ledger, *TEXTS)
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    assert found(lexicon, ledger, "green red", Selection(np.array([2, 3]))) == [TEXTS[1], TEXTS[2]]
    assert found(lexicon, ledger, "apple", Selection(np.array([2]), outside=True)) == [TEXTS[0]]
    assert found(lexicon, ledger, "apple", Selection(np.array([3]))) == []
    assert found(lexicon, ledger, "apple", Selection(np.zeros(0, dtype=np.int64))) == []
    assert len(found(lexicon, ledger, "apple", Selection(np.zeros(0, dtype=np.int64), outside=True))) == 2
    assert lexicon.search("pie", 1, Selection(np.array([2]))) == lexicon.search("pie", 1)


def test_changes_are_replayed_and_vectors_are_ignored(ledger: SqliteLedger, tmp_path: Path) -> None:
    add(ledger, *TEXTS)
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    ledger.change([], ["d0"])
    add(ledger, "apple juice", prefix="n")
    lexicon.catch_up(ledger)
    assert set(found(lexicon, ledger, "apple")) == {TEXTS[1], "apple juice"}
    commits = (tmp_path / "lexicon" / "meta.json").read_bytes()
    ledger.add_vectors([text.hash for text in ledger.chunks.pending(9)], np.ones((4, 2), dtype=np.float32))
    lexicon.catch_up(ledger)
    assert (tmp_path / "lexicon" / "meta.json").read_bytes() == commits


def test_two_lexicons_over_one_folder_see_each_others_changes(ledger: SqliteLedger, tmp_path: Path) -> None:
    first, second = Lexicon(tmp_path / "lexicon"), Lexicon(tmp_path / "lexicon")
    add(ledger, "old words")
    first.catch_up(ledger)
    second.catch_up(ledger)
    add(ledger, "fresh words", prefix="n")
    first.catch_up(ledger)
    second.catch_up(ledger)
    assert set(found(second, ledger, "words")) == {"old words", "fresh words"}


def test_searches_continue_while_another_process_holds_the_lexicon(ledger: SqliteLedger, tmp_path: Path) -> None:
    add(ledger, "old words")
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    script = """
import sys
from pathlib import Path
from index.storage.lock import FileLock
with FileLock(Path(sys.argv[1])).hold(5):
    print("holding", flush=True)
    sys.stdin.readline()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lexicon.lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "holding\n"
    add(ledger, "fresh words", prefix="n")
    lexicon.catch_up(ledger)
    assert found(lexicon, ledger, "words") == ["old words"]
    child.communicate("\n")
    lexicon.catch_up(ledger)
    assert set(found(lexicon, ledger, "words")) == {"old words", "fresh words"}


def segment_file(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.suffix == ".idx"), key=lambda path: path.stat().st_size)


def truncate(folder: Path) -> None:
    path = segment_file(folder)
    path.write_bytes(path.read_bytes()[:-5])


def flip(folder: Path) -> None:
    path = segment_file(folder)
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(bytes(content))


def lose_segment(folder: Path) -> None:
    segment_file(folder).unlink()


def lose_description(folder: Path) -> None:
    (folder / "meta.json").unlink()


def garble_description(folder: Path) -> None:
    (folder / "meta.json").write_text("{")


@pytest.mark.parametrize("damage", [shutil.rmtree, truncate, flip, lose_segment, lose_description, garble_description])
def test_a_damaged_folder_is_rebuilt_from_the_ledger(
    ledger: SqliteLedger, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    add(ledger, *TEXTS)
    Lexicon(tmp_path / "lexicon").catch_up(ledger)
    damage(tmp_path / "lexicon")
    lexicon = Lexicon(tmp_path / "lexicon")
    lexicon.catch_up(ledger)
    assert set(found(lexicon, ledger, "red apple")) == {TEXTS[0], TEXTS[1], TEXTS[3]}


def test_many_threads_search_while_documents_are_added(ledger: SqliteLedger, tmp_path: Path) -> None:
    lexicon = Lexicon(tmp_path / "lexicon")
    add(ledger, "common start")
    lexicon.catch_up(ledger)
    counts: list[list[int]] = [[] for _ in range(3)]
    done = threading.Event()

    def search(seen: list[int]) -> None:
        while not done.is_set():
            lexicon.catch_up(ledger)
            seen.append(len(lexicon.search("common", 50)))

    threads = [threading.Thread(target=search, args=(seen,)) for seen in counts]
    for thread in threads:
        thread.start()
    for number in range(8):
        add(ledger, f"common text {number}", prefix=f"t{number}-")
    done.set()
    for thread in threads:
        thread.join()
    lexicon.catch_up(ledger)
    assert len(lexicon.search("common", 50)) == 9
    assert all(seen == sorted(seen) and seen for seen in counts)


def test_deletion_files_left_by_a_killed_writer_do_no_harm(ledger: SqliteLedger, tmp_path: Path) -> None:
    add(ledger, *TEXTS)
    Lexicon(tmp_path / "lexicon").catch_up(ledger)
    shutil.copytree(tmp_path / "lexicon", tmp_path / "killed")
    ledger.change([], ["d0"])
    Lexicon(tmp_path / "lexicon").catch_up(ledger)
    written = [path for path in (tmp_path / "lexicon").glob("*.del") if not (tmp_path / "killed" / path.name).exists()]
    assert written
    for path in written:  # as left by a kill between writing them and the commit
        shutil.copy(path, tmp_path / "killed")
    lexicon = Lexicon(tmp_path / "killed")
    lexicon.catch_up(ledger)
    assert found(lexicon, ledger, "apple") == [TEXTS[1]]


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.95])
def test_a_long_selection_is_as_exact_as_a_short_one(
    ledger: SqliteLedger, tmp_path: Path, outside: bool, share: float
) -> None:
    """Selections with few, many and none of the best documents, as part of the query or applied to its hits."""
    rng = np.random.default_rng(5)
    add(ledger, *(" ".join(["plum"] * (1 + number % 7) + ["pear"] * (number % 5)) for number in range(400)))
    long, short = Lexicon(tmp_path / "lexicon", max_depth=10_000), Lexicon(tmp_path / "lexicon", max_depth=0)
    for lexicon in (long, short):
        lexicon.catch_up(ledger)
    for listed in (np.arange(1, 401)[rng.random(400) < share], np.arange(1, 401)[: int(400 * share)]):
        scope = Selection(listed.astype(np.int64), outside, share=1 - share if outside else share)
        for query in ("plum", "pear plum", "pear pear"):
            for k in (1, 5, 300):
                (found, scores), (expected, same) = (
                    zip(*lexicon.search(query, k, scope), strict=True) for lexicon in (long, short)
                )
                assert scores == pytest.approx(same)
                assert len(set(found)) == len(expected)
                assert scope.mask(np.array(found)).all()
