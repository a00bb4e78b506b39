"""Find the pre-notifications that are due without asking every subscription, and keep a series' rhythm."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WAITING = sa.text("next_charge_on IS NOT NULL")


def upgrade() -> None:
    op.add_column("subscription", sa.Column("notice_look_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_subscription_notice", "subscription", ["notice_look_at", "id"],
        sqlite_where=_WAITING, postgresql_where=_WAITING,
    )  # fmt: skip
    op.add_column("notice", sa.Column("interval_unit", sa.String(8)))
    op.add_column("notice", sa.Column("interval_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
    op.create_index("ix_notice_mail_id", "notice", ["mail_id"])


def downgrade() -> None:
    op.drop_index("ix_notice_mail_id", table_name="notice")
    op.drop_column("notice", "interval_count")
    op.drop_column("notice", "interval_unit")
    op.drop_index("ix_subscription_notice", table_name="subscription")
    op.drop_column("subscription", "notice_look_at")
