"""Settings -> the database of conversations. Apart from service.py: `quoth ask` stores nothing and loads no database engine."""

from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database


def open_store(settings: Settings) -> ConversationStore:
    """The conversations in the settings' database, which is created or upgraded if needed."""
    return ConversationStore(Database(settings.store_url))
