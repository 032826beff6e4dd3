"""Settings -> the database of conversations, and the API keys in it.

Apart from service.py: `quoth ask` stores nothing and loads no database engine.
"""

from service.access.key_record import KeyRecord
from service.access.keyring import Keyring
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database


def open_store(settings: Settings) -> ConversationStore:
    """The conversations in the settings' database."""
    return ConversationStore(open_database(settings))


def open_database(settings: Settings) -> Database:
    """The settings' database, created or upgraded if needed. Where API keys were made, none is begun in place of a lost one."""
    return Database(settings.store_url, create=not KeyRecord(settings.home).exists())


def make_keyring(settings: Settings, database: Database) -> Keyring:
    """The API keys in a database; the home folder keeps the note that there are some."""
    return Keyring(database, KeyRecord(settings.home))
