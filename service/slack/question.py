"""A question of Slack: as it arrives, and as a worker has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Door = Literal["mention", "follow-up", "channel", "direct", "command", "shortcut"]
Ending = Literal["answered", "apologised", "silent", "withdrawn"]
ANSWER, WITHDRAW = "answer", "withdraw"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it arrives. `thread` is where the answer goes; empty for a private answer to a command."""

    key: str
    team: str
    channel: str
    channel_type: str
    thread: str
    message: str
    asker: str
    text: str
    door: Door
    response_url: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that a worker has, until its lease ends. `posted` are the messages that show its answer so far."""

    asked: Asked
    position: int
    revision: str
    wanted: str
    attempts: int
    asked_at: datetime
    answer_id: str | None
    conversation_id: str
    posted: tuple[str, ...]
