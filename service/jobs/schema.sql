-- The jobs of all collections, and the originals: the files that documents came from. Times are seconds since 1970.

CREATE TABLE jobs (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    collection TEXT NOT NULL,
    document_id TEXT NOT NULL,
    filename TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    title TEXT,
    metadata TEXT NOT NULL,
    principals TEXT NOT NULL,
    idempotency_key TEXT,
    stage TEXT NOT NULL DEFAULT 'waiting',
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    documents INTEGER NOT NULL DEFAULT 0,
    remark TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    cancelling INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL,
    worker TEXT,
    leased_until REAL,
    error TEXT,
    error_code TEXT,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL
) STRICT;
CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_unfinished ON jobs (collection, document_id, position) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_queued ON jobs (position) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (position) WHERE state = 'running';
CREATE INDEX jobs_of_bytes ON jobs (sha256) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- The file that the current version of an uploaded document came from.
CREATE TABLE originals (
    collection TEXT NOT NULL,
    document_id TEXT NOT NULL,
    filename TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    owner TEXT NOT NULL,
    stored_at REAL NOT NULL,
    PRIMARY KEY (collection, document_id)
) STRICT;
CREATE INDEX originals_by_bytes ON originals (sha256);
