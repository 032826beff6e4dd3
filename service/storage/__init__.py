"""Conversations, feedback and keys in one database: SQLite by default, PostgreSQL by URL.

Read in this order: engines, tables, database, upgrade, versions/, conversations, conversation_list, feedback, retention, export.
"""
