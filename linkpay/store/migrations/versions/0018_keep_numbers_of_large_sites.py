"""Keep the numbers of large sites, counted in the background, so that no page waits for them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "kept_numbers",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_numbers")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_kept_numbers_site_id")),
        sa.UniqueConstraint("site_id", name=op.f("uq_kept_numbers_site_id")),
    )


def downgrade() -> None:
    op.drop_table("kept_numbers")
