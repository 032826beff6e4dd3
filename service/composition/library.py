"""Settings -> the collections under the home folder. Apart from assembly.py: who only reads or indexes needs no engines."""

from index.embedding.encoder import SentenceEncoder
from index.library import Library
from service.settings import Settings


def open_library(settings: Settings) -> Library:
    """The collections under the home folder. Reads no model."""
    return Library(settings.home, SentenceEncoder(settings.encoder, cache=settings.cache))
