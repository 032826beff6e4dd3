"""Answers for one person: through the command's response_url, which reaches them anywhere, else as a direct message.

A response_url takes five messages within thirty minutes (docs.slack.dev, handling user interaction).
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from service.slack.client.rate_limits import retry_handlers
from service.slack.render.messages import Message, said

MOST_RESPONSES = 4
"""Messages that an answer may take as responses: five, less one to say that it was sent as a direct message."""
log = structlog.get_logger(__name__)


async def respond(url: str, message: Message) -> bool:
    """Show a message to the person who pressed or typed, and to nobody else. False when the address has expired."""
    client = AsyncWebhookClient(url, retry_handlers=retry_handlers())
    response = await client.send(
        text=message.text, blocks=list(message.blocks), response_type="ephemeral", replace_original=False
    )
    if response.status_code == HTTPStatus.OK:
        return True
    log.info("no response", status=response.status_code, reason=response.body[:100])
    return False


async def hand_over(
    client: AsyncWebClient,
    url: str,
    user: str,
    messages: Sequence[Message],
    notice: str,
    posted: Callable[[str, str, int], Awaitable[None]],
) -> None:
    """Show an answer to one person.

    `notice` says, where the question was asked, that a long answer went to the direct messages. `posted` is told the channel,
    timestamp and place of each message that was sent directly; a response has none that Slack lets us use.
    """
    sent = 0
    if len(messages) <= MOST_RESPONSES:
        for message in messages:
            if not await respond(url, message):
                break
            sent += 1
    else:
        await respond(url, said(notice))
    for place, message in enumerate(messages[sent:]):
        response = await client.chat_postMessage(
            channel=user, text=message.text, blocks=list(message.blocks), unfurl_links=False, unfurl_media=False
        )
        await posted(str(response["channel"]), str(response["ts"]), place)


async def discard(url: str) -> None:
    """Take a private message away from its reader's sight."""
    await AsyncWebhookClient(url, retry_handlers=retry_handlers()).send_dict({"delete_original": True})
