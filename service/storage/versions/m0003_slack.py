"""The tables of Slack: questions, threads, posted messages, channels' settings, people, presses of buttons."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "slack_question",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in (
                "team", "channel", "channel_type", "thread", "message", "asker", "text", "door", "response_url",
                "revision", "wanted", "state", "worker",
            )
        ),
        sa.Column("due_at", sa.DateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answer_id", sa.String, nullable=True),
        sa.Column("asked_at", sa.DateTime, nullable=False),
    )  # fmt: skip
    op.create_index("slack_question_due", "slack_question", ["state", "due_at"])
    op.create_index("slack_question_thread", "slack_question", ["channel", "thread", "position"])
    op.create_index("slack_question_answer", "slack_question", ["answer_id"])
    op.create_table(
        "slack_thread",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("thread", sa.String, primary_key=True),
        sa.Column("conversation_id", sa.String, nullable=False),
    )
    op.create_table(
        "slack_posted",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("message", sa.String, primary_key=True),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
    )
    op.create_index("ix_slack_posted_key", "slack_posted", ["key"])
    op.create_table(
        "slack_channel",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("collection", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("every_message", sa.Boolean, nullable=False),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("language", sa.String, nullable=False),
    )
    op.create_table(
        "slack_person",
        sa.Column("user", sa.String, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("email", "standing", "name")),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "slack_done",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("done_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_slack_done_done_at", "slack_done", ["done_at"])
