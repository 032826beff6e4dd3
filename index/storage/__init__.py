"""Disk and databases: SQLite and PostgreSQL connections, locks between processes, and files that are replaced atomically.

Read in this order: atomic, lock, sqlite, postgres, migrations.
"""
