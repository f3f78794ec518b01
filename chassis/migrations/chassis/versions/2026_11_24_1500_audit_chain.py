"""audit chain."""

import sqlalchemy as sa
from alembic import op

revision = "b1c5e0a7d294"
down_revision = "7421e666f40d"
branch_labels = None
depends_on = None

# The app role may not read entries. Those that wait to be sealed it reads through this alone.
WAITING = """
CREATE FUNCTION audit_waiting(after bigint, most integer) RETURNS SETOF audit_entry
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = chassis, pg_temp
AS $$
  SELECT entry.* FROM audit_entry AS entry
  WHERE entry.seq > after
    AND NOT EXISTS (SELECT FROM audit_link AS link WHERE link.seq = entry.seq)
  ORDER BY entry.seq LIMIT most
$$
"""


def upgrade() -> None:
    op.create_table(
        "audit_link",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_link_seq")),
    )
    op.create_table(
        "audit_chain",
        sa.Column("anchored_position", sa.BigInteger(), nullable=False),
        sa.Column("anchored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    op.create_table(
        "audit_anchor",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service", "position", "mac", name=op.f("pk_audit_anchor")),
    )
    op.execute(WAITING)
    op.execute("REVOKE ALL ON FUNCTION audit_waiting(bigint, integer) FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION audit_waiting(bigint, integer)")
    op.drop_table("audit_anchor")
    op.drop_table("audit_chain")
    op.drop_table("audit_link")
