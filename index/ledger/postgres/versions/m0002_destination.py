"""Where a collection is being moved to, with the identity that it gets there, as JSON; none if it stays."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE collections ADD COLUMN destination text")
