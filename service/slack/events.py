"""A message of Slack's -> is it a question for Quoth, and which? Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.slack.render.text import mentioned, plain
from service.slack.store.questions import Asked, Door

_SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a person wrote in Slack, and where. `thread` is the timestamp of the thread's first message, this one's if new."""

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
        """Which message it is; the same for the events app_mention and message, and for every repetition of both."""
        return key(self.channel, self.message)


def key(channel: str, message: str) -> str:
    """The name of a message."""
    return f"{channel}:{message}"


def spoken(event: Mapping[str, Any], team: str, names: dict[str, str] | None = None) -> Spoken | None:
    """What a person said in a message event; None for bots, for changes, and for what Slack itself writes."""
    if event.get("subtype") not in _SPOKEN or event.get("bot_id") or event.get("bot_profile") or not event.get("user"):
        return None
    said = str(event.get("text") or "")
    channel, message = str(event["channel"]), str(event["ts"])
    return Spoken(
        team=team,
        channel=channel,
        channel_type=str(event.get("channel_type") or _type(channel)),
        thread=str(event.get("thread_ts") or message),
        message=message,
        user=str(event["user"]),
        text=plain(said, names),
        mentions=mentioned(said),
        in_thread=bool(event.get("thread_ts")),
    )


def door(said: Spoken, bot: str) -> Door | None:
    """By which door a message is a question for Quoth (`bot` is its user id), as far as the message itself says."""
    if said.channel_type == "im":
        return "direct"
    return "mention" if bot in said.mentions else None


def asked(said: Spoken, by: Door) -> Asked:
    """The question that a message is."""
    return Asked(
        key=said.key,
        team=said.team,
        channel=said.channel,
        channel_type=said.channel_type,
        thread=said.thread,
        message=said.message,
        asker=said.user,
        text=said.text,
        door=by,
    )


def _type(channel: str) -> str:
    return {"D": "im", "G": "group"}.get(channel[:1], "channel")
