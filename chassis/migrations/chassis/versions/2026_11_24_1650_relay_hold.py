"""relay hold."""

import sqlalchemy as sa
from alembic import op

revision = "c7d0f3a92e61"
down_revision = "b1c5e0a7d294"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relay_hold",
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_relay_hold")),
    )


def downgrade() -> None:
    op.drop_table("relay_hold")
