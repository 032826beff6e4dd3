"""Databases are created, adopted and upgraded without loss, once, and never by an older Quoth."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

import service.access.keyring
import service.slack.store.tables  # noqa: F401  (with the one above: every table is declared)
from service.errors import StoreNewer
from service.storage.conversations import ConversationStore
from service.storage.database import Database, Table
from service.storage.engines import make_engine
from service.storage.feedback import FeedbackStore

# The tables that create_all made before migrations existed, as SQLite stores them.
OLD = """
CREATE TABLE conversation (id VARCHAR NOT NULL, collection VARCHAR NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (id));
CREATE TABLE answer (position INTEGER NOT NULL, id VARCHAR NOT NULL, conversation_id VARCHAR NOT NULL,
    collection VARCHAR NOT NULL, created_at DATETIME NOT NULL, question VARCHAR NOT NULL, text VARCHAR NOT NULL,
    body VARCHAR NOT NULL, PRIMARY KEY (position), UNIQUE (id),
    FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE);
CREATE INDEX answer_by_conversation ON answer (conversation_id, position);
CREATE TABLE feedback (position INTEGER NOT NULL, id VARCHAR NOT NULL, answer_id VARCHAR NOT NULL, sentence INTEGER,
    rating VARCHAR NOT NULL, comment VARCHAR NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (position), UNIQUE (id),
    FOREIGN KEY(answer_id) REFERENCES answer (id) ON DELETE CASCADE);
CREATE INDEX ix_feedback_answer_id ON feedback (answer_id);
INSERT INTO conversation VALUES ('c1', 'papers', '2026-01-02 12:00:00.000000');
"""
BODY = (
    '{"id":"a1","conversation_id":"c1","question":"When?","rewritten_question":"When?","text":"In 1904. [1]",'
    '"refused":false,"confidence":0.9,"sentences":[{"text":"In 1904.","citations":[1],"supported":true,"support":1.0}],'
    '"citations":[],"passages":[],"generator":"extractive","prompt_hash":null}'
)


def make_old_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(OLD)
        old.execute(
            "INSERT INTO answer VALUES (1, 'a1', 'c1', 'papers', '2026-01-02 12:30:00.000000', 'When?', 'In 1904. [1]', ?)",
            (BODY,),
        )
        old.execute("INSERT INTO feedback VALUES (1, 'f1', 'a1', 0, 'up', 'Yes.', '2026-01-02 12:31:00.000000')")


def test_the_migrations_make_the_tables_that_the_classes_describe(database_url: str) -> None:
    Database(database_url).close()
    engine = make_engine(database_url, 1000)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


def test_a_database_from_before_the_migrations_is_adopted_with_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    make_old_database(path)
    database = Database(f"sqlite:///{path}")
    store = ConversationStore(database)
    (kept,) = store.answers("c1")
    assert (kept.answer.text, kept.collection, kept.created_at.hour) == ("In 1904. [1]", "papers", 12)
    (feedback,) = FeedbackStore(database).feedback()
    assert (feedback.answer_id, feedback.comment, feedback.label) == ("a1", "Yes.", "")
    database.close()
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT owner, title, updated_at FROM conversation").fetchall() == [
            ("", "When?", "2026-01-02 12:30:00.000000")
        ]


def test_replicas_that_start_at_the_same_time_create_one_database(database_url: str) -> None:
    program = "import sys; from service.storage.database import Database; input(); Database(sys.argv[1]).close()"
    replicas = [
        subprocess.Popen([sys.executable, "-c", program, database_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for replica in replicas:
        assert replica.stdin is not None
        replica.stdin.write(b"go\n")
        replica.stdin.flush()
    assert [(replica.communicate(timeout=60)[1], replica.returncode) for replica in replicas] == [(b"", 0)] * 2
    Database(database_url).close()


def test_a_database_of_a_newer_quoth_is_not_changed(database_url: str) -> None:
    Database(database_url).close()
    engine = create_engine(make_engine(database_url, 1000).url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreNewer, match=r"newer Quoth: its schema is '9999'.*Install the newer Quoth"):
        Database(database_url)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    make_old_database(path)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("ALTER TABLE feedback ADD COLUMN label VARCHAR")  # so that the second step fails half way
        before = raw.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    with pytest.raises(Exception, match="duplicate column"):
        Database(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before
