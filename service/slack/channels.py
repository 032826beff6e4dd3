"""How Quoth behaves in each channel: which documents, when it speaks, in which language."""

from dataclasses import dataclass

from service.database import Database
from service.slack.phrases import DEFAULT_LANGUAGE, LANGUAGES, Phrases
from service.slack.tables import ChannelRow


@dataclass(frozen=True, slots=True)
class Channel:
    """The settings of a channel.

    `collection` and `folder` are empty for the usual collection and all of it; `folder` is the beginning of the documents'
    URIs. `every_message`: answer without being mentioned. `silent`: say nothing where the documents do not say.
    """

    collection: str = ""
    folder: str = ""
    every_message: bool = False
    silent: bool = False
    language: str = DEFAULT_LANGUAGE

    @property
    def phrases(self) -> Phrases:
        """The bot's words in the channel's language."""
        return LANGUAGES[self.language]


class Channels:
    """The settings of all channels, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, channel: str) -> Channel:
        """The settings of a channel; the usual ones when none were made."""
        with self._database.reading() as session:
            row = session.get(ChannelRow, channel)
            if row is None:
                return Channel()
            language = row.language if row.language in LANGUAGES else DEFAULT_LANGUAGE
            return Channel(row.collection, row.folder, row.every_message, row.silent, language)

    def keep(self, channel: str, made: Channel) -> None:
        """Keep the settings of a channel."""
        with self._database.writing() as session:
            session.merge(
                ChannelRow(
                    channel=channel,
                    collection=made.collection,
                    folder=made.folder,
                    every_message=made.every_message,
                    silent=made.silent,
                    language=made.language,
                )
            )
