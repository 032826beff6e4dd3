"""Who the app is in its workspace, asked of Slack once (auth.test)."""

import asyncio
from dataclasses import dataclass

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client import errors


@dataclass(frozen=True, slots=True)
class Identity:
    """The app's user and bot id, its workspace, and the scopes of its token."""

    user: str
    bot: str
    team: str
    enterprise: str | None
    name: str


class Identities:
    """The identity behind one bot token; a failure is not remembered, so the next call asks again."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: Identity | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Identity:
        """The identity. Raises SlackRefused for a token that Slack does not take, SlackUnavailable without Slack."""
        async with self._lock:
            if self._known is None:
                try:
                    found = await self._client.auth_test()
                except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
                    raise errors.raised(error) from error
                self._known = Identity(
                    user=str(found["user_id"]),
                    bot=str(found.get("bot_id") or ""),
                    team=str(found["team_id"]),
                    enterprise=found.get("enterprise_id"),
                    name=str(found.get("user") or "Quoth"),
                )
            return self._known

    async def authorize(self) -> AuthorizeResult:
        """What Bolt wants to know before it hands on an event."""
        own = await self.get()
        return AuthorizeResult(
            enterprise_id=own.enterprise,
            team_id=own.team,
            bot_user_id=own.user,
            bot_id=own.bot,
            bot_token=self._client.token,
        )
