"""First tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.database import unit_policy

revision = "08e97f55e0af"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE case_number")
    op.create_table(
        "case_file",
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column(
            "ended",
            sa.Enum(
                "granted",
                "refused",
                "withdrawn",
                "terminated",
                name="outcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prolonged", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("amber_on", sa.Date(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("number", name=op.f("uq_case_file_number")),
    )
    op.create_index(
        "ix_case_file_due",
        "case_file",
        ["due_on"],
        unique=False,
        postgresql_where="closed_on IS NULL",
    )
    op.create_index(op.f("ix_case_file_parent_id"), "case_file", ["parent_id"], unique=False)
    op.create_index(
        "ix_case_file_standing", "case_file", ["unit_id", "matter", "state"], unique=False
    )
    op.create_index(op.f("ix_case_file_subject_id"), "case_file", ["subject_id"], unique=False)
    op.create_table(
        "case_archive",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("archived_on", sa.Date(), nullable=False),
        sa.Column("retention", sa.String(), nullable=False),
        sa.Column("catalogue", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_case_archive_case_id_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_archive")),
        sa.UniqueConstraint("case_id", name=op.f("uq_case_archive_case_id")),
    )
    op.create_table(
        "case_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("fulfilled_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_case_correction_case_id_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_correction")),
        sa.UniqueConstraint("case_id", name=op.f("uq_case_correction_case_id")),
    )
    op.create_table(
        "case_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("due_delivery_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column(
            "delivered_how",
            sa.Enum(
                "in_person",
                "entrusted",
                "mail",
                "electronic",
                "left",
                "announced",
                name="deliverymethod",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("received_by", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_case_document_case_id_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_document")),
    )
    op.create_index(op.f("ix_case_document_case_id"), "case_document", ["case_id"], unique=False)
    op.create_table(
        "case_publicity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "opinion", "again", "result", name="publicitykind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "unchallenged",
                "objection",
                "retracted",
                name="publicityoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("last_day > posted_on", name=op.f("ck_case_publicity_at_least_a_day")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_case_publicity_case_id_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_publicity")),
    )
    op.create_index(op.f("ix_case_publicity_case_id"), "case_publicity", ["case_id"], unique=False)
    op.create_index(
        "ix_case_publicity_hanging",
        "case_publicity",
        ["unit_id"],
        unique=False,
        postgresql_where="closed_on IS NULL",
    )
    op.create_index(
        "uq_case_publicity_running",
        "case_publicity",
        ["case_id", "kind"],
        unique=True,
        postgresql_where="closed_on IS NULL",
    )
    op.create_table(
        "case_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("responsible", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column(
            "clock",
            sa.Enum(
                "none",
                "start",
                "suspend",
                "resume",
                "stop",
                name="clock",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("clock_reason", sa.String(), nullable=False),
        sa.Column("clock_until", sa.Date(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_case_step_case_id_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_step")),
        sa.UniqueConstraint("case_id", "position", name=op.f("uq_case_step_case_id_position")),
    )
    op.create_table(
        "case_objection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("publicity_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("objector", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column(
            "handled_by",
            sa.Enum("resurvey", "appraisal", name="objectionmethod", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("finding", sa.LargeBinary(), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_case_objection_case_id_case_file")
        ),
        sa.ForeignKeyConstraint(
            ["publicity_id"],
            ["case_publicity.id"],
            name=op.f("fk_case_objection_publicity_id_case_publicity"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_objection")),
    )
    op.create_index(op.f("ix_case_objection_case_id"), "case_objection", ["case_id"], unique=False)
    for table in (
        "case_file",
        "case_archive",
        "case_correction",
        "case_document",
        "case_publicity",
        "case_step",
        "case_objection",
    ):
        for statement in unit_policy(table, "unit_id"):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_case_objection_case_id"), table_name="case_objection")
    op.drop_table("case_objection")
    op.drop_table("case_step")
    op.drop_index(
        "uq_case_publicity_running",
        table_name="case_publicity",
        postgresql_where="closed_on IS NULL",
    )
    op.drop_index(
        "ix_case_publicity_hanging",
        table_name="case_publicity",
        postgresql_where="closed_on IS NULL",
    )
    op.drop_index(op.f("ix_case_publicity_case_id"), table_name="case_publicity")
    op.drop_table("case_publicity")
    op.drop_index(op.f("ix_case_document_case_id"), table_name="case_document")
    op.drop_table("case_document")
    op.drop_table("case_correction")
    op.drop_table("case_archive")
    op.drop_index(op.f("ix_case_file_subject_id"), table_name="case_file")
    op.drop_index("ix_case_file_standing", table_name="case_file")
    op.drop_index(op.f("ix_case_file_parent_id"), table_name="case_file")
    op.drop_index("ix_case_file_due", table_name="case_file", postgresql_where="closed_on IS NULL")
    op.drop_table("case_file")
    op.execute("DROP SEQUENCE case_number")
