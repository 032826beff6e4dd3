"""The tables of schema.sql, and those of the uploaded files, which are there too, or in an object store. Times: since 1970."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE jobs (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    owner text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    filename text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    title text,
    metadata text NOT NULL,
    principals text NOT NULL,
    idempotency_key text COLLATE "C",
    stage text NOT NULL DEFAULT 'waiting',
    done integer NOT NULL DEFAULT 0,
    total integer NOT NULL DEFAULT 0,
    documents integer NOT NULL DEFAULT 0,
    remark text,
    attempts integer NOT NULL DEFAULT 0,
    losses integer NOT NULL DEFAULT 0,
    cancelling integer NOT NULL DEFAULT 0,
    not_before double precision NOT NULL,
    worker text,
    leased_until double precision,
    error text,
    error_code text,
    created_at double precision NOT NULL,
    started_at double precision,
    finished_at double precision
);
CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_of_owner ON jobs (owner, position);
CREATE INDEX jobs_unfinished ON jobs (collection, document_id, position) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_queued ON jobs (position) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (position) WHERE state = 'running';
CREATE INDEX jobs_of_bytes ON jobs (sha256) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE originals (
    collection text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    filename text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    owner text COLLATE "C" NOT NULL,
    stored_at double precision NOT NULL,
    PRIMARY KEY (collection, document_id)
);
CREATE INDEX originals_by_bytes ON originals (sha256);

-- The uploaded files by their content: an object of that name, or the parts below.
CREATE TABLE files (
    sha256 text COLLATE "C" PRIMARY KEY,
    object text COLLATE "C"
);
CREATE TABLE file_parts (
    sha256 text COLLATE "C" NOT NULL REFERENCES files (sha256) ON DELETE CASCADE,
    number integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (sha256, number)
);
ALTER TABLE file_parts ALTER bytes SET STORAGE EXTERNAL;

-- Objects that no file has: those being uploaded, to be deleted if they still are here then, and those to be deleted now.
CREATE TABLE loose_objects (
    name text COLLATE "C" PRIMARY KEY,
    due_at double precision NOT NULL
);
CREATE INDEX loose_objects_due ON loose_objects (due_at);
"""


def upgrade() -> None:
    """Create the tables."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
