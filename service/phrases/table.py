"""The phrases of a language, by section: `answers`, `notes` and `derived` are said in answers, `both` on the page and Slack."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de", "fr", "es", "it", "pt")
"""The languages of the page and of Slack, by their ISO 639-1 codes. Their files have every section."""
ANSWER_LANGUAGES = (*LANGUAGES, "nl", "ru", "zh", "ja", "ar")
"""The languages in which Quoth refuses, greets and notes. The files of those that the page does not speak have only that."""
DEFAULT_LANGUAGE = "en"

Phrase = str | Mapping[str, str]
"""A text with {fields}; or one text for each form of a number, by the names of Unicode's plural rules (`one`, `other`)."""


def name_of(language: str) -> str:
    """The language's name in itself."""
    return str(_file(language)["name"])


def texts(language: str, *sections: str) -> dict[str, str]:
    """The phrases of these sections, none of which has forms for numbers."""
    return {key: str(text) for section in sections for key, text in _file(language)[section].items()}


def page_phrases(language: str) -> dict[str, Phrase]:
    """The phrases of the page."""
    file = _file(language)
    return {**file["both"], **file["page"]}


@cache
def _file(language: str) -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
