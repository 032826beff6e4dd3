-- From layout 5 to 6: documents can be renamed.

CREATE TABLE titles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL,
    title TEXT
) STRICT;
CREATE INDEX titles_of_document ON titles (document_id);

UPDATE facts SET value = '6' WHERE name = 'schema';
