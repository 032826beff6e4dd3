"""Quoth over Socket Mode: Slack's events through a connection that we open, so that no public address is needed."""

import asyncio
from collections.abc import Callable

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError

from service.errors import SettingsInvalid
from service.settings import Settings
from service.slack.app import SlackDoor
from service.slack.client import errors
from service.slack.client.identity import Identity

PING_S = 10.0


def app_token(settings: Settings) -> str:
    """The token that opens connections. Raises SettingsInvalid."""
    if settings.slack_app_token is None:
        raise SettingsInvalid(
            "setting slack_app_token (QUOTH_SLACK_APP_TOKEN) is missing. Make one (xapp-...) under Basic Information, "
            "App-Level Tokens, with the scope connections:write; docs/slack.md shows where."
        )
    return settings.slack_app_token.get_secret_value()


async def serve(
    door: SlackDoor, token: str, stop: asyncio.Event, connected: Callable[[Identity], None], ping_s: float = PING_S
) -> None:
    """Connect and answer until `stop` is set; `connected` is told once, with who the app is.

    The connection is checked every `ping_s` seconds, and opened anew when it broke or Slack asks for it. Raises
    SlackRefused, before anything else, for a token that Slack does not take.
    """
    own = await door.identities.get()
    try:
        opened = await door.client.apps_connections_open(app_token=token)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise errors.raised(error) from error
    handler = AsyncSocketModeHandler(door.app, token, web_client=door.client, ping_interval=ping_s)
    handler.client.wss_uri = opened["url"]
    async with door.working():
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
            connected(own)
            await stop.wait()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]
