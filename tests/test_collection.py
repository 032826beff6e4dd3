"""A collection: documents added, changed and removed, searches and filters, damaged caches, concurrent processes."""

import hashlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.errors import CollectionBusy, DocumentRejected, NotFound, QueryInvalid, TitleInvalid
from index.filters import Filter
from index.records import ChangeCounts, Document, FileStamp, Page
from index.search.fusion import FUSED_WEIGHT


def document(name: str, text: str, **facts: object) -> Document:
    defaults: dict[str, object] = {"uri": f"file:///{name}.txt", "title": f"{name}.txt", "media_type": "text/plain"}
    version = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return Document(id=name, version=version, text=text, **{**defaults, **facts})  # type: ignore[arg-type]


FRUIT = document("fruit", "Apples grow on trees. Pears grow on trees as well.")
SKY = document("sky", "The sky is blue by day. It is dark at night.", metadata={"topic": "nature"})
CODE = document("code", "Python is a language. Its trees are made of syntax.", metadata={"topic": "work"})


@pytest.fixture
def encoder() -> HashedEncoder:
    return HashedEncoder()


@pytest.fixture
def collection(tmp_path: Path, encoder: HashedEncoder) -> Iterator[Collection]:
    collection = Collection(tmp_path / "library", encoder, make_index=partial(EmbeddedIndex, min_to_save=1))
    yield collection
    collection.close()


def fill(collection: Collection, *documents: Document) -> None:
    collection.change(add=[(document, None) for document in documents])
    collection.embed_pending()


def ids(collection: Collection, query: str, **options: object) -> list[str]:
    return [hit.chunk.document_id for hit in collection.search(query, **options)]  # type: ignore[arg-type]


def test_a_document_is_found_by_its_words_before_it_has_vectors(collection: Collection, encoder: HashedEncoder) -> None:
    collection.add(FRUIT)
    (hit,) = collection.search("pears")
    assert (hit.chunk.text, hit.similarity, encoder.encoded) == (FRUIT.text, None, 0)
    assert hit.bm25 is not None
    assert collection.state().pending_vectors == collection.documents.pending_vectors() == 1
    assert collection.embed_pending() == 1
    (hit,) = collection.search("pears")
    assert hit.similarity == pytest.approx(
        float((encoder.encode([FRUIT.text]) @ encoder.encode(["pears"]).T)[0, 0]), abs=1e-3
    )
    assert collection.state().vectors == 1


def test_a_new_version_replaces_the_old_in_search_but_the_old_can_still_be_read(collection: Collection) -> None:
    fill(collection, FRUIT)
    newer = document("fruit", "Cherries are red.")
    fill(collection, newer)
    assert [hit.chunk.text for hit in collection.search("apples pears cherries")] == ["Cherries are red."]
    assert collection.documents.get("fruit") == newer
    assert collection.documents.get("fruit", FRUIT.version) == FRUIT


def test_pages_of_any_version_can_be_read(collection: Collection) -> None:
    paged = replace(FRUIT, pages=(Page(1, 0, 21), Page(2, 22, 50)))
    collection.add(paged)
    collection.add(document("fruit", "Bananas grow on plants."))
    assert collection.documents.pages("fruit", paged.version) == paged.pages
    with pytest.raises(NotFound, match="no version 'other'"):
        collection.documents.pages("fruit", "other")


def test_removed_documents_are_in_neither_ranking(collection: Collection) -> None:
    fill(collection, FRUIT, SKY, CODE)
    assert set(ids(collection, "trees")) == {"fruit", "code", "sky"}
    collection.remove("fruit")
    assert set(ids(collection, "trees apples")) == {"code", "sky"}
    with pytest.raises(NotFound, match="'fruit'"):
        collection.remove("fruit")


def test_an_unchanged_or_renamed_document_is_not_embedded_again(collection: Collection, encoder: HashedEncoder) -> None:
    assert collection.add(FRUIT, FileStamp(1, 1)) == ChangeCounts(added=1, removed=0, unchanged=0)
    collection.embed_pending()
    assert collection.add(FRUIT, FileStamp(1, 2)) == ChangeCounts(added=0, removed=0, unchanged=1)
    assert collection.documents.list()[0].source == FileStamp(1, 2)
    moved = document("moved", FRUIT.text)
    assert collection.change(add=[(moved, None)], remove=["fruit"]) == ChangeCounts(added=1, removed=1, unchanged=0)
    assert (encoder.encoded, collection.state().pending_vectors) == (1, 0)
    assert collection.search("pears")[0].similarity is not None
    assert ids(collection, "pears") == ["moved"]


def test_hits_have_their_location(collection: Collection) -> None:
    text = "First page here.\f" + "Second page follows."
    fill(collection, document("book", text, title="The Book", pages=(Page(1, 0, 17), Page(2, 17, len(text)))))
    hit = collection.search("first")[0]
    assert (hit.title, hit.uri, hit.page) == ("The Book", "file:///book.txt", 1)


def test_filters_apply_before_ranking(collection: Collection) -> None:
    many = [document(f"noise{number}", f"Trees, trees and trees number {number}.") for number in range(40)]
    fill(collection, *many, CODE, SKY)
    assert ids(collection, "trees", k=1, where=Filter(metadata={"topic": "work"}), depth=1) == ["code"]
    assert ids(collection, "trees", k=1, where=Filter(document_ids=frozenset({"sky"})), depth=1) == ["sky"]
    assert set(ids(collection, "trees", k=50, where=Filter(uri_prefix="file:///noise1"))) == {
        "noise1", *(f"noise1{digit}" for digit in range(10)),
    }  # fmt: skip
    assert ids(collection, "trees", where=Filter(document_ids=frozenset())) == []
    assert len(ids(collection, "trees", k=50, where=Filter())) == 42


def test_a_caller_finds_only_what_they_may_read(collection: Collection, encoder: HashedEncoder) -> None:
    many = [
        document(f"secret{number}", f"Trees number {number}.", principals=frozenset({"board"})) for number in range(40)
    ]
    fill(collection, *many, replace(FRUIT, principals=frozenset({"hr", "board"})), CODE)

    def found(*principals: str) -> set[str]:
        return set(ids(collection, "trees", k=60, where=Filter(principals=frozenset(principals))))

    assert found() == {"code"}
    assert found("hr", "nobody") == {"code", "fruit"}
    assert found("board") == {"code", "fruit", *(one.id for one in many)}
    assert collection.permit("fruit", frozenset({"ann"}))
    assert found("hr") == {"code"}
    assert found("ann") == {"code", "fruit"}
    assert collection.add(FRUIT) == ChangeCounts(added=1, removed=0, unchanged=0)
    assert collection.add(FRUIT) == ChangeCounts(added=0, removed=0, unchanged=1)
    assert found() == {"code", "fruit"}
    encoded = encoder.encoded
    assert collection.embed_pending() == 0
    assert encoder.encoded == encoded


class LastIsBest:
    """Scores texts by how late they come in the alphabet, and records how many it read."""

    def __init__(self) -> None:
        self.read = 0

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        self.read = len(texts)
        return [float(ord(text[0])) for text in texts]


def test_a_reranker_reads_the_best_of_the_fusion_and_decides_the_order(collection: Collection) -> None:
    fill(collection, FRUIT, SKY, CODE)
    reranker = LastIsBest()
    hits = collection.search("trees", 2, reranker=reranker, depth=3)
    fused = {hit.chunk.document_id: hit.score for hit in collection.search("trees", 3)}
    assert [(hit.chunk.document_id, hit.score) for hit in hits] == [
        ("sky", 84.0 + FUSED_WEIGHT * fused["sky"]),
        ("code", 80.0 + FUSED_WEIGHT * fused["code"]),
    ]
    assert reranker.read == 3
    collection.search("trees", 2, reranker=reranker, depth=2)
    assert reranker.read == 2


def test_the_fused_score_is_the_sum_of_reciprocal_ranks(collection: Collection) -> None:
    fill(collection, FRUIT, SKY, CODE)
    hit = collection.search("pears")[0]
    assert (hit.chunk.document_id, hit.score) == ("fruit", pytest.approx(2 / 11))


@pytest.mark.parametrize(("query", "k", "depth"), [("", 1, 1), (" \n", 1, 1), ("a", 0, 1), ("a", 1, 0)])
def test_a_query_that_cannot_be_run_is_refused_with_the_reason(
    collection: Collection, query: str, k: int, depth: int
) -> None:
    with pytest.raises(QueryInvalid):
        collection.search(query, k, depth=depth)


def test_odd_queries_are_answered(collection: Collection) -> None:
    assert collection.search("anything") == []
    fill(collection, FRUIT)
    for query in ("?!", "x" * 100_000, "word " * 20_000, '"unclosed AND (', "\0", "text:*"):
        assert len(collection.search(query)) == 1


def test_text_that_is_not_unicode_is_refused_by_name_and_nothing_is_stored(collection: Collection) -> None:
    with pytest.raises(DocumentRejected, match=r"file:///bad\.txt: the text has a lone surrogate at 3"):
        collection.change(add=[(FRUIT, None), (document("bad", "abc\ud800"), None)])
    assert collection.documents.list() == []


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_chunk_is_the_literal_text_between_its_offsets(collection: Collection, text: str) -> None:
    fill(collection, document("any", f"needle. {text}"))
    hits = collection.search("needle", 100)
    assert hits
    whole = collection.documents.get("any").text
    assert whole == f"needle. {text}"
    for hit in hits:
        assert whole[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def lose_vectors(folder: Path) -> None:
    for path in folder.glob("vectors*"):
        path.unlink()


def garble_vectors(folder: Path) -> None:
    for path in folder.glob("vectors-*"):
        path.write_bytes(b"garbage" + path.read_bytes()[7:])


def lose_lexicon(folder: Path) -> None:
    shutil.rmtree(folder / "lexicon")


def garble_lexicon(folder: Path) -> None:
    for path in (folder / "lexicon").glob("*.*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [lose_vectors, garble_vectors, lose_lexicon, garble_lexicon])
def test_damaged_caches_are_rebuilt_without_encoding_a_document(
    collection: Collection, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    fill(collection, FRUIT, SKY, CODE)
    expected = collection.search("trees by night")
    assert list((tmp_path / "library").glob("vectors-*"))
    collection.close()
    damage(tmp_path / "library")
    encoder = HashedEncoder()
    repaired = Collection(tmp_path / "library", encoder)
    assert repaired.search("trees by night") == expected
    assert encoder.encoded == 1
    repaired.close()


def test_documents_of_another_process_are_found_without_reopening(collection: Collection, tmp_path: Path) -> None:
    fill(collection, FRUIT)
    assert ids(collection, "submarine") == ["fruit"]
    script = """
import sys
from pathlib import Path
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.records import Document
collection = Collection(Path(sys.argv[1]), HashedEncoder())
collection.add(Document("boat", "v", "file:///boat", "boat", "text/plain", "A submarine dives."))
collection.embed_pending()
collection.remove("fruit")
"""
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "library")], check=True, cwd=Path(__file__).parent.parent
    )
    (hit,) = collection.search("submarine")
    assert hit.chunk.document_id == "boat"
    assert hit.similarity is not None


def test_a_second_writer_learns_who_holds_the_lock_and_readers_continue(collection: Collection, tmp_path: Path) -> None:
    fill(collection, FRUIT)
    other = Collection(tmp_path / "library", HashedEncoder())
    with collection.writing():
        with pytest.raises(CollectionBusy, match=r"library: process .* is writing"), other.writing(wait=0.05):
            pass
        assert ids(other, "pears") == ["fruit"]
    other.add(SKY)
    assert "sky" in [hit.chunk.document_id for hit in collection.search("night") if hit.bm25]
    other.close()


def test_two_processes_that_index_at_once_lose_nothing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.records import Document
collection = Collection(Path(sys.argv[1]), HashedEncoder())
for number in range(12):
    name = f"{sys.argv[2]}{number}"
    collection.add(Document(name, "v", "file:///" + name, name, "text/plain", f"Text of {name} by {sys.argv[2]}."))
    collection.embed_pending()
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "c"), who], cwd=Path(__file__).parent.parent)
        for who in ("ann", "bob")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    collection = Collection(tmp_path / "c", HashedEncoder())
    assert collection.state().vectors == 24
    assert set(ids(collection, "text", k=50)) == {f"{who}{number}" for who in ("ann", "bob") for number in range(12)}
    collection.close()


def test_searches_from_many_threads_while_documents_come_and_go(collection: Collection) -> None:
    fill(collection, FRUIT, SKY)
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                for hit in collection.search("trees by night", 20):
                    assert hit.chunk.text
                    assert hit.chunk.document_id == "sky" or hit.chunk.document_id.startswith(("fruit", "extra"))
        except BaseException as error:  # noqa: BLE001 -- shown by the assertion below, in the main thread
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(10):
        fill(collection, document(f"extra{number}", f"Trees number {number} at night."))
        if number % 2:
            collection.remove(f"extra{number - 1}")
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    expected = {"fruit", "sky", *(f"extra{number}" for number in range(1, 10, 2))}
    assert set(ids(collection, "trees by night", k=20)) == expected


def test_progress_counts_chunks_and_a_limit_stops_early(collection: Collection) -> None:
    documents = [document(f"d{number}", f"Text number {number}.") for number in range(5)]
    collection.change(add=[(document, None) for document in documents])
    seen: list[tuple[int, int]] = []
    assert collection.embed_pending(limit=2, on_progress=lambda done, total: seen.append((done, total))) == 2
    assert seen == [(2, 2)]
    assert {hit.chunk.document_id for hit in collection.search("text") if hit.similarity is not None} == {"d3", "d4"}
    assert collection.embed_pending() == 3
    state = collection.state()
    assert (state.name, state.documents, state.chunks, state.vectors, state.pending_vectors) == ("library", 5, 5, 5, 0)
    assert state.encoder == "hashed-words-64"
    assert state.bytes_on_disk > 10_000


def test_a_renamed_document_is_shown_and_found_by_its_new_title_and_keeps_its_vectors(
    collection: Collection, encoder: HashedEncoder
) -> None:
    fill(collection, FRUIT, SKY)
    before = encoder.encoded
    assert collection.rename_document("fruit", " Orchard \n handbook ")
    assert not collection.rename_document("fruit", "Orchard handbook")
    (found,) = [hit for hit in collection.search("orchard handbook") if hit.bm25 is not None]
    assert (found.title, found.chunk.text, found.similarity is not None) == ("Orchard handbook", FRUIT.text, True)
    assert [hit for hit in collection.search("fruit.txt") if hit.chunk.document_id == "fruit" and hit.bm25] == []
    assert (collection.embed_pending(), encoder.encoded) == (0, before + 2)  # the two questions
    assert [summary.title for summary in collection.documents.list()] == ["Orchard handbook", "sky.txt"]
    assert collection.verify() == []


def test_later_versions_keep_the_title_of_a_renamed_document_until_it_is_named_anew_or_removed(
    collection: Collection,
) -> None:
    fill(collection, FRUIT)
    collection.rename_document("fruit", "Orchard")
    assert collection.add(FRUIT).unchanged == 1
    newer = replace(FRUIT, text="Plums grow on trees.", version="2")
    collection.add(newer)
    assert collection.documents.get("fruit").title == "Orchard"
    assert collection.documents.get("fruit", FRUIT.version).title == "Orchard"
    collection.change(add=[(replace(newer, title="Plums"), None)], named={"fruit"})
    collection.add(replace(FRUIT, version="3"))
    assert collection.documents.get("fruit").title == "Plums"
    assert collection.documents.get("fruit").other_titles == {"fruit.txt", "Orchard"}
    collection.remove("fruit")
    collection.add(newer)
    assert collection.documents.get("fruit").title == "fruit.txt"


def test_a_document_that_is_renamed_while_its_new_version_is_cut_keeps_its_title(collection: Collection) -> None:
    fill(collection, FRUIT)
    newer = replace(FRUIT, text="Plums grow on trees.", version="2")
    chunks = collection.cut([newer])
    collection.rename_document("fruit", "Orchard")
    collection.change(add=[(newer, None)], chunks=chunks)
    assert [(hit.title, hit.chunk.version) for hit in collection.search("orchard plums")] == [("Orchard", "2")]


def test_a_title_that_cannot_be_shown_is_refused(collection: Collection) -> None:
    fill(collection, FRUIT)
    for title in ("", " \n ", "x" * 301, "a\0b"):
        with pytest.raises(TitleInvalid):
            collection.rename_document("fruit", title)
    with pytest.raises(TitleInvalid):
        collection.rename("x" * 121)
    with pytest.raises(NotFound):
        collection.rename_document("nothing", "Orchard")
    assert collection.documents.get("fruit").title == "fruit.txt"


def test_a_collection_is_shown_by_its_title_and_keeps_its_name(
    collection: Collection, encoder: HashedEncoder, tmp_path: Path
) -> None:
    assert collection.state().title == "library"
    collection.rename("Harbour office")
    again = Collection(tmp_path / "library", encoder)
    assert (again.name, again.state().title) == ("library", "Harbour office")
    again.rename("")
    again.close()
    assert collection.state().title == "library"
