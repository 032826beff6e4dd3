"""Text as Slack counts, cuts and escapes it, and what Slack accepts, in one place. Pure.

Lengths are UTF-16 units, the largest of the counts that Slack could mean by "characters". Sources of the limits:
docs.slack.dev, the Block Kit reference and the methods chat.postMessage, chat.startStream and views.open; and slackapi/bolt-js
issues 2509 and 2867 for the limit on a whole message, which the reference does not name: messages whose texts summed to
11,341 characters were rejected (`msg_blocks_too_long`), with the objects around the texts counted in some way.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

Block = Mapping[str, Any]

BLOCKS_IN_MESSAGE = 50
BLOCKS_IN_MODAL = 100
OPTION_TEXT = 75
OPTIONS_IN_SELECT = 100
MODAL_TITLE = 24
PROMPTS = 4

MESSAGE_SIZE = 10_000
"""Most units of JSON for the blocks of one message: less than every message that Slack was seen to reject."""
BLOCK_TEXT = 2500
"""Most units of text in one rich text block: below the limit of a section, with room for closing text directions."""
FALLBACK_TEXT = 3000
"""Most units of a message's `text`, which notifications and screen readers use instead of the blocks; Slack advises 4,000."""

_BREAKS = (re.compile(r"\n+"), re.compile(r"(?<=[.!?…。])\s+"), re.compile(r"\s+"))
_ZERO_WIDTH_JOINER = "\u200d"
_MIN_SHARE = 0.5  # a part is cut at a better break only when it stays at least this full
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_MARKUP = re.compile(r"<([^<>]*)>")
_LABELLED = re.compile(r"(?P<target>[^|]*)\|(?P<label>.*)", re.DOTALL)
_USER = re.compile(r"@([UW][A-Z0-9]+)")


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def size(block: Block) -> int:
    """The length of a block as JSON, in UTF-16 units."""
    return units(json.dumps(block, ensure_ascii=False))


def split_text(text: str, max_units: int) -> Iterator[str]:
    """The text in parts of at most `max_units` UTF-16 units, cut at lines, else sentences, else words, else characters."""
    while units(text) > max_units:
        cut = _cut_at(text, max_units)
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def shorten(text: str, max_units: int) -> str:
    """The text, or its beginning with an ellipsis in at most `max_units` units: for labels and previews, never for answers."""
    if units(text) <= max_units:
        return text
    return text[: _cut_at(text, max_units - 1)].rstrip() + "…"


def _cut_at(text: str, max_units: int) -> int:
    """Where to cut: the number of code points of the first part."""
    room = _fitting_length(text, max_units)
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(text, 0, room)]
        if ends and ends[-1] >= room * _MIN_SHARE:
            return ends[-1]
    cut = room
    while cut > 1 and _splits_grapheme(text, cut):
        cut -= 1
    return cut if cut > 1 else room


def _fitting_length(text: str, max_units: int) -> int:
    """How many code points of the text fit into `max_units` units."""
    count = min(max_units, len(text))
    while (over := units(text[:count]) - max_units) > 0:
        count -= (over + 1) // 2  # a code point takes two units at most
    return count


def _splits_grapheme(text: str, place: int) -> bool:
    """Whether cutting here would split one visible character: a letter and its accent, a joined emoji, a flag."""
    if place >= len(text):
        return False
    after = text[place]
    return (
        bool(unicodedata.combining(after))
        or unicodedata.category(after) in {"Mn", "Mc", "Me", "Sk"}
        or after == _ZERO_WIDTH_JOINER
        or text[place - 1] == _ZERO_WIDTH_JOINER
        or "\U0001f1e6" <= after <= "\U0001f1ff"
    )


def escape(text: str) -> str:
    """Escape text for a field that Slack reads as mrkdwn, so that nothing in it becomes a mention or a link."""
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text


def plain_text(text: str, names: dict[str, str] | None = None) -> str:
    """The text of a message as a person sees it: links as label or address, channels and users as their names.

    `names` maps user ids to names. A mention of any other user, such as the bot itself, is left out.
    """
    shown = _MARKUP.sub(lambda match: _markup_text(match[1], names or {}), text)
    for character, entity in reversed(_ENTITIES):
        shown = shown.replace(entity, character)
    return "\n".join(" ".join(line.split()) for line in shown.strip().split("\n"))


def mentioned_users(text: str) -> frozenset[str]:
    """The ids of the users that a text mentions."""
    return frozenset(
        user[1] for match in _MARKUP.finditer(text) if (user := _USER.fullmatch(match[1].partition("|")[0]))
    )


def _markup_text(inside: str, names: dict[str, str]) -> str:
    labelled = _LABELLED.fullmatch(inside)
    target, label = (labelled["target"], labelled["label"]) if labelled else (inside, "")
    if user := _USER.fullmatch(target):
        return names.get(user[1], "")
    if target.startswith("#"):
        return f"#{label}" if label else ""
    if target.startswith("!"):
        return label
    return label or target.removeprefix("mailto:")
