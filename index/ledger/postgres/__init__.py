"""The ledgers of all collections in one PostgreSQL database: the tables of SQLite's ledger, each keyed by the collection.

Read in this order: versions/m0001_ledger, statements, schema; the views documents, chunks, permissions, selections, snapshot;
then entries, claims, ledger, ledgers.
"""
