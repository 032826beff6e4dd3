"""What Alembic runs for each command: the migrations, on the connection and in the transaction that migrations.py gives."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
context.run_migrations()
