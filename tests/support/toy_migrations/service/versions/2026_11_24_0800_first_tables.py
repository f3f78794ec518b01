"""First tables."""

import sqlalchemy as sa
from alembic import op

from chassis.database import unit_policy

revision = "5f0c1d7a9b21"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "basket",
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basket")),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("basket_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["basket_id"], ["basket.id"], name=op.f("fk_item_basket_id_basket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint(
            "basket_id",
            "number",
            name=op.f("uq_item_basket_id_number"),
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_table(
        "effect",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_effect")),
    )
    for statement in unit_policy("basket", "unit_id"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("effect")
    op.drop_table("item")
    op.drop_table("basket")
