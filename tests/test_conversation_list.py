"""The list of conversations over HTTP, on the command line and in the database: only the owner's, without deleted ones."""

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from index.embedding.encoder import HashedEncoder
from index.library import Library
from service.answer_json import answer_of
from service.answering.service import Service
from service.cli.conversations import app as commands
from service.composition.http import create_app
from service.errors import CursorInvalid, RecordDamaged, RecordMissing, TitleInvalid
from service.records import Answer, Citation, Excerpt, Sentence
from service.settings import Settings
from service.storage.conversation_list import ConversationList
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from service.storage.export import markdown
from service.storage.feedback import FeedbackStore
from service.storage.retention import Retention

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def make_answer(id: str, conversation: str, question: str = "When was it?", quote: str = "In 1904.") -> Answer:
    citation = Citation(
        1, "d", "v" * 64, "The *Title*", "file:///a.md", 2, 5, 5 + len(quote), quote, "k", 0.9, ("Top",)
    )
    return Answer(
        id=id,
        conversation_id=conversation,
        question=question,
        rewritten_question=question,
        text=f"{quote} [1]",
        refused=False,
        confidence=0.9,
        sentences=(Sentence(quote, (1,), True, 1.0),),
        citations=(citation,),
        passages=(),
        generator="extractive",
        prompt_hash=None,
    )


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[ConversationStore]:
    """Three conversations of one owner, and one of another."""
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'asked.sqlite'}"))
    store.append(make_answer("a1", "c1", "What does the Medium plan cost?"), "default")
    store.append(make_answer("a2", "c1", "And the 50% rebate?"), "default")
    store.append(make_answer("a3", "c2", "Who built the loom?"), "default")
    store.append(make_answer("a4", "c3", "Who owns the MEDIUM?"), "default", owner="ann")
    yield store
    store.close()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("medium", ["c1"]),
        ("plan MEDIUM", ["c1"]),
        ("medium loom", []),
        ("50%", ["c1"]),
        ("%", ["c1"]),
        ("_", []),
        ("", ["c2", "c1"]),
    ],
)
def test_conversations_are_found_by_the_words_of_their_questions(
    asked: ConversationStore, words: str, found: list[str]
) -> None:
    page = ConversationList(asked.database).page(words=words)
    assert [conversation.id for conversation in page.conversations] == found


def test_feedback_is_listed_by_conversation(asked: ConversationStore) -> None:
    feedback = FeedbackStore(asked.database)
    feedback.rate("a1", "up")
    feedback.rate("a2", "down", 0, "no")
    feedback.rate("a3", "down")
    assert [one.answer_id for one in feedback.feedback(conversation_id="c1")] == ["a1", "a2"]


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> ConversationStore:
    return ConversationStore(database, clock=clock)


@pytest.fixture
def conversations(database: Database, clock: Clock) -> ConversationList:
    return ConversationList(database, clock=clock)


@pytest.fixture
def client(store: ConversationStore, tmp_path: Path, loopback: Any) -> Iterator[httpx.Client]:
    library = Library(tmp_path, HashedEncoder())
    service = Service(Settings(home=tmp_path), library, None, None, None, None)  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client
    library.close()


def test_the_list_is_newest_first_in_pages_that_neither_repeat_nor_miss(
    store: ConversationStore, conversations: ConversationList, clock: Clock
) -> None:
    for number in range(7):
        store.append(make_answer(f"a{number}", f"c{number}", f"Question {number}?"), "default")
        if number != 3:  # two were last used at the same moment
            clock.now += timedelta(seconds=1)
    first = conversations.page(3)
    assert [one.id for one in first.conversations] == ["c6", "c5", "c4"]
    store.append(make_answer("late", "c9", "A late one?"), "default")
    store.append(make_answer("again", "c6"), "default")
    second = conversations.page(3, first.next_cursor)
    third = conversations.page(3, second.next_cursor)
    assert [one.id for one in (*second.conversations, *third.conversations)] == ["c3", "c2", "c1", "c0"]
    assert third.next_cursor is None
    newest = conversations.page(1).conversations[0]
    assert (newest.id, newest.title, newest.answers, newest.collection) == ("c9", "A late one?", 1, "default")
    assert newest.updated_at == clock.now


def test_titles_are_one_line_cut_at_a_word(store: ConversationStore, conversations: ConversationList) -> None:
    store.append(make_answer("a", "c", "  What\n is\tit? " + "word " * 60), "default")
    title = conversations.get("c").title
    assert title.startswith("What is it? word word")
    assert title.endswith("word…")
    assert len(title) <= 120
    assert conversations.rename("c", "  Another\ntitle ").title == "Another title"
    for bad in ("", " \n ", "x" * 121):
        with pytest.raises(TitleInvalid, match="1 to 120"):
            conversations.rename("c", bad)
    assert conversations.get("c").title == "Another title"


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "WyJub24iLCAieCJd", "[" * 300, "bnVsbA"])
def test_an_unknown_cursor_is_refused(conversations: ConversationList, cursor: str) -> None:
    with pytest.raises(CursorInvalid, match="next_cursor"):
        conversations.page(3, cursor)


def test_another_owner_finds_lists_renames_and_deletes_nothing(
    store: ConversationStore, conversations: ConversationList
) -> None:
    store.append(make_answer("a", "c"), "default", owner="ada")
    for stranger in ("", "bob"):
        assert conversations.page(owner=stranger).conversations == ()
        with pytest.raises(RecordMissing):
            conversations.get("c", owner=stranger)
        with pytest.raises(RecordMissing):
            conversations.rename("c", "Mine now", owner=stranger)
        with pytest.raises(RecordMissing):
            conversations.delete("c", owner=stranger)
    assert [one.title for one in conversations.page(owner="ada").conversations] == ["When was it?"]


def test_deleting_a_conversation_deletes_its_answers_and_feedback(
    store: ConversationStore, conversations: ConversationList
) -> None:
    store.append(make_answer("a", "c"), "default")
    store.append(make_answer("b", "other"), "default")
    feedback = FeedbackStore(store.database)
    feedback.rate("a", "down", comment="Wrong.")
    conversations.delete("c")
    with pytest.raises(RecordMissing):
        store.answer("a")
    assert feedback.feedback() == ()
    assert [one.id for one in conversations.page().conversations] == ["other"]
    with pytest.raises(RecordMissing):
        conversations.delete("c")


def test_conversations_are_deleted_all_together_or_not_at_all(
    store: ConversationStore, conversations: ConversationList
) -> None:
    for number in range(2):
        store.append(make_answer(f"a{number}", f"c{number}"), "default")
    with pytest.raises(RecordMissing, match="gone"):
        conversations.delete("c0", "gone", "c1")
    assert {one.id for one in conversations.page().conversations} == {"c0", "c1"}
    conversations.delete("c0", "c1", "c0")
    assert conversations.page().conversations == ()


def test_deleted_text_does_not_remain_in_the_database_files(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'c.sqlite'}")
    store = ConversationStore(database)
    store.append(make_answer("a", "c", "Where is the zanzibarite?", "It is in the zanzibarite vault." * 400), "default")
    FeedbackStore(database).rate("a", "up", comment="zanzibarite!")

    def files_with() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"zanzibarite" in files_with()
    ConversationList(database).delete("c")
    assert b"zanzibarite" not in files_with()
    database.close()


def test_conversations_unused_for_too_long_are_deleted_and_counted(
    store: ConversationStore, conversations: ConversationList, clock: Clock
) -> None:
    store.append(make_answer("a", "old"), "default", owner="ada")
    store.append(make_answer("b", "used"), "default")
    clock.now += timedelta(days=29)
    store.append(make_answer("c", "used"), "default")
    clock.now += timedelta(days=2)
    assert Retention(conversations, None, clock=clock).apply() == 0
    with structlog.testing.capture_logs() as logs:
        assert Retention(conversations, 30, clock=clock).apply() == 1
    assert (logs[0]["event"], logs[0]["conversations"], logs[0]["retention_days"]) == (
        "old conversations deleted",
        1,
        30,
    )
    assert [one.id for one in conversations.page(owner=None).conversations] == ["used"]


def test_retention_runs_at_start_and_again_after_the_database_was_unavailable(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "c.sqlite"
    database = Database(f"sqlite:///{path}")
    store, conversations = ConversationStore(database, clock=clock), ConversationList(database)
    store.append(make_answer("a", "old"), "default")
    path.rename(tmp_path / "away")
    with structlog.testing.capture_logs() as logs, Retention(conversations, 1, every_s=0.01):
        wait_for(lambda: any(line["event"] == "old conversations could not be deleted" for line in logs))
        (tmp_path / "away").rename(path)
        wait_for(lambda: any(line.get("conversations") == 1 for line in logs))
    assert conversations.page().conversations == ()
    database.close()


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_conversations_over_http(client: httpx.Client, store: ConversationStore, clock: Clock) -> None:
    for number in range(3):
        store.append(make_answer(f"a{number}", f"c{number}", f"Question {number}?"), "default")
        clock.now += timedelta(seconds=1)
    page = client.get("/v1/conversations", params={"limit": 2}).json()
    assert [one["title"] for one in page["conversations"]] == ["Question 2?", "Question 1?"]
    rest = client.get("/v1/conversations", params={"cursor": page["next_cursor"]}).json()
    assert ([one["id"] for one in rest["conversations"]], rest["next_cursor"]) == (["c0"], None)
    renamed = client.patch("/v1/conversations/c0", json={"title": "Zero"}).json()
    assert (renamed["title"], renamed["answers"], renamed["created_at"]) == ("Zero", 1, NOON.isoformat())
    whole = client.get("/v1/conversations/c0").json()
    assert (whole["title"], whole["answers"][0]["answer"]["id"]) == ("Zero", "a0")
    assert client.delete("/v1/conversations/c0").status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/export")):
        gone = client.request(method, f"/v1/conversations/c0{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "record-missing")
    assert client.get("/v1/answers/a0").status_code == 404


@pytest.mark.parametrize(
    ("method", "address", "body", "code"),
    [
        ("GET", "/v1/conversations?cursor=nonsense", None, "cursor-invalid"),
        ("GET", "/v1/conversations?limit=0", None, "request-invalid"),
        ("PATCH", "/v1/conversations/c", {"title": " "}, "title-invalid"),
        ("PATCH", "/v1/conversations/c", {"name": "x"}, "request-invalid"),
        ("GET", "/v1/conversations/c/export?format=pdf", None, "request-invalid"),
        ("GET", "/v1/conversations/%00", None, "record-missing"),
    ],
)
def test_bad_requests_are_problems(
    client: httpx.Client, store: ConversationStore, method: str, address: str, body: Any, code: str
) -> None:
    store.append(make_answer("a", "c"), "default")
    response = client.request(method, address, json=body)
    assert response.json()["code"] == code
    assert response.status_code in (404, 422)


def test_an_export_as_json_lines_is_complete(client: httpx.Client, store: ConversationStore) -> None:
    answer = make_answer("a", "c", quote="A line\u2028break and 🦜\x00.")
    store.append(answer, "papers")
    response = client.get("/v1/conversations/c/export")
    assert response.headers["content-type"] == "application/jsonl"
    assert response.headers["content-disposition"] == 'attachment; filename="conversation-2026-01-02.jsonl"'
    (line,) = response.content.splitlines()
    kept = json.loads(line)
    assert answer_of(kept["answer"]) == answer
    assert (kept["conversation_id"], kept["collection"], kept["title"]) == ("c", "papers", "When was it?")


def test_an_export_as_markdown_shows_what_a_quote_is_read_with(
    client: httpx.Client, store: ConversationStore, conversations: ConversationList
) -> None:
    answer = make_answer("a", "c")
    context = (Excerpt(1, 8, "Article"), Excerpt(9, 15, "*Oslo*\n"))
    store.append(replace(answer, citations=(replace(answer.citations[0], context=context),)), "default")
    response = client.get("/v1/conversations/c/export", params={"format": "markdown"})
    lines = response.text.splitlines()
    place = lines.index("Article · \\*Oslo\\*")
    assert lines[place - 2].startswith("**1.** ")
    assert lines[place + 2].startswith("> ")


def test_an_export_as_markdown_is_readable_and_escapes_markup(
    client: httpx.Client, store: ConversationStore, conversations: ConversationList
) -> None:
    store.append(make_answer("a", "c", "Is <b>it</b>?", "# Not a heading\n![x](http://e.org)"), "default")
    response = client.get("/v1/conversations/c/export", params={"format": "markdown"})
    assert response.text.startswith(markdown(conversations.get("c"), store.answers("c")))
    assert response.text.splitlines() == [
        "# Is \\<b\\>it\\</b\\>?",
        "",
        "Collection default, 2026-01-02 12:00 UTC.",
        "",
        "## Is \\<b\\>it\\</b\\>?",
        "",
        "\\# Not a heading !\\[x\\](http://e.org) \\[1\\]",
        "",
        "**1.** The \\*Title\\* · Top · page 2 · characters 5–39 · version vvvvvvvvvvvv · file:///a.md",
        "",
        "> \\# Not a heading",
        "> !\\[x\\](http://e.org)",
        "",
        "Confidence 0.90, extractive, 2026-01-02 12:00 UTC.",
        "",
        "**1. The document was changed or removed since, and the quote is gone.**",
    ]


def test_an_export_goes_on_after_a_damaged_row_and_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = Settings(home=tmp_path)
    database = Database(settings.store_url)
    store = ConversationStore(database)
    for id, conversation in (("a", "c1"), ("b", "c1"), ("d", "c2"), ("e", "c3"), ("f", "c4"), ("g", "c5")):
        store.append(make_answer(id, conversation, f"Question {id}?"), "default")
    database.close()
    connection = sqlite3.connect(settings.store_path)
    connection.execute("UPDATE answer SET body = substr(body, 1, 40) WHERE id = 'b'")
    connection.execute("UPDATE answer SET body = '{}' WHERE id = 'd'")
    connection.execute("UPDATE answer SET body = CAST(x'ff7b7d' AS TEXT) WHERE id = 'e'")
    connection.execute("UPDATE conversation SET created_at = 'yesterday' WHERE id = 'c4'")
    connection.commit()
    connection.close()
    for format in ("jsonl", "markdown"):
        exported = CliRunner().invoke(commands, ["export", "--format", format])
        assert exported.exit_code == 1
        assert isinstance(exported.exception, SystemExit)
        assert "Question a?" in exported.stdout
        assert "Question g?" in exported.stdout
        for id in ("b", "d", "e"):
            assert f"The answer {id} of the conversation" in exported.stderr
        assert "The conversation c4 cannot be read: it is damaged in the database" in exported.stderr
        assert len(exported.stderr.splitlines()) == 4
    one = CliRunner().invoke(commands, ["export", "c5"])
    assert (one.exit_code, one.stderr) == (0, "")
    assert isinstance(CliRunner().invoke(commands, ["show", "c2"]).exception, RecordDamaged)


def test_the_command_line_does_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(commands, ["list"]).output == "No conversation yet.\n"
    database = Database(Settings(home=tmp_path).store_url)
    store = ConversationStore(database)
    store.append(make_answer("a", "c1", "\x1b[31mWhen?"), "default", owner="ada")
    store.append(make_answer("b", "c2", "And who?"), "default")
    listed = run(commands, ["list"]).output.splitlines()
    assert [line.split("  ", 1)[1] for line in listed] == ["c2  And who?  1", "c1  [31mWhen?  1"]
    assert [one["id"] for one in json.loads(run(commands, ["list", "--json"]).output)["conversations"]] == ["c2", "c1"]
    assert run(commands, ["rename", "c2", "People"]).output == "Renamed: People\n"
    shown = run(commands, ["show", "c2"]).output
    assert shown.startswith("People\n")
    assert "In 1904. [1]" in shown
    assert json.loads(run(commands, ["show", "c2", "--json"]).output)["title"] == "People"
    file = tmp_path / "all.jsonl"
    assert run(commands, ["export", "--out", str(file)]).exit_code == 0
    assert [json.loads(line)["conversation_id"] for line in file.read_text().splitlines()] == ["c2", "c1"]
    assert run(commands, ["export", "c2", "--format", "markdown"]).output.startswith("# People\n")
    assert run(commands, ["export", "--out", "/no/such/folder/x"]).exit_code == 1
    assert run(commands, ["delete", "c2"], input="n\n").exit_code == 1
    assert run(commands, ["delete", "c2", "c1", "--yes"]).output == "Deleted: People\nDeleted: [31mWhen?\n"
    assert isinstance(run(commands, ["show", "c2"]).exception, RecordMissing)
    database.close()
