"""SlackApp: Quoth in one workspace, as a Bolt app with its handlers and the worker that answers; and its Socket Mode.

Over HTTP, Slack's events come through service/slack/http.py instead.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.errors import SettingsInvalid
from service.session.session import Session
from service.settings import Settings
from service.slack.actions import Actions
from service.slack.client import errors
from service.slack.client.rate_limits import SECONDS_BETWEEN_POSTS, Rates, retry_handlers
from service.slack.client.users import Groups, Identities, Identity, People
from service.slack.context import SlackContext
from service.slack.handlers import Handlers
from service.slack.store.channels import Channels
from service.slack.store.messages import PostedMessages, RecentActions
from service.slack.store.questions import LEASE, Questions
from service.slack.worker import POLL_S, Worker

PING_S = 10.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """The lease of a question, how often the worker looks for more, and the least time between two posts in a channel."""

    lease: timedelta = LEASE
    poll_s: float = POLL_S
    seconds_between_posts: float = SECONDS_BETWEEN_POSTS


class SlackApp:
    """Quoth in one workspace. `app` receives Slack's events; the `working` block answers the stored questions.

    Create it inside a running event loop, and use it only in that loop.
    """

    def __init__(self, settings: Settings, session: Session, timing: Timing | None = None) -> None:
        timing, database = timing or Timing(), session.store.database
        self.client = make_client(settings)
        self.identities = Identities(self.client)

        async def authorize() -> AuthorizeResult:  # Bolt inspects the parameter names, and a method has self
            return await self.identities.authorize()

        context = self._context = SlackContext(
            client=self.client,
            session=session,
            questions=Questions(database, session.store.new_id, lease=timing.lease),
            posted=PostedMessages(database),
            recent_actions=RecentActions(database),
            channels=Channels(database),
            people=People(self.client, database),
            groups=Groups(self.client),
            identities=self.identities,
            viewer_base=settings.viewer_base,
            open_collections=frozenset(settings.slack_collections),
            rates=Rates(timing.seconds_between_posts),
        )
        self.worker = Worker(context, poll_s=timing.poll_s)
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
        Handlers(context, self.worker, Actions(context), self._run_in_background).register(self.app)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Answer stored questions until the block ends. Then start no more, and give those in progress the grace period.

        Questions that are not answered by then are given back, for another process or the next start.
        """
        log.info("answering in slack", waiting=await self._context.run_in_db(self._context.questions.waiting))
        work = asyncio.ensure_future(self.worker.run())
        try:
            yield
        finally:
            self.worker.close()
            log.info("closing in slack", grace_s=self._grace_s)
            unfinished = [work, *self._tasks]
            try:
                await asyncio.wait(unfinished, timeout=self._grace_s)
            finally:
                for task in unfinished:
                    task.cancel()
                await asyncio.gather(*unfinished, return_exceptions=True)

    def _run_in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_log_failure(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def make_client(settings: Settings) -> AsyncWebClient:
    """A Slack client with the bot's token. Raises SettingsInvalid when the token is not set."""
    if settings.slack_bot_token is None:
        raise SettingsInvalid(
            "setting slack_bot_token (QUOTH_SLACK_BOT_TOKEN) is missing. Copy the Bot User OAuth Token (xoxb-...) from "
            "OAuth & Permissions of the app's page; docs/slack.md shows where."
        )
    token = settings.slack_bot_token.get_secret_value()
    return AsyncWebClient(token=token, base_url=settings.slack_api_url, retry_handlers=retry_handlers())


def app_token(settings: Settings) -> str:
    """The token that opens Socket Mode connections. Raises SettingsInvalid when it is not set."""
    if settings.slack_app_token is None:
        raise SettingsInvalid(
            "setting slack_app_token (QUOTH_SLACK_APP_TOKEN) is missing. Make one (xapp-...) under Basic Information, "
            "App-Level Tokens, with the scope connections:write; docs/slack.md shows where."
        )
    return settings.slack_app_token.get_secret_value()


async def serve_socket_mode(
    app: SlackApp, token: str, stop: asyncio.Event, on_connected: Callable[[Identity], None], ping_s: float = PING_S
) -> None:
    """Connect over Socket Mode, where Quoth opens the connection and needs no public address; answer until `stop` is set.

    `on_connected` is called once with the app's identity. The connection is checked every `ping_s` seconds, and reopened when
    it broke or Slack asks for it. Raises SlackRefused, before anything else, for a token that Slack rejects.
    """
    own = await app.identities.get()
    try:
        response = await app.client.apps_connections_open(app_token=token)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise errors.to_service_error(error) from error
    handler = AsyncSocketModeHandler(app.app, token, web_client=app.client, ping_interval=ping_s)
    handler.client.wss_uri = response["url"]
    async with app.working():
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
            on_connected(own)
            await stop.wait()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]


async def _log_failure(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("slack task broke")


def _bolt_log() -> logging.Logger:
    """Bolt's own logger, for errors only: its warnings repeat the body of an event, and so what people wrote."""
    logger = logging.getLogger("quoth.slack.bolt")
    logger.setLevel(logging.ERROR)
    return logger
