"""What can go wrong in index/.

    IndexingError
    ├── Permanent                   doing the same again fails again; the message says what to change
    │   ├── DocumentRejected        one file cannot be indexed (empty, encrypted, broken, too large, unknown format ...)
    │   │   ├── NoTextLayer         a PDF whose pages are pictures
    │   │   └── NotADocument        the file is not meant to be read (a picture, a program, records for programs)
    │   ├── ProcessUnstartable      the process that reads files ends before it takes one
    │   ├── FolderUnwatchable       the system gives no notice of changes in a folder
    │   ├── CollectionMissing       no collection of that name
    │   ├── CollectionNameInvalid   a name that cannot be a folder
    │   ├── CollectionExists        a collection of that name is already there
    │   ├── ExportUnreadable        a file is no whole export of a collection
    │   ├── ExportUnwritable        an export cannot be written there
    │   ├── EncoderMismatch         the collection was made with another encoder
    │   ├── LedgerDamaged           the ledger itself does not read
    │   ├── ModelMissing            model files are not where they should be
    │   ├── ModelDamaged            a model file differs from its recorded checksum
    │   ├── NotFound                no such document, version or chunk in the collection
    │   └── QueryInvalid            a query or filter that cannot be run
    └── Transient                   the same may go through later
        ├── CollectionBusy          another process is writing; says which
        └── DiskFull                nothing was lost; free space and run again

Every message names the thing, the bad value and the mend.
"""


class IndexingError(Exception):
    """Root of everything that index/ raises on purpose."""


class Permanent(IndexingError):
    """Doing the same again fails again."""


class Transient(IndexingError):
    """The same may go through later."""


class DocumentRejected(Permanent):
    """One file cannot be indexed; the rest of the folder is not affected."""

    def __init__(self, uri: str, reason: str, mend: str) -> None:
        super().__init__(f"{uri}: {reason}. {mend}")
        self.uri = uri
        self.reason = reason
        self.mend = mend


class NoTextLayer(DocumentRejected):
    """A PDF whose pages are pictures: its text must be recognised first."""


class NotADocument(DocumentRejected):
    """The file is not meant to be read: a picture, a program, an archive. Skipped and counted; no fault of anyone."""


class ProcessUnstartable(Permanent):
    """The process ends before it takes a request: something is wrong with the installation, not with a file."""


class FolderUnwatchable(Permanent):
    """The system gives no notice of changes in a folder."""


class CollectionMissing(Permanent):
    """No collection of that name."""


class CollectionNameInvalid(Permanent):
    """A name that cannot be a folder's name."""


class CollectionExists(Permanent):
    """A collection of that name is already there."""


class ExportUnreadable(Permanent):
    """The file is no whole export of a collection: missing, damaged, or something else."""


class ExportUnwritable(Permanent):
    """An export cannot be written there."""


class EncoderMismatch(Permanent):
    """The collection's vectors come from another encoder."""


class LedgerDamaged(Permanent):
    """The ledger, the only source of truth, does not read."""


class ModelMissing(Permanent):
    """Model files are not where they should be."""


class ModelDamaged(Permanent):
    """A model file differs from its recorded checksum."""


class NotFound(Permanent):
    """No such document, version or chunk."""


class QueryInvalid(Permanent):
    """A query or filter that cannot be run."""


class CollectionBusy(Transient):
    """Another process is writing to the collection."""


class DiskFull(Transient):
    """The disk is full; what was acknowledged before is safe."""
