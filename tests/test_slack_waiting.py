"""Who waits for Slack: what several need at once is asked for once."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client.users import Groups

SECONDS = 20.0


class DownSlack:
    """A Slack that answers each call with 500, once the test lets it."""

    def __init__(self) -> None:
        self.calls = 0
        self.opened = threading.Event()
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                slack.calls += 1
                assert slack.opened.wait(SECONDS)
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "DownSlack":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_everybody_who_needs_the_groups_waits_once_for_a_slack_that_is_down() -> None:
    async def ask(slack: DownSlack) -> list[Any]:
        groups = Groups(AsyncWebClient("xoxb-1", base_url=slack.url))
        asked = [asyncio.create_task(groups.get("U1")) for _ in range(5)]
        while not slack.calls:
            await asyncio.sleep(0.01)
        slack.opened.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    with DownSlack() as slack:
        outcomes = asyncio.run(ask(slack))
    assert [type(outcome) for outcome in outcomes] == [SlackApiError] * 5
    assert slack.calls == 1
