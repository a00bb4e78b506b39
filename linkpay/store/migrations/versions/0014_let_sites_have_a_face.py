"""Let sites have a colour, a logo, pages to be put into and terms to keep things for, and plans business buyers."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "logo",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("media_type", sa.String(20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logo")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_logo_site_id")),
        sa.UniqueConstraint("site_id", name=op.f("uq_logo_site_id")),
        sa.CheckConstraint(
            "media_type IN ('image/png', 'image/jpeg', 'image/webp')", name=op.f("ck_logo_media_type")
        ),
    )
    op.add_column("site", sa.Column("accent", sa.String(7)))
    op.add_column("site", sa.Column("logo_digest", sa.String(16)))
    op.add_column("site", sa.Column("embed_parents", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("site", sa.Column("methods", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("site", sa.Column("keep_messages_days", _BIG, nullable=False, server_default="365"))
    op.add_column("site", sa.Column("keep_mails_days", _BIG, nullable=False, server_default="730"))
    with op.batch_alter_table("site") as batch:
        for column in ("embed_parents", "methods", "keep_messages_days", "keep_mails_days"):
            batch.alter_column(column, server_default=None)
        batch.create_check_constraint(
            op.f("ck_site_keeps_long_enough"), sa.text("keep_messages_days >= 30 AND keep_mails_days >= 400")
        )
    op.add_column("plan", sa.Column("for_business", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("plan") as batch:
        batch.alter_column("for_business", server_default=None)
    op.add_column("subscription", sa.Column("company", sa.String(200)))
    op.add_column("subscription", sa.Column("vat_number", sa.String(20)))
    op.create_index(
        "ix_event_by_people", "event", ["site_id", "id"],
        sqlite_where=sa.text("substr(actor, 1, 5) = 'owner'"),
        postgresql_where=sa.text("substr(actor, 1, 5) = 'owner'"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_event_by_people", table_name="event")
    op.drop_column("subscription", "vat_number")
    op.drop_column("subscription", "company")
    op.drop_column("plan", "for_business")
    with op.batch_alter_table("site") as batch:
        batch.drop_constraint(op.f("ck_site_keeps_long_enough"), type_="check")
        for column in (
            "keep_mails_days", "keep_messages_days", "methods", "embed_parents", "logo_digest", "accent"
        ):  # fmt: skip
            batch.drop_column(column)
    op.drop_table("logo")
