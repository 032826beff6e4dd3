"""A Slack of the tests' own, on loopback: the Web API methods that Quoth uses, response addresses, and Socket Mode.

Every payload is judged by tests/slack_rules.py; what breaks a rule is answered as Slack would and kept in `broken`. Time is the
server's own. The server runs in a thread; what tests read from it is only ever appended to.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import math
import threading
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from aiohttp import WSMsgType, web

from tests import slack_rules
from tests.slack_rules import Broken, require, sendable

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


@dataclass
class Sent:
    """Something the server sent to the app, and when the app acknowledged it (seconds, the server's clock)."""

    name: str
    at: float
    acknowledged: list[float] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)


class SlackError(Exception):
    """An error that the Web API answers with."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.body = {"ok": False, "error": code, **more}


class SlackServer:
    """Slack. `users` are known by id; `archived` channels and those the bot is `not_in` take no messages."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], Message] = {}
        self.deleted: list[tuple[str, str]] = []
        self.ephemeral: list[dict[str, Any]] = []
        self.responses: list[tuple[str, dict[str, Any]]] = []
        self.views: list[dict[str, Any]] = []
        self.statuses: list[tuple[str, str]] = []
        self.prompts: list[dict[str, Any]] = []
        self.reactions: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.calls: list[tuple[str, float]] = []
        self.limited: list[tuple[str, float, float]] = []
        self.broken: list[str] = []
        self.sent: list[Sent] = []
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: list[dict[str, Any]] = []
        self.not_in: set[str] = set()
        self.failing: dict[str, deque[Any]] = defaultdict(deque)
        self.off: dict[str, str] = {}
        self.turned_away: Counter[str] = Counter()
        self.swallowed: Counter[str] = Counter()
        self.rates: dict[str, tuple[int, float]] = {}
        self.drop_after: int | None = None
        self.repeat_every = 0
        self._uses: dict[str, deque[float]] = defaultdict(deque)
        self._sockets: list[web.WebSocketResponse] = []
        self._envelopes: dict[str, tuple[Sent, str]] = {}
        self._pending: deque[str] = deque()
        self._delivered = 0
        self._clock = itertools.count(1)
        self._begin = int(time.time())
        self._ready = threading.Event()
        self.url = ""

    # running

    def __enter__(self) -> "SlackServer":
        self._loop = asyncio.new_event_loop()
        self._client = httpx.Client(limits=httpx.Limits(max_connections=100))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application(client_max_size=4 * 2**20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/respond/{name}", self._respond)
        app.router.add_get("/link", self._link)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        await self._runner.cleanup()

    # what tests do

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def ts(self) -> str:
        return f"{self._begin}.{next(self._clock):06d}"

    def response_url(self) -> str:
        return f"{self.url}/respond/{uuid.uuid4().hex}"

    def say(self, channel: str, user: str, text: str, thread_ts: str | None = None, **more: Any) -> dict[str, Any]:
        """A person writes a message; the event that tells of it."""
        ts = self.ts()
        self.messages[channel, ts] = Message(channel, ts, user, [], text, thread_ts)
        event = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts, **more}
        event["channel_type"] = {"D": "im", "G": "mpim"}.get(channel[0], "channel")
        return event | ({"thread_ts": thread_ts} if thread_ts else {})

    def in_thread(self, channel: str, thread: str) -> list[Message]:
        """What the bot wrote in a thread, in order."""
        found = [m for m in list(self.messages.values()) if (m.channel, m.thread_ts) == (channel, thread)]
        return sorted((m for m in found if m.user == BOT_USER), key=lambda m: m.ts)

    def by_bot(self, channel: str) -> list[Message]:
        """What the bot wrote in a channel and its threads, in order."""
        found = [m for m in list(self.messages.values()) if m.channel == channel and m.user == BOT_USER]
        return sorted(found, key=lambda m: m.ts)

    def called(self, method: str) -> int:
        return sum(name == method for name, _ in list(self.calls))

    def post(
        self, url: str, payload: dict[str, Any], *, secret: str = SIGNING_SECRET, form: bool = False
    ) -> httpx.Response:
        """Send a payload over HTTP, signed; the app's answer is its acknowledgement."""
        body = (
            urlencode(payload if "command" in payload else {"payload": json.dumps(payload)})
            if form
            else json.dumps(payload)
        )
        stamp = str(int(time.time()))
        signature = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        }
        sent = Sent(str(payload.get("event_id") or payload.get("trigger_id") or "?"), time.monotonic())
        self.sent.append(sent)
        answer = self._client.post(url, content=body, headers=headers, timeout=60)
        if answer.status_code == 200:
            sent.acknowledged.append(time.monotonic())
        return answer

    def push(self, payload: dict[str, Any], kind: str = "events_api") -> Sent:
        """Send a payload through Socket Mode, now or when somebody is connected."""
        sent = Sent(str(payload.get("event_id") or payload.get("trigger_id") or "?"), time.monotonic())
        self.sent.append(sent)
        envelope = uuid.uuid4().hex
        words = json.dumps(
            {
                "type": kind,
                "envelope_id": envelope,
                "payload": payload,
                "accepts_response_payload": kind != "events_api",
            }
        )
        self._envelopes[envelope] = (sent, words)
        self._pending.append(envelope)
        asyncio.run_coroutine_threadsafe(self._deliver(), self._loop).result(10)
        return sent

    def ask_to_reconnect(self) -> None:
        """Slack is about to close the connection, and says so."""
        words = json.dumps({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
        asyncio.run_coroutine_threadsafe(self._everywhere(lambda socket: socket.send_str(words)), self._loop).result(10)

    def drop(self) -> None:
        """The connections break without a word."""
        asyncio.run_coroutine_threadsafe(self._everywhere(_cut), self._loop).result(10)

    # Socket Mode

    async def _everywhere(self, do: Callable[[web.WebSocketResponse], Any]) -> None:
        for socket in list(self._sockets):
            with suppress(ConnectionError):
                await do(socket)

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_str(json.dumps({"type": "hello", "num_connections": 1}))
        for envelope, (sent, _) in list(self._envelopes.items()):
            if not sent.acknowledged and envelope not in self._pending:
                self._pending.append(envelope)  # it went out on a connection that broke
        await self._deliver()
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            self._sockets.remove(socket)
        return socket

    @property
    def connected(self) -> bool:
        """Whether somebody listens over Socket Mode."""
        return any(not socket.closed for socket in list(self._sockets))

    def _acknowledged(self, answer: dict[str, Any]) -> None:
        sent, _ = self._envelopes[answer["envelope_id"]]
        sent.acknowledged.append(time.monotonic())
        if answer.get("payload"):
            sent.payloads.append(answer["payload"])

    async def _deliver(self) -> None:
        while self._pending and (open_ones := [socket for socket in self._sockets if not socket.closed]):
            envelope = self._pending.popleft()
            sent, words = self._envelopes[envelope]
            sent.at = time.monotonic()
            with suppress(ConnectionError):
                await open_ones[-1].send_str(words)
                self._delivered += 1
                if self.repeat_every and self._delivered % self.repeat_every == 0:
                    await open_ones[-1].send_str(words)
            if self.drop_after is not None and self._delivered >= self.drop_after:
                self.drop_after = None
                await _cut(open_ones[-1])

    # the Web API

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        body = await request.text()
        if "json" in request.headers.get("Content-Type", ""):
            given = json.loads(body)
        else:
            given = {name: _loaded(value) for name, value in [*request.query.items(), *(await request.post()).items()]}
        self.calls.append((method, time.monotonic()))
        if (wait := self._wait(method, given)) is not None:
            self.limited.append((method, time.monotonic(), wait))
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(math.ceil(wait))}
            )
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            self._admit(method, token, given)
            handler = getattr(self, "_" + method.replace(".", "_").lower(), None)
            if handler is None:
                raise SlackError("unknown_method")
            done = handler(given)
            if self.swallowed[method] > 0:  # done, and the answer to the call is lost on its way
                self.swallowed[method] -= 1
                request.transport.abort()
            return web.json_response({"ok": True, **done})
        except SlackError as error:
            return web.json_response(error.body)
        except Broken as error:
            self.broken.append(f"{method}: {error}")
            return web.json_response({"ok": False, "error": "invalid_arguments", "detail": str(error)})

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
        known(given, {"channel"}, {"text", "blocks", "thread_ts", "unfurl_links", "unfurl_media"})
        slack_rules.message(given.get("blocks"), given.get("text"))
        channel = given["channel"]
        if channel in self.not_in:
            raise SlackError("not_in_channel")
        if channel.startswith("U"):
            channel = f"D{channel}"
        return self._written(channel, given.get("thread_ts"), given.get("blocks") or [], given.get("text") or "")

    def _chat_postephemeral(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"channel", "user"}, {"text", "blocks", "thread_ts"})
        slack_rules.message(given.get("blocks"), given.get("text"))
        self.ephemeral.append(given)
        return {"message_ts": self.ts()}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"channel", "ts"}, {"text", "blocks"})
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
        known(given, {"channel", "thread_ts"}, {"chunks", "recipient_team_id", "recipient_user_id"})
        if not given["channel"].startswith("D"):
            require({"recipient_team_id", "recipient_user_id"} <= set(given), "chat.startStream", "whom it is for")
        if given["channel"] in self.not_in:
            raise SlackError("not_in_channel")
        slack_rules.chunks(given["chunks"])
        written = self._written(given["channel"], given["thread_ts"], _blocks(given["chunks"]), "")
        message = self.messages[written["channel"], written["ts"]]
        message.streaming = message.streamed = True
        return written

    def _chat_appendstream(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"channel", "ts", "chunks"}, set())
        slack_rules.chunks(given["chunks"])
        message = self._streaming(given)
        message.blocks = [*message.blocks, *_blocks(given["chunks"])]
        slack_rules.message(message.blocks, None, "stream")
        return {"channel": message.channel, "ts": message.ts}

    def _chat_stopstream(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"channel", "ts"}, {"blocks", "chunks"})
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
        known(given, {"channel_id", "thread_ts", "status"}, set())
        self.statuses.append((given["thread_ts"], given["status"]))
        return {}

    def _assistant_threads_setsuggestedprompts(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"channel_id", "prompts"}, {"thread_ts", "title"})
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

    async def _respond(self, request: web.Request) -> web.Response:
        given = await request.json()
        name = request.match_info["name"]
        if sum(used == name for used, _ in self.responses) >= 5:
            return web.Response(status=404, text="used_url")
        if "delete_original" not in given:
            try:
                known(given, {"response_type"}, {"text", "blocks", "replace_original"})
                slack_rules.message(given.get("blocks"), given.get("text"))
            except Broken as error:
                self.broken.append(f"response: {error}")
                return web.Response(status=400, text="invalid_blocks")
        self.responses.append((name, given))
        return web.Response(text="ok")

    def _written(self, channel: str, thread: str | None, blocks: list[Any], text: str) -> dict[str, Any]:
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


def known(given: dict[str, Any], required: set[str], optional: set[str]) -> None:
    slack_rules.fields({name: value for name, value in given.items() if name != "token"}, "call", required, optional)
    for name in ("channel", "ts", "thread_ts"):
        if name in given:
            sendable(given[name], name, 100)


def event_body(event: dict[str, Any], event_id: str = "") -> dict[str, Any]:
    """The body around an event, as the Events API sends it."""
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": event,
        "event_id": event_id or f"Ev{uuid.uuid4().hex[:9].upper()}",
        "event_time": int(time.time()),
        "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "enterprise_id": None}],
    }


def mention(event: dict[str, Any]) -> dict[str, Any]:
    """The same message as the app_mention event that Slack sends beside it."""
    return {name: value for name, value in event.items() if name != "channel_type"} | {"type": "app_mention"}


def _blocks(chunks: list[Any]) -> list[Any]:
    return [block for chunk in chunks for block in chunk.get("blocks", [])]


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in {"[", "{"} else value


async def _cut(socket: web.WebSocketResponse) -> None:
    transport = socket._req.transport if socket._req is not None else None
    if transport is not None:
        transport.abort()


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something holds, and give it; what it gave last when it never does fails the test."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        time.sleep(0.02)
    return found


def running() -> Iterator[SlackServer]:
    """A running server, whose every payload was well formed in the end."""
    with SlackServer() as server:
        yield server
        assert server.broken == []
