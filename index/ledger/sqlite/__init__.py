"""Ledgers in SQLite: one file for each collection.

Read in this order: schema.sql, note, schema, snapshot; the views documents, chunks, permissions, selections; then entries,
ledger, ledgers.
"""
