-- From layout 1 to 2: who may read a document, and when it was modified.

ALTER TABLE documents ADD COLUMN modified_ns INTEGER NOT NULL DEFAULT 0;
UPDATE documents SET modified_ns = coalesce(source_modified_ns, CAST(indexed_at * 1000000000 AS INTEGER));
CREATE INDEX documents_by_time ON documents (modified_ns);

CREATE TABLE permissions (
    document_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    PRIMARY KEY (document_id, principal)
) STRICT, WITHOUT ROWID;
CREATE INDEX permissions_of_principal ON permissions (principal);

UPDATE facts SET value = '2' WHERE name = 'schema';
