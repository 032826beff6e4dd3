"""The database's schema, step by step (Alembic). `upgrading` runs the steps, `env` is how, `versions` holds them in order.

To change a table: change its class, add a file to versions/ whose `down_revision` is the newest there, and run
tests/test_migrations.py, which compares the schema that the steps make with the tables. A step that loses data is none.
"""
