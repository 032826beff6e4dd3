"""Settings -> the Slack app of a process that does nothing else: `quoth slack`."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.composition.service import assemble
from service.composition.store import open_store
from service.session.session import Session, make_session
from service.settings import Settings
from service.slack.app import SlackApp, app_token, make_client, serve_socket_mode
from service.slack.client.users import Identities
from service.slack.manifest import manifest


def manifest_json(url: str | None) -> str:
    """The Slack app's manifest as JSON: for Socket Mode, or for a server at `url` that receives Slack's events."""
    return json.dumps(manifest(url), indent=2, ensure_ascii=False)


async def answer_in_slack(settings: Settings, stop: asyncio.Event, on_connected: Callable[[str], None]) -> None:
    """Answer over Socket Mode until `stop` is set. `on_connected` is called with the app's name in Slack.

    Raises SettingsInvalid without the tokens, SlackRefused if Slack rejects one.
    """
    token = app_token(settings)
    await Identities(make_client(settings)).get()  # a wrong token fails before the models load, which takes seconds
    with open_session(settings) as session:
        await serve_socket_mode(SlackApp(settings, session), token, stop, lambda own: on_connected(own.name))


@contextmanager
def open_session(settings: Settings) -> Iterator[Session]:
    """A session over the assembled service; its database is closed at the end of the block."""
    store = open_store(settings)
    try:
        yield make_session(assemble(settings), store)
    finally:
        store.close()
