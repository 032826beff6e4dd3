"""That Quoth has seen a question: a pair of eyes under the message, or a status in a direct message, until it is answered."""

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client import errors
from service.slack.render.phrases import Phrases
from service.slack.store.questions import Asked

SEEN = "eyes"
_SHOWN = frozenset({"mention", "follow-up", "shortcut"})
_HARMLESS = frozenset({"already_reacted", "no_reaction", "message_not_found"})
log = structlog.get_logger(__name__)


async def show(client: AsyncWebClient, asked: Asked, phrases: Phrases) -> None:
    """Show that the question is being answered. A sign is a courtesy: without it the answer still comes."""
    try:
        if asked.door == "direct":
            await client.assistant_threads_setStatus(
                channel_id=asked.channel, thread_ts=asked.thread, status=phrases.reading
            )
        elif asked.door in _SHOWN:
            await client.reactions_add(channel=asked.channel, timestamp=asked.message, name=SEEN)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        _tell(error)


async def take_down(client: AsyncWebClient, asked: Asked) -> None:
    """Take the sign away. A status goes by itself when a message comes; without one it is cleared."""
    try:
        if asked.door == "direct":
            await client.assistant_threads_setStatus(channel_id=asked.channel, thread_ts=asked.thread, status="")
        elif asked.door in _SHOWN:
            await client.reactions_remove(channel=asked.channel, timestamp=asked.message, name=SEEN)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        _tell(error)


def _tell(error: Exception) -> None:
    if not isinstance(error, SlackApiError) or errors.code(error) not in _HARMLESS:
        log.warning("no sign shown", reason=str(errors.raised(error)))
