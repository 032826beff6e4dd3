"""A small Quoth for tests of the Slack app: real collections, answering and stores, with doubles instead of models.

The reader counts shared words instead of running a network, so that a thousand answers take a second.
"""

import asyncio
import hashlib
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.answering.answerer import Answerer, Policy
from service.answering.checking import SupportPolicy
from service.generators.extractive import ExtractiveGenerator
from service.scoring.reader import Reading, SentenceReading
from service.session.session import Session, make_session
from service.settings import Settings
from service.slack.app import SlackApp, Timing, serve_socket_mode
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.slack_web_api import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET

WORD = re.compile(r"\w+")


def words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text) if len(word) > 3}


class WordOverlapReader:
    """Reads by shared words: a sentence answers as well as it has words of the question."""

    def read(
        self,
        question: str | Sequence[str],
        passages: Sequence[str],
        contexts: Sequence[str] | None = None,
        sentences: Sequence[Sequence[Span]] | None = None,
    ) -> list[Reading]:
        questions = [question] * len(passages) if isinstance(question, str) else question
        readings = []
        given = sentences or [sentence_spans(passage) for passage in passages]
        for asked, passage, spans in zip(map(words, questions), passages, given, strict=True):
            scores = [8.0 * len(asked & words(passage[s.start : s.end])) - 4.0 for s in spans]
            read = tuple(SentenceReading(s.start, s.end, score, None) for s, score in zip(spans, scores, strict=True))
            readings.append(Reading(max(scores, default=-9.0), read))
        return readings

    def is_common(self, word: str) -> bool:
        return True

    def check(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [float(words(claim) <= words(premise)) for claim, premise in pairs]


class WordOverlapCalibration:
    """Sure when the best passage shares words with the question."""

    def probability(self, found: Any) -> float:
        return 0.9 if found is not None and found.relevance > 0 else 0.1


def document(name: str, text: str, principals: frozenset[str] = frozenset(), folder: str = "docs") -> Document:
    version = hashlib.sha256(text.encode()).hexdigest()
    return Document(
        name, version, f"file:///{folder}/{name}.txt", name.title(), "text/plain", text, principals=principals
    )


def small_session(home: Path, generators: dict[str, Any] | None = None, documents: Sequence[Document] = ()) -> Session:
    """A session over `documents` in the default collection."""
    settings = Settings(home=home)
    library = Library(home, HashedEncoder())
    collection = library.open_or_create("default")
    for one in documents:
        collection.add(one)
    collection.embed_pending()
    double = WordOverlapReader()
    chosen = generators or {"extractive": ExtractiveGenerator()}
    answerer = Answerer(
        library,
        double,  # type: ignore[arg-type]  # reads as the network does
        WordOverlapCalibration(),  # type: ignore[arg-type]
        double,  # type: ignore[arg-type]
        chosen,
        next(iter(chosen)),
        Policy(depth=6, top_k=4, threshold=0.5, max_question_chars=4000, support=SupportPolicy(strict=True)),
        new_id=lambda: uuid.uuid4().hex,
    )
    service: Any = SimpleNamespace(settings=settings, library=library, answerer=answerer, recording=None)
    database = Database(settings.store_url)
    return make_session(service, ConversationStore(database))


def settings_for(home: Path, api_url: str, **more: Any) -> Settings:
    return Settings(
        home=home,
        slack_bot_token=BOT_TOKEN,
        slack_app_token=APP_TOKEN,
        slack_signing_secret=SIGNING_SECRET,
        slack_api_url=api_url,
        public_url="https://quoth.example.org",
        **more,
    )


class RunningSlackApp:
    """A Slack app over Socket Mode in its own thread, until the block ends."""

    def __init__(self, session: Session, settings: Settings, timing: Timing, ping_s: float = 0.25) -> None:
        self._session, self._settings, self._timing, self._ping_s = session, settings, timing, ping_s
        self._connected = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._failure: BaseException | None = None

    def __enter__(self) -> "RunningSlackApp":
        self._thread.start()
        assert self._connected.wait(30)
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop as a signal stops `quoth slack`."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def call(self, work: Callable[..., object], *given: object) -> None:
        """Call a function in the app's event loop."""
        self._loop.call_soon_threadsafe(work, *given)

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            app = SlackApp(self._settings, self._session, self._timing)
            await serve_socket_mode(app, APP_TOKEN, self._stop, lambda own: self._connected.set(), self._ping_s)
        except BaseException as error:  # noqa: BLE001  (raised in the test's own thread)
            self._failure = error
            self._connected.set()
