"""Private answers: through the command's response_url, which reaches a person in any channel, else as a direct message.

A response_url takes five messages within thirty minutes (docs.slack.dev, handling user interaction).
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from service.slack.client.rate_limits import retry_handlers
from service.slack.render.messages import SlackMessage, short_message

MAX_RESPONSES = 4
"""Most responses for one answer: five, less one to say that the answer was sent as a direct message."""
log = structlog.get_logger(__name__)


async def respond_privately(url: str, message: SlackMessage) -> bool:
    """Show a message only to the person who pressed the button or typed the command. False when the address has expired."""
    client = AsyncWebhookClient(url, retry_handlers=retry_handlers())
    response = await client.send(
        text=message.text, blocks=list(message.blocks), response_type="ephemeral", replace_original=False
    )
    if response.status_code == HTTPStatus.OK:
        return True
    log.info("no response", status=response.status_code, reason=response.body[:100])
    return False


async def deliver_privately(
    client: AsyncWebClient,
    url: str,
    user: str,
    messages: Sequence[SlackMessage],
    notice: str,
    on_posted: Callable[[str, str, int], Awaitable[None]],
) -> None:
    """Show an answer to one person.

    `notice` says, where the question was asked, that a long answer was sent as direct messages. `on_posted` receives the
    channel, timestamp and place of each direct message; a response has no timestamp that Slack lets the app use.
    """
    sent = 0
    if len(messages) <= MAX_RESPONSES:
        for message in messages:
            if not await respond_privately(url, message):
                break
            sent += 1
    else:
        await respond_privately(url, short_message(notice))
    for place, message in enumerate(messages[sent:]):
        response = await client.chat_postMessage(
            channel=user, text=message.text, blocks=list(message.blocks), unfurl_links=False, unfurl_media=False
        )
        await on_posted(str(response["channel"]), str(response["ts"]), place)


async def delete_private(url: str) -> None:
    """Delete a private message through its response address."""
    await AsyncWebhookClient(url, retry_handlers=retry_handlers()).send_dict({"delete_original": True})
