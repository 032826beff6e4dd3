"""The tests' Slack on loopback: the Web API (tests/slack_web_api.py), response addresses, Socket Mode and HTTP events.

A payload that breaks a rule is answered as Slack would and recorded in `broken`. The server has its own clock and runs in a
thread; what tests read from it is only ever appended to.
"""

import asyncio
import hashlib
import hmac
import json
import math
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from aiohttp import WSMsgType, web

from tests import slack_rules
from tests.slack_rules import Broken
from tests.slack_web_api import APP, BOT_USER, SIGNING_SECRET, TEAM, Message, SlackError, WebApi, check_fields


@dataclass
class Sent:
    """Something the server sent to the app, and when the app acknowledged it (seconds, the server's clock)."""

    name: str
    at: float
    acknowledged: list[float] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)


class SlackServer(WebApi):
    """The workspace as a server. A call in `swallowed` is carried out, but its response is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.responses: list[tuple[str, dict[str, Any]]] = []
        self.calls: list[tuple[str, float]] = []
        self.limited: list[tuple[str, float, float]] = []
        self.broken: list[str] = []
        self.sent: list[Sent] = []
        self.swallowed: Counter[str] = Counter()
        self.held: set[str] = set()  # methods whose calls are not answered yet
        self.drop_after: int | None = None
        self.repeat_every = 0
        self._sockets: list[web.WebSocketResponse] = []
        self._envelopes: dict[str, tuple[Sent, str]] = {}
        self._pending: deque[str] = deque()
        self._delivered = 0
        self._ready = threading.Event()

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

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def response_url(self) -> str:
        return f"{self.url}/respond/{uuid.uuid4().hex}"

    def say(self, channel: str, user: str, text: str, thread_ts: str | None = None, **more: Any) -> dict[str, Any]:
        """Write a message as a person; the event that reports it."""
        ts = self.ts()
        self.messages[channel, ts] = Message(channel, ts, user, [], text, thread_ts)
        event = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts, **more}
        event["channel_type"] = {"D": "im", "G": "mpim"}.get(channel[0], "channel")
        return event | ({"thread_ts": thread_ts} if thread_ts else {})

    def called(self, method: str) -> int:
        return sum(name == method for name, _ in list(self.calls))

    def post(
        self, url: str, payload: dict[str, Any], *, secret: str = SIGNING_SECRET, form: bool = False
    ) -> httpx.Response:
        """Send a signed payload over HTTP; the app's response acknowledges it."""
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
        """Send a payload through Socket Mode, now or when an app connects."""
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
        """Announce that Slack will close the connections."""
        words = json.dumps({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
        asyncio.run_coroutine_threadsafe(self._everywhere(lambda socket: socket.send_str(words)), self._loop).result(10)

    def drop(self) -> None:
        """Break the connections without notice."""
        asyncio.run_coroutine_threadsafe(self._everywhere(_cut), self._loop).result(10)

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
                self._pending.append(envelope)  # it was sent on a connection that broke
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
        """Whether an app is connected over Socket Mode."""
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

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        body = await request.text()
        if "json" in request.headers.get("Content-Type", ""):
            given = json.loads(body)
        else:
            given = {name: _loaded(value) for name, value in [*request.query.items(), *(await request.post()).items()]}
        self.calls.append((method, time.monotonic()))
        while method in self.held:
            await asyncio.sleep(0.02)
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
            if self.swallowed[method] > 0:  # carried out, but the response is lost
                self.swallowed[method] -= 1
                request.transport.abort()
            return web.json_response({"ok": True, **done})
        except SlackError as error:
            return web.json_response(error.body)
        except Broken as error:
            self.broken.append(f"{method}: {error}")
            return web.json_response({"ok": False, "error": "invalid_arguments", "detail": str(error)})

    async def _respond(self, request: web.Request) -> web.Response:
        given = await request.json()
        name = request.match_info["name"]
        if sum(used == name for used, _ in self.responses) >= 5:
            return web.Response(status=404, text="used_url")
        if "delete_original" not in given:
            try:
                check_fields(given, {"response_type"}, {"text", "blocks", "replace_original"})
                slack_rules.message(given.get("blocks"), given.get("text"))
            except Broken as error:
                self.broken.append(f"response: {error}")
                return web.Response(status=400, text="invalid_blocks")
        self.responses.append((name, given))
        return web.Response(text="ok")


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
    """The app_mention event that Slack sends together with a message event."""
    return {name: value for name, value in event.items() if name != "channel_type"} | {"type": "app_mention"}


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in {"[", "{"} else value


async def _cut(socket: web.WebSocketResponse) -> None:
    transport = socket._req.transport if socket._req is not None else None
    if transport is not None:
        transport.abort()


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until `holds` returns something true, and return it; fail with its last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        time.sleep(0.02)
    return found


def run_slack() -> Iterator[SlackServer]:
    """A running server; at the end no payload may have broken a rule."""
    with SlackServer() as server:
        yield server
        assert server.broken == []
