"""What stands on the disk: SQLite connections, locks between processes, and files replaced atomically.

Read in this order: atomic, lock, sqlite.
"""
