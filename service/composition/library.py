"""Settings -> the collections under the home folder. Apart from service.py: indexing and searching by words need no models."""

from index.embedding.encoder import SentenceEncoder
from index.engines.search_index import SearchIndexes
from index.library import Library
from service.errors import SettingsInvalid
from service.settings import Settings


def open_library(settings: Settings) -> Library:
    """The collections under the home folder. Loads no model."""
    return Library(settings.home, SentenceEncoder(settings.encoder, cache=settings.cache), make_indexes(settings))


def make_indexes(settings: Settings) -> SearchIndexes | None:
    """Where the settings keep what searches collections; None for the folders of the collections. Raises SettingsInvalid."""
    if settings.storage_url is None:
        return None
    try:
        from index.engines.lance.indexes import LanceIndexes
    except ImportError as error:
        raise SettingsInvalid(
            f"storage_url (QUOTH_STORAGE_URL) needs {error.name}, which is not installed. Run: pip install 'quoth[cluster]'"
        ) from error
    return LanceIndexes(settings.storage_url)
