"""The tables of the ledgers: those of index/ledger/sqlite/schema.sql, which explains the columns, keyed by the collection.

Texts that may be longer than an index takes (2,700 bytes) are indexed by their beginning or their SHA-256.
"""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
-- The collections and their counters: the last number used of each kind. `revision` grows with every change, also with those
-- that the log leaves out. A dropped collection has no name; its rows are deleted afterwards.
CREATE TABLE collections (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" UNIQUE,
    identity bigint NOT NULL UNIQUE,
    encoder text NOT NULL,
    dimension integer NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 0,
    last_version integer NOT NULL DEFAULT 0,
    last_document integer NOT NULL DEFAULT 0,
    last_chunk integer NOT NULL DEFAULT 0,
    title text NOT NULL DEFAULT '',
    dropped_name text,
    dropped_mark text
);

CREATE TABLE versions (
    collection integer NOT NULL REFERENCES collections (id),
    number integer NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    uri text COLLATE "C" NOT NULL,
    title text NOT NULL,
    media_type text NOT NULL,
    characters integer NOT NULL,
    text bytea NOT NULL,
    pages text NOT NULL,
    blocks bytea NOT NULL,
    metadata text NOT NULL,
    warnings text NOT NULL,
    geometry bytea,
    reading integer NOT NULL,
    PRIMARY KEY (collection, number),
    UNIQUE (collection, document_id, version)
);
ALTER TABLE versions ALTER text SET STORAGE EXTERNAL, ALTER blocks SET STORAGE EXTERNAL, ALTER geometry SET STORAGE EXTERNAL;
CREATE INDEX versions_by_version ON versions (collection, version);
CREATE INDEX versions_by_reading ON versions (collection, reading, number);
CREATE INDEX versions_with_warnings ON versions (collection, number) WHERE warnings <> '[]';

CREATE TABLE documents (
    collection integer NOT NULL,
    number integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    uri text COLLATE "C" NOT NULL,
    source_size bigint,
    source_modified_ns bigint,
    indexed_at double precision NOT NULL,
    modified_ns bigint NOT NULL,
    PRIMARY KEY (collection, number),
    UNIQUE (collection, id),
    FOREIGN KEY (collection, version) REFERENCES versions (collection, number)
);
CREATE INDEX documents_of_version ON documents (collection, version);
CREATE INDEX documents_by_uri ON documents (collection, left(uri, 500) COLLATE "C");
CREATE INDEX documents_by_time ON documents (collection, modified_ns);

CREATE TABLE permissions (
    collection integer NOT NULL REFERENCES collections (id),
    document_id text COLLATE "C" NOT NULL,
    principal text COLLATE "C" NOT NULL,
    PRIMARY KEY (collection, document_id, principal)
);
CREATE INDEX permissions_of_principal ON permissions (collection, principal);

CREATE TABLE titles (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection integer NOT NULL REFERENCES collections (id),
    document_id text COLLATE "C" NOT NULL,
    title text
);
CREATE INDEX titles_of_document ON titles (collection, document_id, number);

-- `pair` is the SHA-256 of a name and a value in the metadata of the document (statements.py).
CREATE TABLE properties (
    collection integer NOT NULL,
    document integer NOT NULL,
    pair bytea NOT NULL,
    PRIMARY KEY (collection, pair, document),
    FOREIGN KEY (collection, document) REFERENCES documents (collection, number)
);
CREATE INDEX properties_of_document ON properties (collection, document);

CREATE TABLE chunks (
    collection integer NOT NULL,
    number integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    document integer NOT NULL,
    ordinal integer NOT NULL,
    start integer NOT NULL,
    stop integer NOT NULL,
    page integer,
    trail text NOT NULL,
    context text NOT NULL,
    text text NOT NULL,
    rendered text,
    units text,
    hash bytea NOT NULL,
    embedded boolean NOT NULL,
    PRIMARY KEY (collection, number),
    UNIQUE (collection, id),
    FOREIGN KEY (collection, document) REFERENCES documents (collection, number)
);
CREATE INDEX chunks_of_document ON chunks (collection, document, ordinal);
CREATE INDEX chunks_by_hash ON chunks (collection, hash);
CREATE INDEX chunks_pending ON chunks (collection, number) WHERE NOT embedded;

CREATE TABLE vectors (
    collection integer NOT NULL REFERENCES collections (id),
    hash bytea NOT NULL,
    vector bytea NOT NULL,
    PRIMARY KEY (collection, hash)
);

-- The positions of one collection commit in order: a writer holds its row of `collections` until it has committed.
CREATE TABLE changes (
    collection integer NOT NULL REFERENCES collections (id),
    position bigint NOT NULL,
    kind smallint NOT NULL,
    chunk integer NOT NULL,
    PRIMARY KEY (collection, position)
);

CREATE TABLE roots (
    collection integer NOT NULL REFERENCES collections (id),
    place bytea NOT NULL,
    uri text COLLATE "C" NOT NULL,
    principals text NOT NULL,
    PRIMARY KEY (collection, place)
);

CREATE TABLE visits (
    collection integer NOT NULL REFERENCES collections (id),
    place bytea NOT NULL,
    uri text COLLATE "C" NOT NULL,
    found_by text NOT NULL,
    etag text NOT NULL,
    last_modified text NOT NULL,
    PRIMARY KEY (collection, place)
);

-- Texts that a process is encoding, until a time by the server's clock, or until its lock (collection, holder) is gone.
CREATE TABLE claims (
    collection integer NOT NULL REFERENCES collections (id),
    hash bytea NOT NULL,
    holder integer NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (collection, hash)
);
"""


def upgrade() -> None:
    """Create the tables."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
