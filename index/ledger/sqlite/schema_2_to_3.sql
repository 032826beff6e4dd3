-- From layout 2 to 3: pages of the web.

CREATE TABLE visits (
    uri TEXT PRIMARY KEY,
    found_by TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE facts SET value = '3' WHERE name = 'schema';
