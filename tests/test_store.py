"""Conversations are kept whole, in order, apart from each other, and by several writers at once."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import Chunk, Hit
from service.errors import Permanent, RecordMissing, StoreUnavailable
from service.records import Answer, Citation, Sentence, Turn
from service.store import ConversationStore


def an_answer(id: str, conversation_id: str, question: str = "Why?", quote: str = "Because.") -> Answer:
    chunk = Chunk("c1", "d1", "v1", 0, 10, 10 + len(quote), quote, ("Top", "Below"))
    citation = Citation(
        1, "d1", "v1", "Title", "file:///a.md", 3, 10, 10 + len(quote), quote, "c1", 0.75, ("Top", "Below"), (11, 12)
    )
    return Answer(
        id=id,
        conversation_id=conversation_id,
        question=question,
        rewritten_question=question,
        text=f"{quote} [1]",
        refused=False,
        confidence=0.9,
        sentences=(Sentence(quote, (1,), True, 1.0),),
        citations=(citation,),
        passages=(Hit(chunk, "Title", "file:///a.md", 3, 0.75, similarity=0.5),),
        generator="extractive",
        prompt_hash=None,
        timings_ms={"total": 12.5},
        notes=("a note",),
    )


@pytest.fixture
def store(tmp_path: Path):
    store = ConversationStore(f"sqlite:///{tmp_path / 'deep' / 'conversations.sqlite'}")
    yield store
    store.close()


def test_an_answer_comes_back_exactly_as_it_was(store: ConversationStore) -> None:
    answer = an_answer("a1", "c1", quote="Naïve 🦜 e\u0301\r\n\x0c\x00 مرحبا")
    store.append(answer, "papers")
    kept = store.answer("a1")
    assert kept.answer == answer
    assert kept.collection == "papers"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_quote_survives_the_database(quote: str) -> None:
    store = ConversationStore("sqlite://")
    store.append(an_answer("a1", "c1", quote=quote), "default")
    assert store.answer("a1").answer.citations[0].quote == quote
    store.close()


def test_history_is_in_the_order_of_asking_and_only_of_its_conversation(store: ConversationStore) -> None:
    store.append(an_answer("a1", "one", question="First?"), "default")
    store.append(an_answer("b1", "two", question="Other?"), "default")
    store.append(an_answer("a2", "one", question="Second?"), "default")
    assert store.history("one") == (Turn("First?", "Because. [1]"), Turn("Second?", "Because. [1]"))
    assert [kept.answer.id for kept in store.answers("one")] == ["a1", "a2"]


def test_time_is_kept_in_utc(tmp_path: Path) -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    store = ConversationStore(f"sqlite:///{tmp_path / 'c.sqlite'}", clock=lambda: noon)
    store.append(an_answer("a1", "c1"), "default")
    assert store.answer("a1").created_at == noon
    assert store.answer("a1").created_at.utcoffset() == timedelta(0)
    store.close()


def test_a_second_store_on_the_same_file_sees_what_the_first_wrote(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    first, second = ConversationStore(url), ConversationStore(url)
    first.append(an_answer("a1", "c1"), "default")
    assert second.history("c1") == (Turn("Why?", "Because. [1]"),)
    first.close()
    second.close()


def test_unknown_ids_are_named_with_the_mend(store: ConversationStore) -> None:
    with pytest.raises(RecordMissing, match=r"'nowhere'.*begin a new one"):
        store.history("nowhere")
    with pytest.raises(RecordMissing, match="'nowhere'"):
        store.answers("nowhere")
    with pytest.raises(RecordMissing, match="'nothing'"):
        store.answer("nothing")


def test_many_threads_append_to_one_conversation_and_none_is_lost(store: ConversationStore) -> None:
    store.append(an_answer("first", "c1"), "default")
    failures: list[Permanent] = []

    def append(number: int) -> None:
        try:
            store.append(an_answer(f"a{number}", "c1"), "default")
        except Permanent as error:
            failures.append(error)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {kept.answer.id for kept in store.answers("c1")} == {"first", *(f"a{number}" for number in range(16))}


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"this is not a database at all, not even a little" * 100)
    with pytest.raises(Permanent, match=r"c\.sqlite.*Move the file away"):
        ConversationStore(f"sqlite:///{path}")


def test_a_place_that_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="can be written"):
        ConversationStore(f"sqlite:///{tmp_path}")
