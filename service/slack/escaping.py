"""Text that Slack reads as mrkdwn, out and in. Pure.

Out: `&`, `<` and `>` are the characters that make mentions and links; escaped, text stays text. In: what a person typed comes
with mentions and links in angle brackets and the same three characters escaped.
"""

import re

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
