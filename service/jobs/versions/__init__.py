"""The migrations of the jobs' tables in PostgreSQL, oldest first. Apart from those of others that share the database."""
