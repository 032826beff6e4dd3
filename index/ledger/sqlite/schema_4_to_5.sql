-- From layout 4 to 5: the structure of documents. Of those that are there, only the headings are known.

ALTER TABLE versions ADD COLUMN blocks BLOB NOT NULL DEFAULT x'';
UPDATE versions SET blocks = blocks_of_sections(text, sections);
ALTER TABLE versions DROP COLUMN sections;
ALTER TABLE versions ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN geometry BLOB;
ALTER TABLE versions ADD COLUMN reading INTEGER NOT NULL DEFAULT 1;
CREATE INDEX versions_by_reading ON versions (reading);
CREATE INDEX versions_with_warnings ON versions (document_id, version, warnings) WHERE warnings != '[]';

ALTER TABLE chunks ADD COLUMN rendered TEXT;
ALTER TABLE chunks ADD COLUMN units TEXT;

UPDATE facts SET value = '5' WHERE name = 'schema';
