"""Marks inside running Markdown -> their ranges: emphasis, links, code, tags, notes, entities. Pure.

markdown-it-py finds them but gives no place inside a line. Its rules move `state.pos` over what they have read, so each rule is
wrapped by one that notes where it began and ended.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from markdown_it import MarkdownIt, rules_inline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_ref

from index.blocks.block import Kind
from index.formats.nodes import Node
from index.formats.superscripts import lowered, raised

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)([^<>]*)>")
_UNSEEN = re.compile(r"""(?i)\bhidden(?=[\s/]|\Z|=)|display\s*:\s*none|aria-hidden\s*=\s*["']?true""")
_STRIKES = frozenset({"del", "s", "strike"})
_UNREAD_TAGS = frozenset({"script", "style", "template"})
_PARTING_TAGS = frozenset("td th tr li p div h1 h2 h3 h4 h5 h6 dt dd option summary section article pre".split())
_BEFORE = 40  # characters before a superscript that say what it is

_Rule = Callable[[StateInline, bool], bool]


class Mark(NamedTuple):
    """A range of running text, half-open, and the kind and marker of the block that it becomes."""

    kind: Kind
    start: int
    end: int
    marker: str = ""


class _MarkedState(StateInline):
    """Notes the marks; `label_end` is where the label of the link that was read last ends."""

    def __init__(self, source: str, parser: MarkdownIt, env: dict[str, object]) -> None:
        super().__init__(source, parser, env, [])
        self.marks: list[Mark] = []
        self.tags: list[tuple[int, int]] = []
        self.label_end = 0

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Add a token, as markdown-it-py does."""
        if ttype == "link_close":
            self.label_end = self.pos
        return super().push(ttype, tag, nesting)

    def hide(self, start: int, end: int, marker: str = "") -> None:
        self.marks.append(Mark(Kind.MARKUP, start, end, marker))


def note_marks(parser: MarkdownIt) -> None:
    """Make the inline rules of the parser note their marks."""
    rules: dict[str, tuple[_Rule, Callable[[_MarkedState, int], None]]] = {
        "escape": (rules_inline.escape, lambda state, begin: state.hide(begin, begin + 1)),
        "backticks": (rules_inline.backtick, _note_code),
        "link": (rules_inline.link, _note_link),
        "autolink": (rules_inline.autolink, _note_autolink),
        "html_inline": (rules_inline.html_inline, lambda state, begin: state.tags.append((begin, state.pos))),
        "entity": (rules_inline.entity, _note_entity),
        "footnote_ref": (footnote_ref, _note_reference),
    }
    for name, (rule, note) in rules.items():
        parser.inline.ruler.at(name, _noting(rule, note))
    for name, rule in (
        ("emphasis", rules_inline.emphasis.tokenize),
        ("strikethrough", rules_inline.strikethrough.tokenize),
    ):
        parser.inline.ruler.at(name, _noting_delimiters(rule))
    parser.inline.ruler.at("image", _image)


def inline_marks(content: str, parser: MarkdownIt, env: dict[str, object]) -> list[Mark]:
    """Return the marks of the running text, in order. The parser must have been given to `note_marks`."""
    state = _MarkedState(content, parser, env)
    parser.inline.tokenize(state)
    for rule in parser.inline.ruler2.getRules(""):
        rule(state)
    marks = [*state.marks, *_delimiter_marks(state.tokens), *_tag_marks(content, state.tags)]
    return sorted(marks, key=lambda mark: (mark.start, -mark.end))


def markup_marks(content: str) -> list[Mark]:
    """Return the marks of a piece of HTML: its tags and comments."""
    tags: list[tuple[int, int]] = []
    position = 0
    while (position := content.find("<", position)) >= 0:
        if content.startswith("<!--", position):
            end = content.find("-->", position)
            end = len(content) if end < 0 else end + 3
        else:
            tag = _TAG.match(content, position)
            end = tag.end() if tag else position + 1
        if end > position + 1:
            tags.append((position, end))
        position = end
    return sorted(_tag_marks(content, tags), key=lambda mark: (mark.start, -mark.end))


def _noting(rule: _Rule, note: Callable[[_MarkedState, int], None]) -> _Rule:
    def noting(state: StateInline, silent: bool) -> bool:
        begin = state.pos
        found = rule(state, silent)
        if found and not silent and isinstance(state, _MarkedState):
            note(state, begin)
        return found

    return noting


def _noting_delimiters(rule: _Rule) -> _Rule:
    """A rule that tells each delimiter where it stands."""

    def noting(state: StateInline, silent: bool) -> bool:
        begin, before = state.pos, len(state.tokens)
        found = rule(state, silent)
        if found:
            place = state.pos
            for token in reversed(state.tokens[before:]):
                place -= len(token.content)
                if place < begin:
                    break
                token.meta["place"] = place
        return found

    return noting


def _image(state: StateInline, silent: bool) -> bool:
    """An image: its description is read, as it stands."""
    begin = state.pos
    if not rules_inline.image(state, True):
        return False
    if not silent and isinstance(state, _MarkedState):
        end = state.pos
        label_end = state.md.helpers.parseLinkLabel(state, begin + 1, False)
        state.pos = end
        state.hide(begin, begin + 2)
        state.hide(label_end, end)
    return True


def _note_code(state: _MarkedState, begin: int) -> None:
    token = state.tokens[-1] if state.tokens and not state.pending else None
    if token is not None and token.type == "code_inline":
        state.hide(begin, begin + len(token.markup))
        state.hide(state.pos - len(token.markup), state.pos)


def _note_link(state: _MarkedState, begin: int) -> None:
    state.hide(begin, begin + 1)
    state.hide(state.label_end, state.pos)


def _note_autolink(state: _MarkedState, begin: int) -> None:
    state.hide(begin, begin + 1)
    state.hide(state.pos - 1, state.pos)


def _note_entity(state: _MarkedState, begin: int) -> None:
    state.hide(begin, state.pos, html.unescape(state.src[begin : state.pos]).replace("\xa0", " "))


def _note_reference(state: _MarkedState, begin: int) -> None:
    state.marks.append(Mark(Kind.MARK, begin, state.pos, state.src[begin + 2 : state.pos - 1]))


def _delimiter_marks(tokens: Iterable[Token]) -> Iterator[Mark]:
    """The marks of emphasis, and what is struck out together with its marks."""
    struck: list[int] = []
    for token in tokens:
        place = token.meta.get("place")
        if place is None or token.nesting == 0:
            continue
        if token.type == "s_open":
            struck.append(place)
        elif token.type == "s_close" and struck:
            yield Mark(Kind.STRUCK, struck.pop(), place + len(token.markup))
        elif token.type == "strong_open":
            yield Mark(Kind.MARKUP, place - 1, place + 1)
        elif token.type in ("em_open", "em_close", "strong_close"):
            yield Mark(Kind.MARKUP, place, place + len(token.markup))


def _tag_marks(content: str, tags: Sequence[tuple[int, int]]) -> Iterator[Mark]:
    """The marks of tags: each is left out; struck-out and hidden text is marked with its tags, `sup` and `sub` are parted."""
    unclosed: dict[str, list[tuple[int, int, bool]]] = {}
    for start, end in tags:
        tag = _TAG.match(content, start, end)
        if tag is None:
            yield Mark(Kind.HIDDEN, start, end)
            continue
        closing, name, rest = tag.group(1), tag.group(2).lower(), tag.group(3)
        if closing and unclosed.get(name):
            begin, inner, is_unseen = unclosed[name].pop()
            if name in _UNREAD_TAGS or is_unseen:
                yield Mark(Kind.HIDDEN, begin, end)
            elif name in _STRIKES:
                yield Mark(Kind.STRUCK, begin, end)
            elif name in ("sup", "sub"):
                yield from _script_marks(content, name, begin, inner, start, end)
            else:
                yield Mark(Kind.MARKUP, begin, inner, " " if name in _PARTING_TAGS else "")
                yield Mark(Kind.MARKUP, start, end, " " if name in _PARTING_TAGS else "")
        elif closing or name in ("br", "hr", "img", "input", "wbr") or rest.endswith("/"):
            yield Mark(Kind.MARKUP, start, end, " " if name == "br" else "")
        else:
            unclosed.setdefault(name, []).append((start, end, _UNSEEN.search(rest) is not None))
    for name, left in unclosed.items():
        marker = " " if name in _PARTING_TAGS else ""
        yield from (Mark(Kind.MARKUP, begin, inner, marker) for begin, inner, _ in left)


def _script_marks(content: str, name: str, begin: int, inner: int, start: int, end: int) -> Iterator[Mark]:
    """The marks of a superscript or subscript: a note's mark whole, else its tags, with the sign that parts it."""
    before, script = content[max(0, begin - _BEFORE) : begin], content[inner:start]
    first = (raised if name == "sup" else lowered)(before, script)[0]
    if isinstance(first, Node) and first.kind is Kind.MARK:
        yield Mark(Kind.MARK, begin, end, script.strip(" []()"))
        return
    yield Mark(Kind.MARKUP, begin, inner, first.plain() if isinstance(first, Node) else "")
    yield Mark(Kind.MARKUP, start, end)
