"""A real web server on loopback that serves the pages of a test and records the requests."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass
class Page:
    """A response of the server. `write`, if given, sends the body itself."""

    body: bytes = b""
    status: int = 200
    type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


class WebServer:
    """Serves `pages` by path until the block ends, and 404 for any other path. `asked` has the requested paths, in order."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append(self.path)
                server.headers.append(dict(self.headers))
                page = server.pages.get(self.path, Page(status=404))
                if page.etag and self.headers.get("If-None-Match") == page.etag:
                    page = Page(status=304, etag=page.etag)
                self.send_response(page.status)
                self.send_header("Content-Type", page.type)
                if page.etag:
                    self.send_header("ETag", page.etag)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                if page.write is not None:
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.close_connection = True
                    try:
                        page.write(self)
                    except OSError:
                        return  # the client has disconnected
                else:
                    self.send_header("Content-Length", str(len(page.body)))
                    self.end_headers()
                    self.wfile.write(page.body)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.port = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def html(self, path: str, text: str, *, etag: str = "") -> None:
        """Serve a small page."""
        self.pages[path] = Page(f"<html><body><h1>{path[1:]}</h1><p>{text}</p></body></html>".encode(), etag=etag)

    def sitemap(self, path: str, *pages: str, index: bool = False) -> None:
        """Serve a sitemap of these addresses, or an index of these sitemaps."""
        root, item = ("sitemapindex", "sitemap") if index else ("urlset", "url")
        items = "".join(f"<{item}><loc>{page}</loc></{item}>" for page in pages)
        xml = f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{items}</{root}>'
        self.pages[path] = Page(xml.encode(), type="application/xml")
