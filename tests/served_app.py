"""A served app without models, with two collections, keys, and a client for each key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from index.embedding.encoder import HashedEncoder
from index.engines.search_index import SearchIndexes
from index.library import Library
from index.records import Chunk, Document, Hit
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.answerer import AnswerReady, Event, PassagesFound
from service.answering.service import Service
from service.composition.http import create_app
from service.records import Answer, Question
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

TEXTS = {"open": "The bridge opened in 1932.", "closed": "The vault holds 7 bars."}


class RefusingAnswerer:
    """An answerer that refuses every question, with one passage of the collection as the nearest."""

    def __init__(self) -> None:
        self.questions: list[Question] = []

    def stream(self, question: Question, stages: Any = None) -> Iterator[Event]:
        self.questions.append(question)
        text = TEXTS[question.collection]
        hit = Hit(Chunk("c", "d", "v", 0, 0, len(text), text), "D", "file:///d.md", None, 0.5)
        number = len(self.questions)
        conversation = question.conversation_id or f"c{number}"
        yield PassagesFound((hit,))
        yield AnswerReady(
            Answer(
                f"a{number}", conversation, question.text, question.text, "The documents do not say.", True, 0.1, (), (),
                (hit,), "x", None,
            )
        )  # fmt: skip

    def answer(self, question: Question, stages: Any = None) -> Answer:
        return next(event.answer for event in self.stream(question) if isinstance(event, AnswerReady))


class ServedApp:
    """A served app with two collections, keys, and a client for each key."""

    def __init__(self, folder: Path, loopback: Any, indexes: SearchIndexes | None = None, **settings: Any) -> None:
        self.library = Library(folder, HashedEncoder(), indexes)
        for name, text in TEXTS.items():
            self.library.open_or_create(name).add(Document("d", "v", "file:///d.md", "D", "text/markdown", text))
        self.store = ConversationStore(Database(f"sqlite:///{folder / 'c.sqlite'}"))
        self.keys = Keyring(self.store.database)
        self.answerer = RefusingAnswerer()
        chosen = Settings(home=folder, collection="open", **settings)
        self.service = Service(chosen, self.library, None, None, None, self.answerer)  # type: ignore[arg-type]
        self.loopback = loopback
        self.clients: list[httpx.Client] = []
        self.app = create_app(self.service, self.store)
        self.url = ""

    def __enter__(self) -> "ServedApp":
        self.server = self.loopback(self.app)
        self.url = self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.server.__exit__()
        self.store.close()
        self.library.close()

    def client(self, key: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=60))
        return self.clients[-1]

    def key(self, name: str, *scopes: Scope, **options: Any) -> httpx.Client:
        return self.client(self.keys.create(name, scopes or (Scope.ASK,), **options)[1])


def ask(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/v1/chat", json={"question": "Why?", **body})
