"""The Slack door, put together: a Bolt app with the handlers, and the worker behind it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from service.errors import SettingsInvalid
from service.session.session import Parts
from service.settings import Settings
from service.slack.actions import Actions
from service.slack.client.identity import Identities
from service.slack.client.rate_limits import SECONDS_BETWEEN_POSTS, Rates, retry_handlers
from service.slack.client.user_groups import Groups
from service.slack.client.users import People
from service.slack.context import Office
from service.slack.handlers import Handlers
from service.slack.store.channels import Channels
from service.slack.store.messages import Once, Posted
from service.slack.store.questions import LEASE, Questions
from service.slack.worker import POLL_S, Worker

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take: the lease of a question, the worker's look for more, and the space between posts, in seconds."""

    lease: timedelta = LEASE
    poll_s: float = POLL_S
    seconds_between_posts: float = SECONDS_BETWEEN_POSTS


class SlackDoor:
    """Quoth in one workspace. `app` takes what Slack sends; `working` answers what waits while its block runs.

    Made inside a running event loop, and for that loop alone.
    """

    def __init__(self, settings: Settings, parts: Parts, pace: Pace | None = None) -> None:
        kept, database = pace or Pace(), parts.store.database
        self.client = client_of(settings)
        self.identities = Identities(self.client)

        async def authorize() -> AuthorizeResult:  # Bolt reads the names of its arguments, of which a method has one
            return await self.identities.authorize()

        office = self._office = Office(
            client=self.client,
            parts=parts,
            questions=Questions(database, parts.store.new_id, lease=kept.lease),
            posted=Posted(database),
            once=Once(database),
            channels=Channels(database),
            people=People(self.client, database),
            groups=Groups(self.client),
            identities=self.identities,
            viewer_base=settings.public_url,
            open_collections=frozenset(settings.slack_collections),
            rates=Rates(kept.seconds_between_posts),
        )
        self.worker = Worker(office, poll_s=kept.poll_s)
        self._grace_s = settings.shutdown_grace_s
        self._tasks: set[asyncio.Task[None]] = set()
        secret = settings.slack_signing_secret
        self.app = AsyncApp(
            name="quoth",
            logger=_bolt_log(),
            client=AsyncWebClient(base_url=settings.slack_api_url, retry_handlers=retry_handlers()),
            authorize=authorize,
            signing_secret=secret.get_secret_value() if secret else "",
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )
        Handlers(office, self.worker, Actions(office), self._later).register(self.app)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Answer what waits until the block ends; then nothing new is begun, and what is begun has the grace to end.

        What is not done by then is given back, for another process or the next start.
        """
        log.info("answering in slack", waiting=await self._office.keep(self._office.questions.waiting))
        work = asyncio.ensure_future(self.worker.run())
        try:
            yield
        finally:
            self.worker.close()
            log.info("closing in slack", grace_s=self._grace_s)
            ending = [work, *self._tasks]
            try:
                await asyncio.wait(ending, timeout=self._grace_s)
            finally:
                for task in ending:
                    task.cancel()
                await asyncio.gather(*ending, return_exceptions=True)

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def client_of(settings: Settings) -> AsyncWebClient:
    """A client with the bot's token. Raises SettingsInvalid without one."""
    if settings.slack_bot_token is None:
        raise SettingsInvalid(
            "setting slack_bot_token (QUOTH_SLACK_BOT_TOKEN) is missing. Copy the Bot User OAuth Token (xoxb-...) from "
            "OAuth & Permissions of the app's page; docs/slack.md shows where."
        )
    token = settings.slack_bot_token.get_secret_value()
    return AsyncWebClient(token=token, base_url=settings.slack_api_url, retry_handlers=retry_handlers())


async def _guarded(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("slack task broke")


def _bolt_log() -> logging.Logger:
    """Bolt's own log, from errors up: its warnings repeat the body of an event, and so what people said."""
    logger = logging.getLogger("quoth.slack.bolt")
    logger.setLevel(logging.ERROR)
    return logger
