"""Near-copies of a passage do not take the places of passages that say something else, and k changes no ranking."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.filters import Filter
from index.records import Chunk, Document, FileStamp, Hit
from index.search.copies import split_copies
from service.answering.finding import search_hits

LINE = "The harbour fee must be paid on time by every boat owner, and owners who forget the fee get a letter. Issue {}."


def hit(name: str, text: str, title: str = "Letter") -> Hit:
    return Hit(Chunk(name, name, "v", 0, 0, len(text), text), title, f"file:///{name}", None, 1.0)


def split(query: str, hits: Sequence[Hit], modified: Mapping[str, int] | None = None) -> tuple[list[str], list[str]]:
    read, copies = split_copies(query, hits, lambda _: modified or {})
    return [found.chunk.id for found in read], [found.chunk.id for found in copies]


def test_of_equal_passages_the_newest_is_read_in_the_place_of_the_first() -> None:
    hits = [hit("a", "Dogs bark."), hit("b", "Cats purr."), hit("c", "dogs  bark"), hit("d", "Dogs bark!")]
    assert split("noise", hits, {"a": 1, "c": 3, "d": 2}) == (["c", "b"], ["a", "d"])


def test_of_passages_that_differ_in_a_number_the_two_newest_are_read() -> None:
    hits = [hit(str(number), LINE.format(number)) for number in range(5)]
    modified = {str(number): number for number in range(5)}
    assert split("How much is the fee?", hits, modified) == (["4", "3"], ["0", "1", "2"])


def test_a_date_is_a_number_and_any_other_word_makes_a_difference() -> None:
    dated = [hit(str(place), LINE.format(date)) for place, date in enumerate(("3 May 2021", "4 June 2022", "July"))]
    assert split("fee", dated) == (["0", "1"], ["2"])
    negated = [hit("yes", LINE.format(1)), hit("no", LINE.format(1).replace("must be", "must not be"))]
    assert split("fee", negated) == (["yes", "no"], [])


def test_a_word_of_the_query_makes_a_difference_also_in_the_title() -> None:
    hits = [hit(str(number), LINE.format(number)) for number in range(4)]
    assert split("What does issue 2 say?", hits) == (["0", "1", "2"], ["3"])
    titled = [hit("a", "We may be sued.", "Report of Acme"), hit("b", "We may be sued.", "Report of Birch")]
    assert split("Who may be sued?", titled) == (["a"], ["b"])
    assert split("May Birch be sued?", titled) == (["a", "b"], [])


def test_lists_of_figures_are_no_copies_of_each_other() -> None:
    hits = [hit(str(number), f"| Services | {number}1 | {number}2 |\n| Products | {number}3 |") for number in range(4)]
    assert split("services", hits) == (["0", "1", "2", "3"], [])


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    collection = Collection(tmp_path / "home" / "library", HashedEncoder())
    yield collection
    collection.close()


def add(collection: Collection, texts: Sequence[str]) -> None:
    collection.change(
        add=[
            (Document(f"{number:03}", "v", f"file:///{number:03}", "T", "text/plain", text), FileStamp(1, number))
            for number, text in enumerate(texts)
        ]
    )
    collection.embed_pending()


@pytest.mark.parametrize("count", [25, 300])
def test_the_passage_that_differs_is_read_among_many_copies(collection: Collection, count: int) -> None:
    add(collection, [*(LINE.format(number) for number in range(count)), "Each boat owner is charged 612 euros a year."])
    hits = search_hits(collection, ["How much is the harbour fee of a boat owner?"], 12, Filter())
    assert [found.chunk.text for found in hits if "Issue" in found.chunk.text] == [
        LINE.format(count - 1), LINE.format(count - 2),
    ]  # fmt: skip
    assert any("612 euros" in found.chunk.text for found in hits)


class ByLength:
    """Scores longer texts higher, so that the order differs from that of the fusion."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        return [float(len(text)) for text in texts]


@pytest.mark.parametrize("reranker", [None, ByLength()])
def test_the_hits_for_one_k_are_the_first_of_those_for_a_larger_one(
    collection: Collection, reranker: ByLength | None
) -> None:
    words = "boat fee harbour mast sail rope pier crane tide lamp".split()
    add(
        collection,
        [" ".join(words[number % (place + 2) % 10] for place in range(3 + number % 9)) + "." for number in range(180)],
    )

    def ranked(k: int) -> list[tuple[str, float]]:
        """What ranks a hit; its cosine may be known only where more is searched."""
        hits = collection.search("boat harbour fee", k, reranker=reranker, depth=12)
        return [(hit.chunk.id, hit.score) for hit in hits]

    all_hits = ranked(180)
    assert len(all_hits) == 180
    for k in (1, 2, 11, 12, 13, 24, 49, 50, 51, 99, 100, 101, 150):
        assert ranked(k) == all_hits[:k]
    if reranker is not None:
        scores = [score for _, score in all_hits]
        assert all(later <= earlier + 1e-9 for earlier, later in pairwise(scores))
