"""The exceptions of index/, in one tree.

    IndexingError
    ├── Permanent                   doing the same again fails again; the message says what to change
    │   ├── DocumentRejected        one file cannot be indexed (empty, encrypted, broken, too large, unknown format ...)
    │   │   ├── NoTextLayer         a PDF whose pages are pictures
    │   │   └── NotADocument        the file is not meant to be read (a program, records for programs)
    │   │       ├── NoWords         a picture without words that can be recognised
    │   │       └── NotRecognised   a picture, where nothing recognises text
    │   ├── ProcessUnstartable      the process that reads files ends before it takes a request
    │   ├── FolderUnwatchable       the system cannot report changes in a folder
    │   ├── ObjectsUnsupported      an object store is not named as it should be, or the library for it is not installed
    │   ├── CollectionMissing       no collection has that name
    │   ├── CollectionNameInvalid   the name cannot be a folder's name
    │   ├── TitleInvalid            a document or collection cannot have that title
    │   ├── CollectionExists        a collection of that name exists already
    │   ├── CollectionMoving        a collection is being moved elsewhere, and takes no changes
    │   ├── DestinationInvalid      no collection can be moved to that place
    │   ├── ExportUnreadable        the file is not a complete export of a collection
    │   ├── ExportUnwritable        an export cannot be written to that path
    │   ├── EncoderMismatch         the collection was made with another encoder
    │   ├── LedgerDamaged           the ledger cannot be read
    │   │   └── LedgerLost          the ledger is missing or empty, although documents were indexed
    │   ├── ModelMissing            model files are not where they should be
    │   ├── ModelDamaged            a model file differs from its recorded checksum
    │   ├── NotFound                no such document, version or chunk in the collection
    │   │   ├── SourceMissing       the file of a document is gone, or there never was one
    │   │   └── GeometryMissing     it is not known where the words of a document stand
    │   ├── SourceChanged           the file of a document holds other bytes by now
    │   └── QueryInvalid            a query or filter cannot be run
    └── Transient                   the same call may succeed later
        ├── CollectionBusy          another process is writing; the message says which
        ├── CollectionDropped       another program dropped the collection while a writer waited for it
        ├── DatabaseUnavailable     the PostgreSQL database of the collections does not answer
        ├── NotWritable             a file or folder is read-only, or another user's
        ├── SearchIndexBuilding     what searches the collection is being made; the message says how far it is
        ├── ObjectStoreUnavailable  the folder or object store that machines share does not answer, refuses or is full
        ├── SearchStorageUnreachable  the storage of the search tables does not answer
        └── DiskFull                nothing was lost; free space and run again

Every message names the thing, the bad value and the fix.
"""

import re

_MAX_WORD, _WORD_KEPT = 1000, 200
_MAX_MESSAGE, _MESSAGE_KEPT = 4000, 3000


def shorten(message: str) -> str:
    """The message with very long words cut, and cut itself if it is still long: a caller may have sent what it repeats.

    Its beginning and its end stay: the thing and the fix.
    """
    words = re.sub(r"\S+", lambda word: _cut(word[0], _MAX_WORD, _WORD_KEPT, 1), message)
    return _cut(words, _MAX_MESSAGE, _MESSAGE_KEPT, _MAX_MESSAGE - _MESSAGE_KEPT)


def _cut(text: str, most: int, head: int, tail: int) -> str:
    return text if len(text) <= most else f"{text[:head]}…{text[-tail:]}"


class IndexingError(Exception):
    """Root of every exception that index/ raises on purpose."""

    def __str__(self) -> str:
        """The message, shortened."""
        return shorten(super().__str__())


class Permanent(IndexingError):
    """Doing the same again fails again."""


class Transient(IndexingError):
    """The same call may succeed later."""


class DocumentRejected(Permanent):
    """One file cannot be indexed; the rest of the folder is not affected."""

    def __init__(self, uri: str, reason: str, fix: str) -> None:
        super().__init__(f"{uri}: {reason}. {fix}")
        self.uri = uri
        self.reason = reason
        self.fix = fix


class NoTextLayer(DocumentRejected):
    """A picture, or a PDF whose pages are pictures: its text must be recognised (OCR) first."""


class NotADocument(DocumentRejected):
    """The file is not meant to be read: a program, an archive. Skipped and counted; no error."""


class NoWords(NotADocument):
    """A picture in which no words are recognised. It is not tried again until it changes."""


class NotRecognised(NotADocument):
    """A picture, where Tesseract is not installed: whether it holds words is not known."""


class ProcessUnstartable(Permanent):
    """The process that reads files ends before it takes a request: the installation is at fault, not a file."""


class FolderUnwatchable(Permanent):
    """The system cannot report changes in a folder."""


class ObjectsUnsupported(Permanent):
    """An address names no bucket, or the library that reads objects is not installed."""


class CollectionMissing(Permanent):
    """No collection has that name."""


class CollectionNameInvalid(Permanent):
    """The name cannot be a folder's name."""


class TitleInvalid(Permanent):
    """A document or collection cannot have that title."""


class CollectionExists(Permanent):
    """A collection of that name exists already."""


class CollectionMoving(Permanent):
    """The collection is being moved elsewhere. It is searched as before, and takes no changes."""


class DestinationInvalid(Permanent):
    """No collection can be moved to that place."""


class ExportUnreadable(Permanent):
    """The file is not a complete export of a collection: missing, damaged, or something else."""


class ExportUnwritable(Permanent):
    """An export cannot be written to that path."""


class EncoderMismatch(Permanent):
    """The collection's vectors come from another encoder."""


class LedgerDamaged(Permanent):
    """The ledger, the only source of truth, cannot be read."""


class LedgerLost(LedgerDamaged):
    """The ledger is missing or empty, although the collection had one."""


class ModelMissing(Permanent):
    """Model files are not where they should be."""


class ModelDamaged(Permanent):
    """A model file differs from its recorded checksum, or a model's results are wrong on this machine."""


class NotFound(Permanent):
    """No such document, version or chunk."""


class SourceMissing(NotFound):
    """The file that a document was read from is gone, or leads elsewhere, or there never was one."""


class GeometryMissing(NotFound):
    """It is not known where the words of a document stand: it is no PDF, or an earlier version of Quoth read it."""


class SourceChanged(Permanent):
    """The file that a document was read from holds other bytes by now."""


class QueryInvalid(Permanent):
    """A query or filter cannot be run."""


class CollectionBusy(Transient):
    """Another process is writing to the collection."""


class CollectionDropped(Transient):
    """Another program dropped the collection while a writer waited for it. Open it again: a new one may have its name."""


class DatabaseUnavailable(Transient):
    """The PostgreSQL database that holds the collections does not answer."""


class NotWritable(Transient):
    """A file or folder that Quoth must write is read-only, or another user's."""


class SearchIndexBuilding(Transient):
    """The search table of the collection is being made from the ledger; searches work once it is whole."""


class SearchStorageUnreachable(Transient):
    """The storage that holds the search tables does not answer, or does not let this program in."""


class ObjectStoreUnavailable(Transient):
    """The folder or object store that machines share does not answer, does not let this program in, or has no room."""


class DiskFull(Transient):
    """The disk is full; everything acknowledged before is safe."""
