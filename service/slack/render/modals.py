"""The windows that Quoth opens: a channel's settings, and the passages that an answer was written from. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from index.records import Hit
from service.slack.render.channel import Channel
from service.slack.render.limits import BLOCKS_IN_MODAL, MODAL_TITLE, OPTION_TEXT, OPTIONS_IN_SELECT
from service.slack.render.links import Viewer
from service.slack.render.messages import passage_blocks, statement
from service.slack.render.phrases import LANGUAGES, Phrases
from service.slack.render.text import shortened

SETTINGS = "channel_settings"
COLLECTION, FOLDER, WHEN, LANGUAGE = "collection", "folder", "when", "language"
EVERY_MESSAGE, SILENT = "every_message", "silent"
USUAL = "usual:"
_NAMED = "named:"
MOST_FOLDER = 500


def settings_modal(channel_id: str, channel: Channel, collections: Sequence[str], usual: str) -> dict[str, Any]:
    """The settings of a channel as a form. `usual` is the collection that is asked when none is chosen."""
    choices = [_option(f"The usual one ({usual})", USUAL)]
    choices += [_option(name, _NAMED + name) for name in collections[: OPTIONS_IN_SELECT - 1]]
    chosen = _NAMED + channel.collection if channel.collection else USUAL
    behaviour = [
        _option("Answer every message, not only mentions", EVERY_MESSAGE),
        _option("Say nothing where the documents do not say", SILENT),
    ]
    on = [choice for choice, is_on in zip(behaviour, (channel.every_message, channel.silent), strict=True) if is_on]
    languages = [_option(phrases.name, code) for code, phrases in LANGUAGES.items()]
    return {
        "type": "modal",
        "callback_id": SETTINGS,
        "private_metadata": channel_id,
        "title": _plain("Quoth in this channel", MODAL_TITLE),
        "submit": _plain("Save", MODAL_TITLE),
        "close": _plain("Cancel", MODAL_TITLE),
        "blocks": [
            _input(
                COLLECTION,
                "Documents",
                {
                    "type": "static_select",
                    "options": choices,
                    "initial_option": next((one for one in choices if one["value"] == chosen), choices[0]),
                },
                hint="Which collection is asked here. Others are for administrators of the workspace to choose.",
            ),
            _input(
                FOLDER,
                "Only from this folder",
                {"type": "plain_text_input", "max_length": MOST_FOLDER}
                | ({"initial_value": channel.folder} if channel.folder else {}),
                hint="A folder on Quoth's machine (/srv/documents/hr) or the beginning of an address. Empty for all documents.",
                optional=True,
            ),
            _input(
                WHEN,
                "When to speak",
                {"type": "checkboxes", "options": behaviour} | ({"initial_options": on} if on else {}),
                optional=True,
            ),
            _input(
                LANGUAGE,
                "Language of Quoth's own words",
                {
                    "type": "static_select",
                    "options": languages,
                    "initial_option": next(one for one in languages if one["value"] == channel.language),
                },
                hint="Answers quote the documents in the language that they are in.",
            ),
        ],
    }


def chosen(values: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Channel:
    """The settings that a submitted form holds."""
    collection = values[COLLECTION][COLLECTION]["selected_option"]["value"]
    when = {one["value"] for one in values[WHEN][WHEN].get("selected_options") or ()}
    return Channel(
        collection=collection.removeprefix(_NAMED) if collection.startswith(_NAMED) else "",
        folder=_address(str(values[FOLDER][FOLDER].get("value") or "").strip()),
        every_message=EVERY_MESSAGE in when,
        silent=SILENT in when,
        language=values[LANGUAGE][LANGUAGE]["selected_option"]["value"],
    )


def passages_modal(passages: Sequence[Hit], viewer: Viewer, phrases: Phrases) -> dict[str, Any]:
    """The passages, whole, best first. What does not fit into one window is counted at its end."""
    blocks: list[Mapping[str, Any]] = []
    for shown, hit in enumerate(passages):
        made = passage_blocks([hit], viewer, phrases)
        if len(blocks) + len(made) >= BLOCKS_IN_MODAL:
            blocks += statement(f"+ {len(passages) - shown}")
            break
        blocks += made
    return {
        "type": "modal",
        "title": _plain(phrases.passages, MODAL_TITLE),
        "close": _plain(phrases.close, MODAL_TITLE),
        "blocks": blocks or list(statement(phrases.gone)),
    }


def _address(folder: str) -> str:
    """A folder as the beginning of the URIs of its documents."""
    if not folder:
        return ""
    whole = f"file://{quote(folder)}" if folder.startswith("/") else folder
    return whole if whole.endswith("/") else f"{whole}/"


def _input(name: str, label: str, element: dict[str, Any], *, hint: str = "", optional: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "input",
        "block_id": name,
        "label": _plain(label, OPTION_TEXT),
        "element": element | {"action_id": name},
        "optional": optional,
    }
    return made | ({"hint": _plain(hint, 2 * OPTION_TEXT)} if hint else {})


def _option(label: str, value: str) -> dict[str, Any]:
    return {"text": _plain(label, OPTION_TEXT), "value": value}


def _plain(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": shortened(text, most), "emoji": False}
