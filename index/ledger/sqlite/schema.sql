-- The ledger of one collection. SQLite, write-ahead log. Everything else in the folder can be rebuilt from this file.

-- Facts about the collection itself: schema, identity, encoder, dimension, floor of the change log, its title if it was given one, and
-- where it is being moved to (`destination`, index/ledger/rows.py), if it is.
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Every version of every document that was ever current. Text is zlib over UTF-8; offsets elsewhere count its code points.
-- `blocks` is the structure (index/blocks/codec.py); `geometry` where the words of a PDF stand (geometry.py); `reading` the way of reading that made both (index/uris.py).
CREATE TABLE versions (
    number INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    version TEXT NOT NULL,
    uri TEXT NOT NULL,
    title TEXT NOT NULL,
    media_type TEXT NOT NULL,
    characters INTEGER NOT NULL,
    text BLOB NOT NULL,
    pages TEXT NOT NULL,
    blocks BLOB NOT NULL DEFAULT x'',
    metadata TEXT NOT NULL,
    warnings TEXT NOT NULL DEFAULT '[]',
    geometry BLOB,
    reading INTEGER NOT NULL DEFAULT 1,
    UNIQUE (document_id, version)
) STRICT;
-- Both stand behind texts and blocks in their rows: without an index, all of those would be read to get there.
CREATE INDEX versions_by_reading ON versions (reading);
CREATE INDEX versions_with_warnings ON versions (document_id, version, warnings) WHERE warnings != '[]';

-- Documents that are current, that is, in search.
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL REFERENCES versions (number),
    uri TEXT NOT NULL,
    source_size INTEGER,
    source_modified_ns INTEGER,
    indexed_at REAL NOT NULL,
    modified_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX documents_by_uri ON documents (uri);
CREATE INDEX documents_by_time ON documents (modified_ns);

-- Who may read a document, in all its versions, current or not; everybody where there is no row.
CREATE TABLE permissions (
    document_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    PRIMARY KEY (document_id, principal)
) STRICT, WITHOUT ROWID;
CREATE INDEX permissions_of_principal ON permissions (principal);

-- The titles of documents that were renamed, in order; the last is given to every later version too. NULL: the document was
-- removed, and if it comes back, it has the title in its file. The earlier ones stand in answers from before.
CREATE TABLE titles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL,
    title TEXT
) STRICT;
CREATE INDEX titles_of_document ON titles (document_id);

-- Metadata of current documents, for filters.
CREATE TABLE properties (
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, value, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX properties_of_document ON properties (document);

-- Chunks of current documents. `rendered` is the text as it is read, NULL where that is `text`; `units` are its units in it
-- (index/blocks/codec.py), NULL where an earlier version of Quoth made the chunk. `hash` covers context and rendered text: what
-- is embedded. Numbers are never used twice.
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES documents (number),
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    page INTEGER,
    trail TEXT NOT NULL,
    context TEXT NOT NULL,
    text TEXT NOT NULL,
    rendered TEXT,
    units TEXT,
    hash BLOB NOT NULL,
    embedded INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_of_document ON chunks (document);
CREATE INDEX chunks_by_hash ON chunks (hash);
CREATE INDEX chunks_pending ON chunks (number) WHERE embedded = 0;

-- IEEE half precision, little-endian, kept when their chunks go: the same text never needs the encoder twice.
CREATE TABLE vectors (
    hash BLOB PRIMARY KEY,
    vector BLOB NOT NULL
) STRICT;

-- The log of changes, in order, which the caches replay. kind: 1 chunk added, 2 chunk removed, 3 vector of the chunk known,
-- 4 who may read its document, or when that was modified, changed.
CREATE TABLE changes (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    chunk INTEGER NOT NULL
) STRICT;

-- Folders, files, addresses and uploads that principals were named for: who may read what is indexed at or below them.
CREATE TABLE roots (
    uri TEXT PRIMARY KEY,
    principals TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What web servers reported about the pages that documents came from.
CREATE TABLE visits (
    uri TEXT PRIMARY KEY,
    found_by TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL
) STRICT, WITHOUT ROWID;
