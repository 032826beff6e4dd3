"""Owners of conversations, answers and feedback; a conversation's title and last use; an answer's request."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns. Existing rows get no owner, and conversations are titled by their first question."""
    for table in ("conversation", "answer", "feedback"):
        op.add_column(table, sa.Column("owner", sa.String, nullable=False, server_default=""))
    op.add_column("conversation", sa.Column("title", sa.String, nullable=False, server_default=""))
    op.add_column("conversation", sa.Column("updated_at", sa.DateTime, nullable=True))
    op.add_column("answer", sa.Column("request", sa.String, nullable=False, server_default="null"))
    op.add_column("feedback", sa.Column("label", sa.String, nullable=False, server_default=""))
    op.execute(
        "UPDATE conversation SET updated_at = coalesce("
        "(SELECT max(answer.created_at) FROM answer WHERE answer.conversation_id = conversation.id), created_at), "
        "title = coalesce((SELECT substr(answer.question, 1, 120) FROM answer "
        "WHERE answer.conversation_id = conversation.id ORDER BY answer.position LIMIT 1), '')"
    )
    op.create_index("conversation_by_owner", "conversation", ["owner", "updated_at", "id"])
    op.create_index("feedback_by_owner", "feedback", ["owner", "position"])
