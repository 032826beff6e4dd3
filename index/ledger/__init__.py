"""The ledger of a collection, in SQLite: the only source of truth about documents, versions, chunks, vectors and permissions.

Read in this order: schema.sql, note, schema, rows, snapshot; the views documents, chunks, permissions, selections; then
entries, ledger.
"""
