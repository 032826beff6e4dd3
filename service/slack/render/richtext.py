"""Rich text blocks: text that Slack shows as it is. Pure.

Everything that comes from a document, a question or a language model goes into elements of type `text`. Slack reads no markup
in them: no mention, no link, no bold, so `<!channel>` is nine characters and `&lt;` is four. Links are elements of their own,
made here from addresses that Quoth makes. mrkdwn, which would need escaping, is used for nothing but the fallback text
(`service/slack/render/text.py`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.slack.render.limits import BLOCK_TEXT, units
from service.slack.render.text import parts

Element = Mapping[str, Any]

_END_OF_EMBEDDING, _END_OF_ISOLATE = "\u202c", "\u2069"
_OPENERS = dict.fromkeys("\u202a\u202b\u202d\u202e", _END_OF_EMBEDDING) | dict.fromkeys(
    "\u2066\u2067\u2068", _END_OF_ISOLATE
)
_DEEPEST = 125  # nested directions beyond this are ignored (Unicode Standard Annex 9)
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OBJECT = 48  # units of JSON around a text
_WORTH_FILLING = 400  # a text is broken only for at least so much room


@dataclass(frozen=True, slots=True)
class Words:
    """A run of text in one style. With `url` it is a link."""

    text: str
    bold: bool = False
    italic: bool = False
    url: str | None = None


def literal(text: str) -> str:
    """Text that can be sent and stays by itself.

    Control characters and lone surrogates, which JSON or Slack refuses, become spaces and U+FFFD. A direction override or
    isolate that is left open is closed at the end, so that it cannot turn around what follows.
    """
    kept = _LONE_SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    open_ones: list[str] = []
    for character in _DIRECTION.findall(kept):
        if character in _OPENERS:
            open_ones.append(_OPENERS[character])
        elif character == _END_OF_ISOLATE and character in open_ones:
            while open_ones.pop() != character:  # an isolate's end closes what was opened inside
                pass
        elif character == _END_OF_EMBEDDING and open_ones[-1:] == [character]:
            open_ones.pop()
    return kept + "".join(reversed(open_ones[:_DEEPEST]))


def section(runs: Sequence[Words]) -> Element:
    """A paragraph."""
    return {"type": "rich_text_section", "elements": _elements(runs)}


def quote(runs: Sequence[Words]) -> Element:
    """An indented quote."""
    return {"type": "rich_text_quote", "elements": _elements(runs)}


def block(elements: Sequence[Element]) -> dict[str, Any]:
    """A rich text block of paragraphs and quotes."""
    return {"type": "rich_text", "elements": list(elements)}


def paragraphs(runs: Sequence[Words], most: int = BLOCK_TEXT) -> Iterator[tuple[Words, ...]]:
    """The runs in groups that each cost at most `most` units, addresses of links included: one paragraph or quote each."""
    group: list[Words] = []
    room = most
    for run in runs:
        overhead = _OBJECT + units(run.url or "")
        text = run.text
        while text:
            taken = _head(text, room - overhead, fresh=not group)
            if taken:
                group.append(Words(taken, run.bold, run.italic, run.url))
                room -= units(taken) + overhead
                text = text[len(taken) :]
            if text:
                yield tuple(group)
                group, room = [], most
    if group:
        yield tuple(group)


def cost(runs: Sequence[Words]) -> int:
    """The units that runs take as one paragraph."""
    return sum(units(run.text) + units(run.url or "") + _OBJECT for run in runs)


def _head(text: str, room: int, *, fresh: bool) -> str:
    """What of `text` goes into a group with `room` left; empty when it had better begin the next group."""
    if units(text) <= room:
        return text
    if not fresh and room < _WORTH_FILLING:
        return ""
    return next(parts(text, room))


def _elements(runs: Sequence[Words]) -> list[Element]:
    return [_element(run) for run in runs if run.text]


def _element(run: Words) -> Element:
    style = {name: True for name, on in (("bold", run.bold), ("italic", run.italic)) if on}
    made: dict[str, Any] = {"type": "text", "text": literal(run.text)}
    if run.url is not None:
        made = {"type": "link", "url": run.url, "text": literal(run.text)}
    return made | ({"style": style} if style else {})
