"""Conversations, feedback and keys in one database: SQLite by default, PostgreSQL by URL.

Read in this order: engines, database, versions/ (env is what Alembic runs), conversations, conversation_list, feedback,
retention, export; and lease_queue, which jobs and Slack share.
"""
