"""Which document versions an answer cites, and whether it is a refusal: columns and rows to search by."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BATCH = 500


def upgrade() -> None:
    """Add the column and the table, and fill them from the answers that are stored. A broken answer gets no rows."""
    op.add_column("answer", sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("answer_refused", "answer", ["refused", "position"])
    cited = op.create_table(
        "answer_citation",
        sa.Column("answer_id", sa.String, sa.ForeignKey("answer.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("document_id", sa.String, primary_key=True),
        sa.Column("version", sa.String, primary_key=True),
    )
    op.create_index("answer_citation_document", "answer_citation", ["document_id", "version"])
    connection = op.get_bind()
    answer = sa.table(
        "answer", sa.column("position"), sa.column("id"), sa.column("body"), sa.column("refused", sa.Boolean)
    )
    last = 0
    while True:
        query = sa.select(answer.c.position, answer.c.id, answer.c.body).where(answer.c.position > last)
        rows = connection.execute(query.order_by(answer.c.position).limit(_BATCH)).all()
        if not rows:
            return
        last = rows[-1].position
        bodies = {row.id: _body(row.body) for row in rows}
        refused = [id for id, body in bodies.items() if body.get("refused") is True]
        if refused:
            connection.execute(answer.update().where(answer.c.id.in_(refused)).values(refused=True))
        places = {
            (id, str(citation["document_id"]), str(citation["version"]))
            for id, body in bodies.items()
            for citation in body.get("citations", ())
            if isinstance(citation, dict) and {"document_id", "version"} <= citation.keys()
        }
        if places:
            names = ("answer_id", "document_id", "version")
            connection.execute(cited.insert(), [dict(zip(names, place, strict=True)) for place in sorted(places)])


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) and isinstance(body.get("citations", ()), list | tuple) else {}
