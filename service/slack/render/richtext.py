"""Rich text blocks: text that Slack shows literally. Pure.

Everything that comes from a document, a question or a language model goes into elements of type `text`, in which Slack reads no
markup: no mention, no link, no bold; `<!channel>` is nine characters and `&lt;` is four. Links are separate elements, made
here from addresses that Quoth builds. mrkdwn, which needs escaping (`service/slack/render/text.py`), is used only for the
fallback text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.slack.render.text import BLOCK_TEXT, split_text, units

Element = Mapping[str, Any]

_END_OF_EMBEDDING, _END_OF_ISOLATE = "\u202c", "\u2069"
_OPENERS = dict.fromkeys("\u202a\u202b\u202d\u202e", _END_OF_EMBEDDING) | dict.fromkeys(
    "\u2066\u2067\u2068", _END_OF_ISOLATE
)
_DEEPEST = 125  # nested directions beyond this are ignored (Unicode Standard Annex 9)
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OBJECT = 48  # units of JSON around each text
_WORTH_FILLING = 400  # a text is split only if at least this many units of it fit


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of text in one style. With `url` it is a link."""

    text: str
    bold: bool = False
    italic: bool = False
    url: str | None = None


def literal(text: str) -> str:
    """Text that Slack accepts and that cannot change how the text after it is shown.

    Control characters and lone surrogates, which JSON or Slack refuses, become spaces and U+FFFD. A direction override or
    isolate that is left open is closed at the end, so that it cannot reverse what follows.
    """
    kept = _LONE_SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    unclosed: list[str] = []
    for character in _DIRECTION.findall(kept):
        if character in _OPENERS:
            unclosed.append(_OPENERS[character])
        elif character == _END_OF_ISOLATE and character in unclosed:
            while unclosed.pop() != character:  # an isolate's end closes what was opened inside
                pass
        elif character == _END_OF_EMBEDDING and unclosed[-1:] == [character]:
            unclosed.pop()
    return kept + "".join(reversed(unclosed[:_DEEPEST]))


def section(runs: Sequence[TextRun]) -> Element:
    """A paragraph."""
    return {"type": "rich_text_section", "elements": _elements(runs)}


def quote(runs: Sequence[TextRun]) -> Element:
    """An indented quote."""
    return {"type": "rich_text_quote", "elements": _elements(runs)}


def item(runs: Sequence[TextRun], ordinal: int | None) -> Element:
    """An item of a list, with its number if it has one."""
    items = [section(runs)]
    if ordinal is None:
        return {"type": "rich_text_list", "style": "bullet", "elements": items}
    return {"type": "rich_text_list", "style": "ordered", "offset": max(ordinal - 1, 0), "elements": items}


def preformatted(text: str) -> Element:
    """Code, with its lines."""
    return {"type": "rich_text_preformatted", "elements": _elements([TextRun(text)])}


def block(elements: Sequence[Element]) -> dict[str, Any]:
    """A rich text block of paragraphs and quotes."""
    return {"type": "rich_text", "elements": list(elements)}


def paragraphs(runs: Sequence[TextRun], max_units: int = BLOCK_TEXT) -> Iterator[tuple[TextRun, ...]]:
    """The runs in groups that each cost at most `max_units` units with their links: one paragraph or quote each."""
    group: list[TextRun] = []
    room = max_units
    for run in runs:
        overhead = _OBJECT + units(run.url or "")
        text = run.text
        while text:
            taken = _head(text, room - overhead, fresh=not group)
            if taken:
                group.append(TextRun(taken, run.bold, run.italic, run.url))
                room -= units(taken) + overhead
                text = text[len(taken) :]
            if text:
                yield tuple(group)
                group, room = [], max_units
    if group:
        yield tuple(group)


def cost(runs: Sequence[TextRun]) -> int:
    """The units that runs take as one paragraph."""
    return sum(units(run.text) + units(run.url or "") + _OBJECT for run in runs)


def _head(text: str, room: int, *, fresh: bool) -> str:
    """The part of `text` that goes into a group with `room` left; empty when it should start the next group."""
    if units(text) <= room:
        return text
    if not fresh and room < _WORTH_FILLING:
        return ""
    return next(split_text(text, room))


def _elements(runs: Sequence[TextRun]) -> list[Element]:
    return [_element(run) for run in runs if run.text]


def _element(run: TextRun) -> Element:
    style = {name: True for name, on in (("bold", run.bold), ("italic", run.italic)) if on}
    element: dict[str, Any] = {"type": "text", "text": literal(run.text)}
    if run.url is not None:
        element = {"type": "link", "url": run.url, "text": literal(run.text)}
    return element | ({"style": style} if style else {})
