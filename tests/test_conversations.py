"""Conversations are stored completely, in order, separately, and by several writers at once."""

import threading
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.records import Chunk, Hit
from service.errors import Permanent, RecordMissing
from service.records import Answer, Citation, Sentence, Turn
from service.storage.conversations import ANYBODY, ConversationStore
from service.storage.database import Database


def make_answer(id: str, conversation_id: str, question: str = "Why?", quote: str = "Because.") -> Answer:
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
def store(database: Database) -> ConversationStore:
    return ConversationStore(database)


def test_an_answer_is_read_back_unchanged(store: ConversationStore) -> None:
    answer = make_answer("a1", "c1", quote="Naïve 🦜 e\u0301\r\n\x0c\x00 مرحبا")
    store.append(answer, "papers")
    kept = store.answer("a1")
    assert kept.answer == answer
    assert kept.collection == "papers"


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_quote_is_read_back_unchanged(store: ConversationStore, quote: str) -> None:
    answer = make_answer(store.new_id(), "c1", quote=quote)
    store.append(answer, "default")
    assert store.answer(answer.id).answer == answer


def test_history_is_in_the_order_of_the_questions_and_only_of_its_conversation(store: ConversationStore) -> None:
    store.append(make_answer("a1", "one", question="First?"), "default")
    store.append(make_answer("b1", "two", question="Other?"), "default")
    store.append(make_answer("a2", "one", question="Second?"), "default")
    assert store.history("one") == (Turn("First?", "Because. [1]"), Turn("Second?", "Because. [1]"))
    assert [kept.answer.id for kept in store.answers("one")] == ["a1", "a2"]


def test_times_are_stored_in_utc(database: Database) -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=2)))
    ConversationStore(database, clock=lambda: noon).append(make_answer("a1", "c1"), "default")
    kept = ConversationStore(database).answer("a1")
    assert kept.created_at == noon
    assert kept.created_at.utcoffset() == timedelta(0)


def test_a_second_connection_to_the_same_url_sees_the_writes_of_the_first(database_url: str) -> None:
    first, second = Database(database_url), Database(database_url)
    ConversationStore(first).append(make_answer("a1", "c1"), "default")
    assert ConversationStore(second).history("c1") == (Turn("Why?", "Because. [1]"),)
    first.close()
    second.close()


def test_unknown_ids_are_reported_with_the_fix(store: ConversationStore) -> None:
    with pytest.raises(RecordMissing, match=r"'nowhere'.*begin a new one"):
        store.history("nowhere")
    with pytest.raises(RecordMissing, match="'nowhere'"):
        store.answers("nowhere")
    with pytest.raises(RecordMissing, match="'nothing'"):
        store.answer("nothing")


def test_many_threads_append_to_one_conversation_and_none_is_lost(store: ConversationStore) -> None:
    store.append(make_answer("first", "c1"), "default")
    failures: list[Permanent] = []

    def append(number: int) -> None:
        try:
            store.append(make_answer(f"a{number}", "c1"), "default")
        except Permanent as error:
            failures.append(error)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {kept.answer.id for kept in store.answers("c1")} == {"first", *(f"a{number}" for number in range(16))}


def test_data_of_another_owner_is_not_found(store: ConversationStore) -> None:
    store.append(make_answer("a1", "c1"), "default", owner="ada")
    assert store.answer("a1", owner="ada").answer.id == "a1"
    assert store.answer("a1", owner=ANYBODY).answer.id == "a1"
    for stranger in ("", "bob"):
        for read in (store.history, store.answers):
            with pytest.raises(RecordMissing, match="'c1'"):
                read("c1", owner=stranger)
        with pytest.raises(RecordMissing, match="'a1'"):
            store.answer("a1", owner=stranger)
        with pytest.raises(RecordMissing, match="'c1'"):
            store.append(make_answer("a2", "c1"), "default", owner=stranger)
    assert len(store.answers("c1", owner="ada")) == 1
