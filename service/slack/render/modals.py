"""The modal windows: a channel's settings, and the passages that an answer was written from. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from index.records import Hit
from service.slack.render.messages import Viewer, passage_blocks, text_blocks
from service.slack.render.phrases import LANGUAGES, ChannelSettings, Phrases
from service.slack.render.text import BLOCKS_IN_MODAL, MODAL_TITLE, OPTION_TEXT, OPTIONS_IN_SELECT, shorten

SETTINGS = "channel_settings"
COLLECTION, FOLDER, WHEN, LANGUAGE = "collection", "folder", "when", "language"
EVERY_MESSAGE, SILENT = "every_message", "silent"
USUAL = "usual:"
_NAMED = "named:"
MAX_FOLDER = 500


def settings_modal(channel_id: str, channel: ChannelSettings, collections: Sequence[str], usual: str) -> dict[str, Any]:
    """The settings of a channel as a form. `usual` is the collection that is searched when none is chosen."""
    phrases = channel.phrases
    choices = [_option(phrases.settings_usual.format(name=usual), USUAL)]
    choices += [_option(name, _NAMED + name) for name in collections[: OPTIONS_IN_SELECT - 1]]
    chosen = _NAMED + channel.collection if channel.collection else USUAL
    behaviour = [
        _option(phrases.settings_every_message, EVERY_MESSAGE),
        _option(phrases.settings_silent, SILENT),
    ]
    on = [choice for choice, is_on in zip(behaviour, (channel.every_message, channel.silent), strict=True) if is_on]
    languages = [_option(other.name, code) for code, other in LANGUAGES.items()]
    return {
        "type": "modal",
        "callback_id": SETTINGS,
        "private_metadata": channel_id,
        "title": _plain(phrases.settings, MODAL_TITLE),
        "submit": _plain(phrases.save, MODAL_TITLE),
        "close": _plain(phrases.cancel, MODAL_TITLE),
        "blocks": [
            _input(
                COLLECTION,
                phrases.settings_documents,
                {
                    "type": "static_select",
                    "options": choices,
                    "initial_option": next((one for one in choices if one["value"] == chosen), choices[0]),
                },
                hint=phrases.settings_documents_hint,
            ),
            _input(
                FOLDER,
                phrases.settings_folder,
                {"type": "plain_text_input", "max_length": MAX_FOLDER}
                | ({"initial_value": channel.folder} if channel.folder else {}),
                hint=phrases.settings_folder_hint,
                optional=True,
            ),
            _input(
                WHEN,
                phrases.settings_when,
                {"type": "checkboxes", "options": behaviour} | ({"initial_options": on} if on else {}),
                optional=True,
            ),
            _input(
                LANGUAGE,
                phrases.settings_language,
                {
                    "type": "static_select",
                    "options": languages,
                    "initial_option": next(one for one in languages if one["value"] == channel.language),
                },
                hint=phrases.settings_language_hint,
            ),
        ],
    }


def read_settings(values: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> ChannelSettings:
    """The settings that a submitted form holds."""
    collection = values[COLLECTION][COLLECTION]["selected_option"]["value"]
    when = {one["value"] for one in values[WHEN][WHEN].get("selected_options") or ()}
    return ChannelSettings(
        collection=collection.removeprefix(_NAMED) if collection.startswith(_NAMED) else "",
        folder=_uri_prefix(str(values[FOLDER][FOLDER].get("value") or "").strip()),
        every_message=EVERY_MESSAGE in when,
        silent=SILENT in when,
        language=values[LANGUAGE][LANGUAGE]["selected_option"]["value"],
    )


def passages_modal(passages: Sequence[Hit], viewer: Viewer, phrases: Phrases) -> dict[str, Any]:
    """The whole passages, best first. The last line counts those that do not fit into the window."""
    blocks: list[Mapping[str, Any]] = []
    for shown, hit in enumerate(passages):
        added = passage_blocks([hit], viewer, phrases)
        if len(blocks) + len(added) >= BLOCKS_IN_MODAL:
            blocks += text_blocks(f"+ {len(passages) - shown}")
            break
        blocks += added
    return {
        "type": "modal",
        "title": _plain(phrases.passages, MODAL_TITLE),
        "close": _plain(phrases.close, MODAL_TITLE),
        "blocks": blocks or list(text_blocks(phrases.gone)),
    }


def _uri_prefix(folder: str) -> str:
    """The beginning that the URIs of a folder's documents share."""
    if not folder:
        return ""
    uri = f"file://{quote(folder)}" if folder.startswith("/") else folder
    return uri if uri.endswith("/") else f"{uri}/"


def _input(name: str, label: str, element: dict[str, Any], *, hint: str = "", optional: bool = False) -> dict[str, Any]:
    field: dict[str, Any] = {
        "type": "input",
        "block_id": name,
        "label": _plain(label, OPTION_TEXT),
        "element": element | {"action_id": name},
        "optional": optional,
    }
    return field | ({"hint": _plain(hint, 2 * OPTION_TEXT)} if hint else {})


def _option(label: str, value: str) -> dict[str, Any]:
    return {"text": _plain(label, OPTION_TEXT), "value": value}


def _plain(text: str, max_units: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": shorten(text, max_units), "emoji": False}
