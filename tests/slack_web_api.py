"""The Web API methods that Quoth uses, as the tests' Slack implements them, and the messages that they make.

Every payload is judged by tests/slack_rules.py.
"""

import itertools
import time
import uuid
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import Any

from tests import slack_rules
from tests.slack_rules import require, sendable

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-test", "xapp-test", "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, BOT_USER, BOT_ID, APP = "T0TEAM", "U0QUOTH", "B0QUOTH", "A0QUOTH"


@dataclass
class Message:
    """A message in a channel, as it stands now."""

    channel: str
    ts: str
    user: str
    blocks: list[Any]
    text: str
    thread_ts: str | None = None
    streaming: bool = False
    streamed: bool = False
    edits: int = 0

    @property
    def shown(self) -> str:
        return "".join(slack_rules.texts(self.blocks))

    @property
    def buttons(self) -> dict[str, str]:
        found = [element for block in self.blocks if block["type"] == "actions" for element in block["elements"]]
        return {element["action_id"]: element["value"] for element in found}


class SlackError(Exception):
    """An error that the Web API answers with."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.body = {"ok": False, "error": code, **more}


class WebApi:
    """A workspace and its methods. `users` are known by id; channels that the bot is `not_in` take no messages.

    A method that is `off` always answers with that error, one in `failing` with each error in turn; `rates` limits uses.
    """

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], Message] = {}
        self.deleted: list[tuple[str, str]] = []
        self.ephemeral: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.statuses: list[tuple[str, str]] = []
        self.prompts: list[dict[str, Any]] = []
        self.reactions: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: list[dict[str, Any]] = []
        self.not_in: set[str] = set()
        self.failing: dict[str, deque[Any]] = defaultdict(deque)
        self.off: dict[str, str] = {}
        self.turned_away: Counter[str] = Counter()
        self.rates: dict[str, tuple[int, float]] = {}
        self._uses: dict[str, deque[float]] = defaultdict(deque)
        self._clock = itertools.count(1)
        self._begin = int(time.time())
        self.url = ""

    def ts(self) -> str:
        return f"{self._begin}.{next(self._clock):06d}"

    def in_thread(self, channel: str, thread: str) -> list[Message]:
        """The bot's messages in a thread, in order."""
        found = [m for m in list(self.messages.values()) if (m.channel, m.thread_ts) == (channel, thread)]
        return sorted((m for m in found if m.user == BOT_USER), key=lambda m: m.ts)

    def by_bot(self, channel: str) -> list[Message]:
        """The bot's messages in a channel and its threads, in order."""
        found = [m for m in list(self.messages.values()) if m.channel == channel and m.user == BOT_USER]
        return sorted(found, key=lambda m: m.ts)

    def _admit(self, method: str, token: str, given: dict[str, Any]) -> None:
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if token != wanted:
            raise SlackError("invalid_auth" if not token.startswith("xo") else "not_allowed_token_type")
        if method in self.off:
            raise SlackError(self.off[method], needed="users:read.email")
        if self.failing[method]:
            failure = self.failing[method].popleft()
            if failure == "message_not_in_streaming_state":
                self._own(given).streaming = False
            if failure is not None:
                raise SlackError(failure)

    def _wait(self, method: str, given: dict[str, Any]) -> float | None:
        """Seconds to wait before the method may be used again; None when it may be used now."""
        if self.turned_away[method] > 0:
            self.turned_away[method] -= 1
            return 1.0
        if method not in self.rates:
            return None
        most, seconds = self.rates[method]
        used, now = self._uses[f"{method} {given.get('channel', '')}"], time.monotonic()
        while used and used[0] <= now - seconds:
            used.popleft()
        if len(used) < most:
            used.append(now)
            return None
        return max(1.0, used[0] + seconds - now)

    def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"user_id": BOT_USER, "bot_id": BOT_ID, "team_id": TEAM, "user": "quoth", "team": "Team"}

    def _apps_connections_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"url": f"{self.url.replace('http', 'ws')}/link?ticket={uuid.uuid4().hex}"}

    def _chat_postmessage(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel"}, {"text", "blocks", "thread_ts", "unfurl_links", "unfurl_media"})
        slack_rules.message(given.get("blocks"), given.get("text"))
        channel = given["channel"]
        if channel in self.not_in:
            raise SlackError("not_in_channel")
        if channel.startswith("U"):
            channel = f"D{channel}"
        return self._write(channel, given.get("thread_ts"), given.get("blocks") or [], given.get("text") or "")

    def _chat_postephemeral(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel", "user"}, {"text", "blocks", "thread_ts"})
        slack_rules.message(given.get("blocks"), given.get("text"))
        self.ephemeral.append(given)
        return {"message_ts": self.ts()}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel", "ts"}, {"text", "blocks"})
        slack_rules.message(given.get("blocks"), given.get("text"))
        message = self._own(given)
        if message.streaming:
            raise SlackError("streaming_state_conflict")
        message.blocks, message.text, message.edits = given["blocks"], given["text"], message.edits + 1
        return {"channel": message.channel, "ts": message.ts}

    def _chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self._own(given)
        del self.messages[message.channel, message.ts]
        self.deleted.append((message.channel, message.ts))
        return {"channel": message.channel, "ts": message.ts}

    def _chat_startstream(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel", "thread_ts"}, {"chunks", "recipient_team_id", "recipient_user_id"})
        if not given["channel"].startswith("D"):
            require({"recipient_team_id", "recipient_user_id"} <= set(given), "chat.startStream", "whom it is for")
        if given["channel"] in self.not_in:
            raise SlackError("not_in_channel")
        slack_rules.chunks(given["chunks"])
        written = self._write(given["channel"], given["thread_ts"], _blocks(given["chunks"]), "")
        message = self.messages[written["channel"], written["ts"]]
        message.streaming = message.streamed = True
        return written

    def _chat_appendstream(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel", "ts", "chunks"}, set())
        slack_rules.chunks(given["chunks"])
        message = self._streaming(given)
        message.blocks = [*message.blocks, *_blocks(given["chunks"])]
        slack_rules.message(message.blocks, None, "stream")
        return {"channel": message.channel, "ts": message.ts}

    def _chat_stopstream(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel", "ts"}, {"blocks", "chunks"})
        message = self._streaming(given)
        if given.get("blocks"):
            slack_rules.surface(given["blocks"], "stop", slack_rules.MESSAGE_BLOCKS)
            message.blocks = [*message.blocks, *given["blocks"]]
        slack_rules.message(message.blocks, None, "stream")
        message.streaming = False
        return {"channel": message.channel, "ts": message.ts}

    def _reactions_add(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self.reactions[given["channel"], given["timestamp"]]
        if given["name"] in found:
            raise SlackError("already_reacted")
        found.append(given["name"])
        return {}

    def _reactions_remove(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self.reactions[given["channel"], given["timestamp"]]
        if given["name"] not in found:
            raise SlackError("no_reaction")
        found.remove(given["name"])
        return {}

    def _assistant_threads_setstatus(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel_id", "thread_ts", "status"}, set())
        self.statuses.append((given["thread_ts"], given["status"]))
        return {}

    def _assistant_threads_setsuggestedprompts(self, given: dict[str, Any]) -> dict[str, Any]:
        check_fields(given, {"channel_id", "prompts"}, {"thread_ts", "title"})
        require(1 <= len(given["prompts"]) <= 4, "prompts", "1 to 4")
        self.prompts.append(given)
        return {}

    def _users_info(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["user"] not in self.users:
            raise SlackError("user_not_found")
        return {"user": {"id": given["user"], "team_id": TEAM, **self.users[given["user"]]}}

    def _usergroups_list(self, given: dict[str, Any]) -> dict[str, Any]:
        assert str(given["include_users"]).lower() in {"1", "true"}
        return {"usergroups": self.groups}

    def _views_open(self, given: dict[str, Any]) -> dict[str, Any]:
        slack_rules.modal(given["view"])
        self.views.append(given)
        return {"view": {"id": "V1"}}

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [
            {"ts": m.ts, "user": m.user, "text": m.text} | ({"bot_id": BOT_ID} if m.user == BOT_USER else {})
            for m in sorted(self.messages.values(), key=lambda m: m.ts)
            if m.channel == given["channel"] and given["ts"] in {m.ts, m.thread_ts} and m.ts >= given.get("oldest", "")
        ]
        return {"messages": found, "has_more": False}

    def _write(self, channel: str, thread: str | None, blocks: list[Any], text: str) -> dict[str, Any]:
        ts = self.ts()
        self.messages[channel, ts] = Message(channel, ts, BOT_USER, blocks, text, thread)
        return {"channel": channel, "ts": ts}

    def _own(self, given: dict[str, Any]) -> Message:
        message = self.messages.get((given["channel"], given["ts"]))
        if message is None:
            raise SlackError("message_not_found")
        if message.user != BOT_USER:
            raise SlackError("cant_update_message")
        return message

    def _streaming(self, given: dict[str, Any]) -> Message:
        message = self._own(given)
        if not message.streaming:
            raise SlackError("message_not_in_streaming_state")
        return message


def check_fields(given: dict[str, Any], required: set[str], optional: set[str]) -> None:
    slack_rules.fields({name: value for name, value in given.items() if name != "token"}, "call", required, optional)
    for name in ("channel", "ts", "thread_ts"):
        if name in given:
            sendable(given[name], name, 100)


def _blocks(chunks: list[Any]) -> list[Any]:
    return [block for chunk in chunks for block in chunk.get("blocks", [])]
