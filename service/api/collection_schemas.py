"""The wire schemas of collections."""

from service.api.wire import Record


class CollectionOut(Record):
    """Size of a collection. `pending_vectors` counts passages that are found by their words only, so far.

    For a caller who may not read every document, `documents` and `chunks` count those it may read, and the sizes that would
    tell of others are null.
    """

    name: str
    documents: int
    chunks: int
    vectors: int | None
    pending_vectors: int | None
    encoder: str
    bytes_on_disk: int | None


class CollectionsResponse(Record):
    """All collections, and the name of the one used when none is given."""

    default: str
    collections: tuple[CollectionOut, ...]
