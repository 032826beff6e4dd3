"""The migrations of the ledgers' tables, oldest first. Apart from those of conversations and keys, which share the database."""
