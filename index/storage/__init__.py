"""Disk access: SQLite connections, locks between processes, and files that are replaced atomically.

Read in this order: atomic, lock, sqlite.
"""
