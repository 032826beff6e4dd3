"""A proxy on loopback that serves another server under a path, as nginx or Traefik would."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx

_OF_CONNECTION = ("connection", "transfer-encoding", "keep-alive")


class PathProxy:
    """Passes requests below `prefix` on to `target`, until the block ends; others get 404.

    `strips`: whether it takes the prefix from the path. `headers` are added to every request. `missed` are the requested
    paths outside the prefix.
    """

    def __init__(self, target: str, prefix: str, *, strips: bool, headers: Mapping[str, str] | None = None) -> None:
        self.missed: list[str] = []
        proxy = self
        client = httpx.Client(base_url=target, timeout=60)

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                if self.path.partition("?")[0] != prefix and not self.path.startswith(f"{prefix}/"):
                    proxy.missed.append(self.path)
                    self.send_error(404)
                    return
                path = self.path.removeprefix(prefix) if strips else self.path
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sent = {name: value for name, value in self.headers.items() if name.lower() not in _OF_CONNECTION}
                with client.stream(
                    self.command,
                    path if path[:1] == "/" else f"/{path}",
                    content=body,
                    headers=sent | dict(headers or {}),
                ) as response:
                    self.send_response(response.status_code)
                    for name, value in response.headers.multi_items():
                        if name not in _OF_CONNECTION:
                            self.send_header(name, value)
                    self.end_headers()
                    for block in response.iter_raw():
                        self.wfile.write(block)
                        self.wfile.flush()

            do_GET = do_POST = do_DELETE = pass_on  # noqa: N815  (http.server names them)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}{prefix}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
        self._client.close()
