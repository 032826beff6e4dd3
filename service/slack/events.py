"""Reads message events: what was said, and whether it is a question for Quoth. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.slack.render.text import mentioned_users, plain_text
from service.slack.store.questions import Origin, SlackQuestion

_WRITTEN_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast", "me_message"})


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What a person wrote, and where. `thread` is the timestamp of the thread's first message, perhaps this one."""

    team: str
    channel: str
    channel_type: str
    thread: str
    message: str
    user: str
    text: str
    mentions: frozenset[str]
    in_thread: bool

    @property
    def key(self) -> str:
        """The key of the message: the same for the events app_mention and message, and for every repetition of both."""
        return message_key(self.channel, self.message)


def message_key(channel: str, message: str) -> str:
    """The key by which a message is stored."""
    return f"{channel}:{message}"


def read_message(event: Mapping[str, Any], team: str, names: dict[str, str] | None = None) -> UserMessage | None:
    """What a person wrote in a message event; None for bots, for changes, and for messages that Slack writes itself."""
    if (
        event.get("subtype") not in _WRITTEN_BY_PEOPLE
        or event.get("bot_id")
        or event.get("bot_profile")
        or not event.get("user")
    ):
        return None
    text = str(event.get("text") or "")
    channel, timestamp = str(event["channel"]), str(event["ts"])
    return UserMessage(
        team=team,
        channel=channel,
        channel_type=str(event.get("channel_type") or _channel_type(channel)),
        thread=str(event.get("thread_ts") or timestamp),
        message=timestamp,
        user=str(event["user"]),
        text=plain_text(text, names),
        mentions=mentioned_users(text),
        in_thread=bool(event.get("thread_ts")),
    )


def find_origin(message: UserMessage, bot: str) -> Origin | None:
    """How a message asks Quoth (`bot` is its user id), as far as the message alone shows; None when it does not."""
    if message.channel_type == "im":
        return "direct"
    return "mention" if bot in message.mentions else None


def make_question(message: UserMessage, origin: Origin) -> SlackQuestion:
    """The question that a message asks."""
    return SlackQuestion(
        key=message.key,
        team=message.team,
        channel=message.channel,
        channel_type=message.channel_type,
        thread=message.thread,
        message=message.message,
        asker=message.user,
        text=message.text,
        origin=origin,
    )


def _channel_type(channel: str) -> str:
    return {"D": "im", "G": "group"}.get(channel[:1], "channel")
