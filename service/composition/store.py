"""Settings -> the database of conversations, and the API keys in it.

Apart from service.py: `quoth ask` stores nothing and loads no database engine.
"""

from service.access.key_record import KeyRecord
from service.access.keyring import Keyring
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database


def open_store(settings: Settings) -> ConversationStore:
    """The conversations in the settings' database, which is created or upgraded if needed."""
    return ConversationStore(Database(settings.store_url))


def make_keyring(settings: Settings, database: Database) -> Keyring:
    """The API keys in a database; the home folder keeps the note that there are some."""
    return Keyring(database, KeyRecord(settings.home))
