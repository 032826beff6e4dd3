"""Settings -> the collections. Apart from service.py: indexing and searching by words need no models."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from index.embedding.encoder import SentenceEncoder
from index.engines.search_index import SearchIndexes
from index.ledger.protocol import Ledgers
from index.library import Library
from service.errors import SettingsInvalid
from service.settings import Settings

if TYPE_CHECKING:
    from index.storage.objects import Objects


def open_library(settings: Settings) -> Library:
    """The collections in the home folder, or in the database if the settings say so. Loads no model."""
    encoder = SentenceEncoder(settings.encoder, cache=settings.cache)
    return Library(settings.home, encoder, make_indexes(settings), make_ledgers(settings))


def make_indexes(settings: Settings) -> SearchIndexes | None:
    """Where the settings keep what searches collections; None for the folders of the collections. Raises SettingsInvalid."""
    if settings.storage_url is None:
        return None
    with _needing_cluster():
        from index.engines.lance.indexes import LanceIndexes
    return LanceIndexes(settings.storage_url)


def make_objects(settings: Settings) -> "Objects | None":
    """The shared storage for what is kept whole, such as uploads; None without one. Raises SettingsInvalid."""
    if settings.storage_url is None:
        return None
    with _needing_cluster():
        from index.storage.objects import Objects
    return Objects(settings.storage_url)


@contextmanager
def _needing_cluster() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise SettingsInvalid(
            f"storage_url (QUOTH_STORAGE_URL) needs {error.name}, which is not installed. Run: pip install 'quoth[cluster]'"
        ) from error


def make_ledgers(settings: Settings) -> Ledgers | None:
    """Where the settings keep the ledgers of collections; None for the home folder. Raises SettingsInvalid."""
    if settings.collections_in == "home":
        return None
    # SQLAlchemy takes 0.2 s of processor time to import, which commands over the home folder do without.
    from index.ledger.postgres.ledgers import PostgresLedgers

    return PostgresLedgers(shared_database_url(settings), settings.collections_cache)


def shared_database_url(settings: Settings) -> str:
    """The URL of the database that collections are in. Raises SettingsInvalid if the settings name none that can hold them."""
    from service.storage.engines import is_postgres

    if settings.database_url is None or not is_postgres(settings.store_url):
        raise SettingsInvalid(
            "collections_in (QUOTH_COLLECTIONS_IN) is database, but database_url (QUOTH_DATABASE_URL) names no PostgreSQL "
            "database. Write postgresql://user:password@host/name, or leave collections_in out."
        )
    return settings.store_url
