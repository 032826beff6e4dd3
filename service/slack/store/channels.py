"""The settings of each channel: which documents are searched, when Quoth answers, in which language."""

from service.phrases.table import DEFAULT_LANGUAGE
from service.slack.render.phrases import LANGUAGES, ChannelSettings
from service.slack.store.tables import ChannelRow
from service.storage.database import Database


class Channels:
    """The settings of all channels, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, channel: str) -> ChannelSettings:
        """The settings of a channel; the defaults if none were saved."""
        with self._database.reading() as session:
            row = session.get(ChannelRow, channel)
            if row is None:
                return ChannelSettings()
            language = row.language if row.language in LANGUAGES else DEFAULT_LANGUAGE
            return ChannelSettings(row.collection, row.folder, row.every_message, row.silent, language)

    def save(self, channel: str, settings: ChannelSettings) -> None:
        """Save the settings of a channel."""
        with self._database.writing() as session:
            session.merge(
                ChannelRow(
                    channel=channel,
                    collection=settings.collection,
                    folder=settings.folder,
                    every_message=settings.every_message,
                    silent=settings.silent,
                    language=settings.language,
                )
            )
