"""The question box on a page of another web site: it asks where its origin is named, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.records import Document
from service.access.caller import Scope
from service.answering.answerer import AnswerReady, PassagesFound
from service.errors import SettingsInvalid
from service.records import Answer, Citation, Question, Sentence
from service.settings import Settings, load
from tests.chromium import expect, launched
from tests.served_app import ServedApp
from tests.web_server import Page, WebServer

QUOTE = "The 🦜 bridge opened in 1932."
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
POLICY = "default-src 'none'; script-src {server}; connect-src {server}"


class Quoting:
    """An answerer that quotes one sentence, whose words that answer come after a letter of two UTF-16 units."""

    def stream(self, question: Question, stages: Any = None) -> Iterator[Any]:
        begin = QUOTE.index("1932")
        citation = Citation(
            1, "d", "v", "Bridges <b>", "file:///d.md", None, 0, len(QUOTE), QUOTE, "k", 0.9, (), (begin, begin + 4)
        )
        sentence = Sentence(QUOTE, (1,), True, 1.0)
        yield PassagesFound(())
        yield AnswerReady(
            Answer("a", "c", question.text, question.text, QUOTE, False, 0.9, (sentence,), (citation,), (), "x", None)
        )


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    with WebServer() as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def served(tmp_path: Path, loopback: Any, site: WebServer) -> Iterator[ServedApp]:
    app = ServedApp(tmp_path, loopback, embed_origins=(site.url,))
    app.service.answerer.stream = Quoting().stream  # type: ignore[method-assign]
    with app:
        app.library.open("open").add(Document("x", "v", "file:///x.md", "X", "text/markdown", QUOTE))
        yield app


def embed(site: WebServer, served: ServedApp, key: str) -> None:
    script = f'<script type="module" src="{served.url}/assets/ask-box.js"></script>'
    box = f'{script}<quoth-ask key="{key}" collection="open"></quoth-ask>'
    policy = {"Content-Security-Policy": POLICY.format(server=served.url)}
    site.pages["/page"] = Page(f"<!doctype html><html lang=de><body>{box}".encode(), headers=policy)


def test_a_page_of_a_named_site_asks_and_shows_the_answer_with_its_quotes(
    browser: Any, site: WebServer, served: ServedApp
) -> None:
    embed(site, served, served.keys.create("box", [Scope.ASK], collections=["open"])[1])
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{site.url}/page")
    page.get_by_placeholder("Stellen Sie eine Frage").fill("When did it open?")
    page.keyboard.press("Enter")
    expect(page.locator("quoth-ask blockquote")).to_have_text(QUOTE)
    expect(page.locator("quoth-ask mark")).to_have_text("1932")
    link = page.get_by_role("link", name="Bridges <b>")
    assert link.get_attribute("href").startswith(f"{served.url}/view?collection=open&document=d")
    assert page.context.cookies() == []
    assert faults == []
    page.close()


def test_a_page_of_another_site_gets_nothing(browser: Any, site: WebServer, served: ServedApp) -> None:
    embed(site, served, served.keys.create("box", [Scope.ASK])[1])
    page = browser.new_page()
    page.goto(f"http://localhost:{site.port}/page" if "127.0.0.1" in site.url else site.url)
    expect(page.locator("quoth-ask")).to_have_count(1)
    assert page.evaluate("document.querySelector('quoth-ask').shadowRoot") is None
    page.close()


def test_only_the_named_origin_is_let_in_and_only_to_ask(served: ServedApp, site: WebServer) -> None:
    client = served.key("box", Scope.ADMIN)
    allowed = client.options("/v1/chat", headers={"Origin": site.url, **PREFLIGHT})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, site.url)
    assert "access-control-allow-credentials" not in allowed.headers
    for origin in (f"{site.url}.evil.example", "null", "https://evil.example", site.url.upper()):
        refused = client.options("/v1/chat", headers={"Origin": origin, **PREFLIGHT})
        assert "access-control-allow-origin" not in refused.headers
    for path in ("/v1/collections", "/v1/conversations", "/v1/documents", "/", "/openapi.json"):
        assert "access-control-allow-origin" not in client.get(path, headers={"Origin": site.url}).headers
    asked = client.post("/v1/chat", json={"question": "When?"}, headers={"Origin": site.url})
    assert (asked.headers["access-control-allow-origin"], asked.headers["vary"]) == (site.url, "Origin")
    keyless = httpx.post(f"{served.url}/v1/chat", json={"question": "When?"}, headers={"Origin": site.url})
    assert (keyless.status_code, keyless.headers["access-control-allow-origin"]) == (401, site.url)


def test_without_keys_no_other_site_may_ask(served: ServedApp, site: WebServer) -> None:
    asked = httpx.post(f"{served.url}/v1/chat", json={"question": "When?"}, headers={"Origin": site.url})
    assert (asked.status_code, asked.json()["code"]) == (403, "origin-forbidden")


@pytest.mark.parametrize("origin", ["*", "https://example.org/", "example.org", "https://*.example.org", "https://a b"])
def test_what_is_no_origin_is_refused(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_EMBED_ORIGINS", origin)
    with pytest.raises(SettingsInvalid, match="is no origin"):
        load()
    assert Settings(embed_origins=("https://example.org:8443",)).embed_origins == ("https://example.org:8443",)
