"""What is noted with a collection and can be found again: what is in files beside the ledger where that is a file."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE notes (
            collection integer NOT NULL REFERENCES collections (id),
            name text COLLATE "C" NOT NULL,
            text text NOT NULL,
            PRIMARY KEY (collection, name)
        )
        """
    )
