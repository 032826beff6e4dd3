"""The library of collections: creation, names, encoders, removal, concurrent processes."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.errors import CollectionMissing, CollectionNameInvalid, EncoderMismatch
from index.library import Library
from index.records import Document


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "home", HashedEncoder())
    yield library
    library.close()


def test_a_collection_is_created_once_and_opened_again(library: Library, tmp_path: Path) -> None:
    created = library.open_or_create("papers")
    created.add(Document("d", "v", "file:///d", "d", "text/plain", "Some text."))
    assert library.open("papers") is library.open_or_create("papers") is created
    assert library.names() == ["papers"]
    again = Library(tmp_path / "home", HashedEncoder())
    assert again.open("papers").search("text")[0].chunk.document_id == "d"
    again.close()


def test_a_missing_collection_is_reported_with_the_existing_ones(library: Library) -> None:
    with pytest.raises(CollectionMissing, match=r"no collection 'papers'\. There are: none yet"):
        library.open("papers")
    library.open_or_create("b")
    library.open_or_create("a-1")
    with pytest.raises(CollectionMissing, match="There are: a-1, b"):
        library.open("papers")
    assert library.names() == ["a-1", "b"]


@pytest.mark.parametrize("name", ["", "Upper", "../x", "a/b", "-a", "a" * 64, "a b", "a\n", "ü", ".hidden"])
def test_a_name_that_cannot_be_a_folder_is_refused(library: Library, name: str) -> None:
    with pytest.raises(CollectionNameInvalid, match="cannot name a collection"):
        library.open_or_create(name)
    with pytest.raises(CollectionNameInvalid):
        library.open(name)


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("My Papers", "my-papers"), ("Über uns/2024", "uber-uns-2024"), ("-a_b-", "a_b"), ("../x", "x"), ("a" * 64, "a" * 63),
        ("文書", "documents"), ("a" * 62 + "--b", "a" * 62), ("", "documents"),
    ],
)  # fmt: skip
def test_a_name_that_is_refused_comes_with_one_that_is_not(library: Library, name: str, legal: str) -> None:
    with pytest.raises(CollectionNameInvalid, match=f"for example {legal}$"):
        library.open_or_create(name)
    library.open_or_create(legal)


def test_dropping_deletes_the_files_and_the_name_is_free_again(library: Library, tmp_path: Path) -> None:
    library.open_or_create("old").add(Document("d", "v", "file:///d", "d", "text/plain", "Some text."))
    library.drop("old")
    assert library.names() == []
    assert list((tmp_path / "home" / "collections").iterdir()) == []
    with pytest.raises(CollectionMissing):
        library.drop("old")
    assert library.open_or_create("old").documents.list() == []


def test_another_encoder_is_refused_by_name(library: Library, tmp_path: Path) -> None:
    library.open_or_create("papers")
    with pytest.raises(EncoderMismatch, match=r"papers: .*'hashed-words-64'.*'hashed-words-32'"):
        Library(tmp_path / "home", HashedEncoder(32)).open("papers")


def test_concurrent_threads_get_one_object(library: Library) -> None:
    got: list[Collection] = []
    threads = [threading.Thread(target=lambda: got.append(library.open_or_create("c"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_a_collection_that_another_process_dropped_and_created_again_is_opened_again(
    library: Library, tmp_path: Path
) -> None:
    library.open_or_create("c").add(Document("d", "v", "file:///d", "d", "text/plain", "Old text."))
    other = Library(tmp_path / "home", HashedEncoder())
    other.drop("c")
    with pytest.raises(CollectionMissing):
        library.open("c")
    other.open_or_create("c").add(Document("e", "v", "file:///e", "e", "text/plain", "New text."))
    other.close()
    assert [summary.id for summary in library.open("c").documents.list()] == ["e"]


def test_a_collection_that_is_dropped_while_it_is_opened_is_not_recreated(tmp_path: Path) -> None:
    class RacingLibrary(Library):
        """Another process drops the collection right after this one saw that it exists."""

        def require(self, name: str) -> None:
            super().require(name)
            shutil.rmtree(tmp_path / "collections" / name)

    Library(tmp_path, HashedEncoder()).open_or_create("c").close()
    with pytest.raises(CollectionMissing):
        RacingLibrary(tmp_path, HashedEncoder()).open("c")
    assert not (tmp_path / "collections" / "c").exists()
