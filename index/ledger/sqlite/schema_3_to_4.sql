-- From layout 3 to 4: who may read what comes into a folder.

CREATE TABLE roots (
    uri TEXT PRIMARY KEY,
    principals TEXT NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE facts SET value = '4' WHERE name = 'schema';
