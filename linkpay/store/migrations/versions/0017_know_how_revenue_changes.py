"""Keep by how much what a running membership brings changes, so that past revenue stays what it was."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "worth_change",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("subscription_id", _BIG, nullable=False),
        sa.Column("before_cents", _BIG, nullable=False),
        sa.Column("after_cents", _BIG, nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worth_change")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_worth_change_site_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_worth_change_subscription_id")
        ),
    )
    op.create_index(op.f("ix_worth_change_site_id"), "worth_change", ["site_id"])
    op.create_index(op.f("ix_worth_change_subscription_id"), "worth_change", ["subscription_id"])


def downgrade() -> None:
    op.drop_table("worth_change")
