"""A long text -> parts that each fit a limit. Nothing is lost: the parts joined are the text. Pure."""

import re
import unicodedata
from collections.abc import Iterator

from service.slack.render.limits import units

_BREAKS = (re.compile(r"\n+"), re.compile(r"(?<=[.!?…。])\s+"), re.compile(r"\s+"))
_ZERO_WIDTH_JOINER = "\u200d"
_LEAST_SHARE = 0.5  # a part is cut at a better break only when it stays at least this full


def parts(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most `most` UTF-16 units, cut at lines, else sentences, else words, else characters."""
    while units(text) > most:
        cut = _cut(text, most)
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis in at most `most` units: for labels and previews, never for answers."""
    if units(text) <= most:
        return text
    return text[: _cut(text, most - 1)].rstrip() + "…"


def _cut(text: str, most: int) -> int:
    """Where to cut: the number of code points of the first part."""
    room = fitting(text, most)
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(text, 0, room)]
        if ends and ends[-1] >= room * _LEAST_SHARE:
            return ends[-1]
    cut = room
    while cut > 1 and _joined(text, cut):
        cut -= 1
    return cut if cut > 1 else room


def fitting(text: str, most: int) -> int:
    """How many code points of the text fit into `most` units."""
    count = min(most, len(text))
    while (over := units(text[:count]) - most) > 0:
        count -= (over + 1) // 2  # a code point takes two units at most
    return count


def _joined(text: str, place: int) -> bool:
    """Whether the characters before and after a place belong to one sign: an accent, a joined emoji, a flag's half."""
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


_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_MARKUP = re.compile(r"<([^<>]*)>")
_LABELLED = re.compile(r"(?P<target>[^|]*)\|(?P<label>.*)", re.DOTALL)
_USER = re.compile(r"@([UW][A-Z0-9]+)")


def escaped(text: str) -> str:
    """The text for a field that is read as mrkdwn: nothing in it is a mention or a link."""
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text


def plain(text: str, names: dict[str, str] | None = None) -> str:
    """What a person typed, as they see it: links as their label or address, channels as their name, users by `names`.

    `names` gives a name for a user id; a user that it does not know is left out, as the bot's own mention is.
    """
    shown = _MARKUP.sub(lambda match: _shown(match[1], names or {}), text)
    for character, entity in reversed(_ENTITIES):
        shown = shown.replace(entity, character)
    return "\n".join(" ".join(line.split()) for line in shown.strip().split("\n"))


def mentioned(text: str) -> frozenset[str]:
    """The ids of the users that a text mentions."""
    return frozenset(
        user[1] for match in _MARKUP.finditer(text) if (user := _USER.fullmatch(match[1].partition("|")[0]))
    )


def _shown(inside: str, names: dict[str, str]) -> str:
    labelled = _LABELLED.fullmatch(inside)
    target, label = (labelled["target"], labelled["label"]) if labelled else (inside, "")
    if user := _USER.fullmatch(target):
        return names.get(user[1], "")
    if target.startswith("#"):
        return f"#{label}" if label else ""
    if target.startswith("!"):
        return label
    return label or target.removeprefix("mailto:")
