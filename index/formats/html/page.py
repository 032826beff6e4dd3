"""A page of HTML -> its text and blocks, title and facts. Pure.

Where a page marks its main part (`<main>`, `role="main"`) and that part has at least half of the text, the rest is left out: it
repeats on every page of a site.
"""

import re

from index.formats.canonical import canonical
from index.formats.html.element import Element, parse_html
from index.formats.html.reader import Reader
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node
from index.formats.parsed import Parsed

_MIN_SHARE_OF_MAIN = 0.5
_AUTHOR = frozenset(("author", "dc.creator", "dcterms.creator", "article:author", "citation_author"))
_CREATED = frozenset(
    ("date", "dc.date", "dcterms.created", "dcterms.date", "dc.date.created", "article:published_time", "citation_date")
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?\Z")


def read_html(text: str) -> Parsed:
    """Return a web page."""
    page = parse_html(text)
    written = write_nodes(page_nodes(page))
    return Parsed(written.text, written.blocks, page_title(page), metadata=_facts(page))


def html_nodes(markup: str) -> Node:
    """Return what a person sees of the markup, for formats that hold HTML: mails, e-books, converted documents."""
    return Reader(parse_html(markup)).root


def page_nodes(page: Element) -> Node:
    """Return what a person sees of a page, only its main part if that is marked and most of it."""
    reader = Reader(page)
    main = reader.main
    if main is not None and len(main.plain()) >= _MIN_SHARE_OF_MAIN * len(reader.root.plain()):
        return main
    return reader.root


def page_title(page: Element) -> str:
    """Return the `<title>` of a page, empty if it has none."""
    title = next((element for element in page.elements() if element.tag == "title"), None)
    return "" if title is None else " ".join(canonical(title.text()).split())


def _facts(page: Element) -> dict[str, str]:
    """The author and the date of the page, as its head states them."""
    facts: dict[str, str] = {}
    for element in page.elements():
        if element.tag != "meta":
            continue
        name = (element.get("name") or element.get("property")).lower()
        value = " ".join(canonical(element.get("content")).split())
        if name in _AUTHOR and value:
            facts.setdefault("author", value)
        elif name in _CREATED and _DATE.match(value):
            facts.setdefault("created", value)
    return facts
