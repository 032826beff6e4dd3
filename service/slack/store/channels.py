"""How Quoth behaves in each channel: which documents, when it speaks, in which language."""

from service.slack.render.channel import Channel
from service.slack.render.phrases import DEFAULT_LANGUAGE, LANGUAGES
from service.slack.store.tables import ChannelRow
from service.storage.database import Database


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
