"""Sitemaps (sitemaps.org, 0.9) -> the addresses in them. Pure.

A document type declaration is refused: sitemaps have none, and entities are what XML bombs are made of.
"""

from typing import NamedTuple
from xml.parsers import expat

_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}


class Sitemap(NamedTuple):
    """The addresses of pages, and those of further sitemaps, as they stand there, in order."""

    pages: list[str]
    sitemaps: list[str]


class NotASitemap(Exception):
    """The bytes are something else, or damaged. The message says in which way."""


def sitemap_of(data: bytes) -> Sitemap:
    """The sitemap, or index of sitemaps, that `data` is. `NotASitemap` otherwise."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise NotASitemap(f"it is no XML ({error})") from error
    return Sitemap(reader.found["url"], reader.found["sitemap"])


class _Reader:
    """Collects the text of each `<loc>` that stands where it should."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {"url": [], "sitemap": []}
        self._open: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        """An element begins."""
        name = name.rsplit(" ", 1)[-1]
        if not self._open and name not in _ROOTS:
            raise NotASitemap(f"its root is <{name}>")
        self._open.append(name)
        self._text = []

    def end(self, _: str) -> None:
        """An element ends."""
        path, place = self._open[:-1], self._open.pop()
        if place == "loc" and len(path) == 2 and path[1] == _ROOTS[path[0]]:
            self.found[path[1]].append("".join(self._text).strip())

    def text(self, text: str) -> None:
        """Characters of the element that is open."""
        self._text.append(text)

    def doctype(self, *_: object) -> None:
        """Refuse it."""
        raise NotASitemap("it has a document type declaration")
