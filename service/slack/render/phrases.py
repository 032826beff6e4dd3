"""The bot's own words in each language, and the settings of a channel. Documents and answers are never translated."""

from dataclasses import dataclass

from service.phrases.table import DEFAULT_LANGUAGE, name_of, texts
from service.phrases.table import LANGUAGES as CODES
from service.text.refusals import REFUSALS


@dataclass(frozen=True, slots=True)
class Phrases:
    """The texts around an answer: labels, buttons, and what the bot says when it cannot answer."""

    name: str
    refused: str
    sources: str
    page_number: str
    read_as: str
    read_as_parts: str
    as_typed: str
    nearest_passages: str
    delete: str
    close: str
    cancel: str
    save: str
    reading: str
    reading_for: str
    unsupported: str
    ask_differently: str
    helpful: str
    unhelpful: str
    passages: str
    share: str
    thanks: str
    failed: str
    late: str
    invalid: str
    no_collection: str
    members_only: str
    admins_only: str
    hint: str
    not_a_member: str
    not_yours: str
    restricted: str
    shared: str
    already_answered: str
    gone: str
    long_private: str
    prompt: str
    prompt_title: str
    settings: str
    settings_documents: str
    settings_usual: str
    settings_documents_hint: str
    settings_folder: str
    settings_folder_hint: str
    settings_when: str
    settings_every_message: str
    settings_silent: str
    settings_language: str
    settings_language_hint: str


LANGUAGES = {
    code: Phrases(name=name_of(code), refused=REFUSALS[code], **texts(code, "both", "slack")) for code in CODES
}


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The settings of a channel.

    `collection` is empty for the default one. `folder` is the beginning of the documents' URIs, empty for all documents.
    `every_message`: answer without being mentioned. `silent`: post no refusals.
    """

    collection: str = ""
    folder: str = ""
    every_message: bool = False
    silent: bool = False
    language: str = DEFAULT_LANGUAGE

    @property
    def phrases(self) -> Phrases:
        """The bot's texts in the channel's language."""
        return LANGUAGES[self.language]
