"""The tables from before the migrations. A database from then has them already, and keeps them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the three tables where they do not exist yet."""
    op.create_table(
        "conversation",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("collection", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "answer",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("conversation_id", sa.String, sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
        sa.Column("collection", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("question", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("answer_by_conversation", "answer", ["conversation_id", "position"], if_not_exists=True)
    op.create_table(
        "feedback",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("answer_id", sa.String, sa.ForeignKey("answer.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sentence", sa.Integer),
        sa.Column("rating", sa.String, nullable=False),
        sa.Column("comment", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_feedback_answer_id", "feedback", ["answer_id"], if_not_exists=True)
