"""Settings -> the collections under the home folder. Apart from service.py: indexing and searching by words need no models."""

from index.embedding.encoder import SentenceEncoder
from index.library import Library
from service.settings import Settings


def open_library(settings: Settings) -> Library:
    """The collections under the home folder. Loads no model."""
    return Library(settings.home, SentenceEncoder(settings.encoder, cache=settings.cache))
