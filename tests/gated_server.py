"""A server without models whose answers wait for the test, over a home with one collection."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.answering.answerer import AnswerReady, Event, PassagesFound
from service.answering.service import Service
from service.progress import Stages
from service.records import Answer, Question
from service.session.session import Session, make_session
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

WAIT = "wait"


class Gate:
    """An answerer that refuses every question, `wait` only once `go` is set, and records them."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Event]:
        self.questions.append(question)
        yield PassagesFound(())
        if question.text == WAIT:
            self.begun.set()
            assert self.go.wait(20)
        conversation = question.conversation_id or uuid.uuid4().hex
        yield AnswerReady(
            Answer(
                uuid.uuid4().hex, conversation, question.text, question.text, "No.", True, 0.1, (), (), (), "x", None
            )
        )


@contextmanager
def gated_session(folder: Path, database_url: str | None = None, **settings: Any) -> Iterator[tuple[Session, Gate]]:
    """The session of a server over the home `folder`, and the gate of its answers, which opens at the end."""
    gate, library = Gate(), Library(folder, HashedEncoder())
    library.open_or_create("default").add(
        Document("d", "v", "file:///d.md", "D", "text/markdown", "The bridge opened in 1932. " * 5_000)
    )
    store = ConversationStore(Database(database_url or f"sqlite:///{folder / 'c.sqlite'}"))
    chosen = Settings(home=folder, rerank=False, **settings)
    service = Service(chosen, library, None, None, None, gate)  # type: ignore[arg-type]
    try:
        yield make_session(service, store), gate
    finally:
        gate.go.set()
        store.close()
        library.close()
