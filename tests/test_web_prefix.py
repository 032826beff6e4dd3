"""The page behind a proxy that serves it under a path, in a real Chromium: nothing is requested outside that path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.access.caller import Scope
from tests.chromium import expect, launched
from tests.path_proxy import PathProxy
from tests.served_app import TEXTS, ServedApp


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.mark.parametrize(
    ("root_path", "strips", "forwarded", "entry"),
    [
        ("/docs/quoth", False, {}, ""),
        ("", True, {"X-Forwarded-Prefix": "/docs/quoth"}, ""),
        ("", True, {}, "/"),
    ],
    ids=["the proxy keeps the path", "the proxy names the path", "nobody names it"],
)
def test_everything_on_the_page_works_under_a_path(
    browser: Any, tmp_path: Path, loopback: Any, root_path: str, strips: bool, forwarded: dict[str, str], entry: str
) -> None:
    with (
        ServedApp(tmp_path, loopback, root_path=root_path) as served,
        PathProxy(served.url, "/docs/quoth", strips=strips, headers=forwarded) as proxy,
    ):
        _, key = served.keys.create("reader", [Scope.ASK, Scope.INGEST])
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(30_000)
        requested: list[str] = []
        faults: list[str] = []
        context.on("request", lambda request: requested.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{proxy.url}{entry}")
        page.fill("#key", key)
        page.click(".key-dialog button[type=submit]")
        page.wait_for_selector("body[data-ready]")
        page.fill("#question", "Why?")
        page.keyboard.press("Enter")
        page.click(".refused .card >> nth=0")
        page.wait_for_selector("#panel mark:visible")
        assert page.url.startswith(f"{proxy.url}/?c=")
        with context.expect_page() as opened:
            page.click("#panel a >> nth=0")
        viewer = opened.value
        viewer.wait_for_selector("mark")
        assert viewer.url.startswith(f"{proxy.url}/view?")
        expect(viewer.locator("mark")).to_have_text([TEXTS["open"]])
        viewer.click(".wordmark")
        viewer.wait_for_selector("body[data-ready] #question")
        assert viewer.url == f"{proxy.url}/"
        page.set_input_files(
            "input[type=file] >> nth=0", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"It opened."}
        )
        page.wait_for_selector(".uploads .upload")
        page.wait_for_function(
            "() => performance.getEntriesByType('resource').some((e) => e.name.includes('/v1/jobs/'))"
        )
        page.keyboard.press("Escape")
        page.click("#fresh")
        page.wait_for_url(f"{proxy.url}/")
        page.goto(f"{proxy.url}/a/a1")
        page.locator(".asked", has_text="Why?").wait_for()
        page.click("#menu-toggle")
        page.click("#sign-out")
        page.wait_for_selector("#key")
        assert page.url == f"{proxy.url}/"
        context.close()
        assert faults == []
        assert proxy.missed == []
        assert {urlsplit(url).netloc for url in requested} == {proxy.host}
