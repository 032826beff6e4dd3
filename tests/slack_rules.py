"""Slack's documented limits as a strict judge of payloads: what the real API would reject fails a test, with the rule.

Written from docs.slack.dev (Block Kit reference, chat.*, views.open, assistant.*), apart from the code that it judges. Lengths
are counted in UTF-16 units. An unknown field, an empty text or an unknown block type is an error, as it is there.
"""

import json
import re
from typing import Any

MESSAGE_BLOCKS = 50
MODAL_BLOCKS = 100
SEEN_REJECTED = 11_000
"""Text of one message in units: slackapi/bolt-js issue 2867 saw 11,341 rejected."""


class Broken(Exception):
    """A payload that Slack would reject; the message names the place and the rule."""


def require(holds: bool, place: str, rule: str) -> None:
    if not holds:
        raise Broken(f"{place}: {rule}")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def sendable(text: Any, place: str, max_units: int, min_units: int = 1) -> None:
    require(isinstance(text, str), place, "text is a string")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Broken(f"{place}: text is whole characters") from None
    require(min_units <= units(text) <= max_units, place, f"{min_units} to {max_units} characters, has {units(text)}")
    require(not re.search(r"[\x00-\x08\x0b-\x1f]", text), place, "no control characters")


def fields(value: Any, place: str, required: set[str], optional: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    require(isinstance(value, dict), place, "an object")
    require(required <= set(value), place, f"needs {sorted(required - set(value))}")
    require(set(value) <= required | optional, place, f"does not know {sorted(set(value) - required - optional)}")


def text_object(value: Any, place: str, max_units: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
    fields(value, place, {"type", "text"}, {"emoji", "verbatim"})
    require(value["type"] in kinds, place, f"one of {kinds}")
    require("emoji" not in value or value["type"] == "plain_text", place, "emoji goes with plain_text")
    sendable(value["text"], place, max_units)
    if value["type"] == "mrkdwn":
        mrkdwn(value["text"], place)


def mrkdwn(text: str, place: str) -> None:
    """Reject mentions and links in mrkdwn: the bot escapes its text there."""
    require(not re.search(r"<[@#!]|<https?:", text), place, "no mention or link")


def url(value: Any, place: str) -> None:
    sendable(value, place, 3000)
    require(value.startswith(("http://", "https://")), place, "an http(s) address")


def message(blocks: Any, text: Any, place: str = "message") -> None:
    """A message as chat.postMessage, chat.update and response_url take it."""
    require(bool(blocks) or bool(text), place, "no_text")
    if text is not None:
        sendable(text, f"{place}.text", 4000)
        mrkdwn(text, f"{place}.text")
    if blocks is not None:
        surface(blocks, place, MESSAGE_BLOCKS)
        require(said(blocks) <= SEEN_REJECTED, place, f"msg_blocks_too_long ({said(blocks)})")
        marked = sum(units(block["text"]) for block in blocks if block["type"] == "markdown")
        require(marked <= 12_000, place, "12,000 characters of markdown")


def surface(blocks: Any, place: str, max_blocks: int) -> None:
    require(isinstance(blocks, list), place, "blocks is a list")
    require(1 <= len(blocks) <= max_blocks, place, f"1 to {max_blocks} blocks, has {len(blocks)}")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    require(len(ids) == len(set(ids)), place, "block ids differ")
    for number, block in enumerate(blocks):
        judge(block, f"{place}.blocks[{number}]")


def judge(block: Any, place: str) -> None:
    require(isinstance(block, dict) and "type" in block, place, "a block has a type")
    if "block_id" in block:
        sendable(block["block_id"], f"{place}.block_id", 255)
    require(block["type"] in BLOCKS, place, f"no block is of type {block['type']!r}")
    BLOCKS[block["type"]](block, place)


def divider(block: Any, place: str) -> None:
    fields(block, place, {"type"}, {"block_id"})


def section(block: Any, place: str) -> None:
    fields(block, place, {"type", "text"}, {"block_id"})
    text_object(block["text"], f"{place}.text", 3000)


def markdown(block: Any, place: str) -> None:
    fields(block, place, {"type", "text"}, {"block_id"})
    sendable(block["text"], place, 12_000)


def actions(block: Any, place: str) -> None:
    fields(block, place, {"type", "elements"}, {"block_id"})
    require(1 <= len(block["elements"]) <= 25, place, "1 to 25 elements")
    ids = [element.get("action_id") for element in block["elements"]]
    require(len(ids) == len(set(ids)), place, "action ids differ")
    for number, element in enumerate(block["elements"]):
        button(element, f"{place}.elements[{number}]")


def rich_text(block: Any, place: str) -> None:
    fields(block, place, {"type", "elements"}, {"block_id"})
    require(len(block["elements"]) >= 1, place, "at least one element")
    for number, element in enumerate(block["elements"]):
        judge_rich = rich_list if element.get("type") == "rich_text_list" else rich
        judge_rich(element, f"{place}.elements[{number}]")


def labelled(block: Any, place: str) -> None:
    fields(block, place, {"type", "label", "element"}, {"block_id", "hint", "optional"})
    text_object(block["label"], f"{place}.label", 2000, ("plain_text",))
    if "hint" in block:
        text_object(block["hint"], f"{place}.hint", 2000, ("plain_text",))
    field(block["element"], f"{place}.element")


BLOCKS = {
    "divider": divider,
    "section": section,
    "markdown": markdown,
    "actions": actions,
    "rich_text": rich_text,
    "input": labelled,
}


def button(value: Any, place: str) -> None:
    fields(value, place, {"type", "text", "action_id"}, {"value", "url", "style", "confirm", "accessibility_label"})
    require(value["type"] == "button", place, "a button")
    text_object(value["text"], f"{place}.text", 75, ("plain_text",))
    sendable(value["action_id"], f"{place}.action_id", 255)
    if "value" in value:
        sendable(value["value"], f"{place}.value", 2000)
    if "url" in value:
        url(value["url"], f"{place}.url")


def rich_list(value: Any, place: str) -> None:
    fields(value, place, {"type", "style", "elements"}, {"offset", "indent", "border"})
    require(value["style"] in {"bullet", "ordered"}, place, "bullet or ordered")
    require(isinstance(value.get("offset", 0), int) and value.get("offset", 0) >= 0, place, "an offset from 0")
    require(len(value["elements"]) >= 1, place, "at least one item")
    for number, one in enumerate(value["elements"]):
        require(one["type"] == "rich_text_section", place, "items are sections")
        rich(one, f"{place}.elements[{number}]")


def rich(value: Any, place: str) -> None:
    fields(value, place, {"type", "elements"}, {"border", "style", "indent"})
    require(
        value["type"] in {"rich_text_section", "rich_text_quote", "rich_text_preformatted"},
        place,
        "a rich text element",
    )
    require(len(value["elements"]) >= 1, place, "at least one element")
    total = 0
    for number, element in enumerate(value["elements"]):
        here = f"{place}.elements[{number}]"
        if element.get("type") == "link":
            fields(element, here, {"type", "url"}, {"text", "style", "unsafe"})
            url(element["url"], here)
        else:
            fields(element, here, {"type", "text"}, {"style"})
            require(element["type"] == "text", here, f"no mention, emoji or date: {element['type']}")
        sendable(element.get("text", "-"), here, 3000)
        total += units(element.get("text", ""))
        fields(element.get("style", {}), here, set(), {"bold", "italic", "strike", "code"})
    require(total <= 3000, place, "3,000 characters a paragraph")


def field(value: Any, place: str) -> None:
    sendable(value.get("action_id"), f"{place}.action_id", 255)
    match value["type"]:
        case "static_select":
            fields(value, place, {"type", "action_id", "options"}, {"initial_option", "placeholder"})
            require(1 <= len(value["options"]) <= 100, place, "1 to 100 options")
            for choice in value["options"]:
                option(choice, place)
            require(value.get("initial_option", value["options"][0]) in value["options"], place, "initial is an option")
        case "plain_text_input":
            fields(value, place, {"type", "action_id"}, {"initial_value", "placeholder", "max_length", "multiline"})
            require(units(value.get("initial_value", "")) <= value.get("max_length", 3000) <= 3000, place, "fits")
        case "checkboxes":
            fields(value, place, {"type", "action_id", "options"}, {"initial_options"})
            require(1 <= len(value["options"]) <= 10, place, "1 to 10 options")
            for choice in value["options"]:
                option(choice, place)
            require(value.get("initial_options") != [], place, "initial_options is not empty")
        case kind:
            raise Broken(f"{place}: no field is of type {kind!r}")


def option(value: Any, place: str) -> None:
    fields(value, place, {"text", "value"}, {"description"})
    text_object(value["text"], place, 75)
    sendable(value["value"], place, 150)


def modal(view: Any) -> None:
    """A view as views.open takes it."""
    fields(view, "view", {"type", "title", "blocks"}, {"submit", "close", "callback_id", "private_metadata"})
    require(view["type"] == "modal", "view", "a modal")
    text_object(view["title"], "view.title", 24, ("plain_text",))
    for name in ("submit", "close"):
        if name in view:
            text_object(view[name], f"view.{name}", 24, ("plain_text",))
    sendable(view.get("callback_id", "-"), "view.callback_id", 255)
    sendable(view.get("private_metadata", "-"), "view.private_metadata", 3000)
    surface(view["blocks"], "view", MODAL_BLOCKS)
    inputs = any(block["type"] == "input" for block in view["blocks"])
    require(inputs == ("submit" in view), "view", "inputs go with submit")
    require(units(json.dumps(view, ensure_ascii=False)) <= 250_000, "view", "250,000 characters")


def chunks(value: Any) -> None:
    """Chunks of a stream: at most 50 blocks in all, or markdown up to 12,000 characters."""
    require(isinstance(value, list) and bool(value), "chunks", "a list that is not empty")
    for number, chunk in enumerate(value):
        place = f"chunks[{number}]"
        if chunk.get("type") == "blocks":
            fields(chunk, place, {"type", "blocks"})
            surface(chunk["blocks"], place, MESSAGE_BLOCKS)
        else:
            fields(chunk, place, {"type", "text"})
            require(chunk["type"] == "markdown_text", place, "blocks or markdown_text")
            sendable(chunk["text"], place, 12_000)


def said(blocks: list[Any]) -> int:
    """The units of all texts in blocks."""
    return sum(units(text) for text in texts(blocks))


def texts(value: Any) -> list[str]:
    """Every text that a reader sees, in order."""
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if isinstance(value.get("text"), str) else texts(value.get("text"))
    return own + [
        text for name in ("elements", "blocks", "element", "label", "options") for text in texts(value.get(name))
    ]
