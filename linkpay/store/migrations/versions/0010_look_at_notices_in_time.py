"""Find the pre-notifications that are due without asking every subscription, and keep what they tell."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("next_charge_on IS NOT NULL")


def upgrade() -> None:
    op.add_column("subscription", sa.Column("notice_look_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_subscription_notice", "subscription", ["notice_look_at", "id"],
        sqlite_where=_WAITING, postgresql_where=_WAITING,
    )  # fmt: skip
    op.add_column("notice", sa.Column("interval_unit", sa.String(8)))
    op.add_column("notice", sa.Column("interval_count", _NUMBER))
    with op.batch_alter_table("notice") as notice:
        notice.add_column(sa.Column("consent_id", _NUMBER))
        notice.create_foreign_key(op.f("fk_notice_consent_id"), "consent", ["consent_id"], ["id"])
    op.create_index("ix_notice_mail_id", "notice", ["mail_id"])


def downgrade() -> None:
    op.drop_index("ix_notice_mail_id", table_name="notice")
    with op.batch_alter_table("notice") as notice:
        notice.drop_constraint(op.f("fk_notice_consent_id"), type_="foreignkey")
        notice.drop_column("consent_id")
        notice.drop_column("interval_count")
        notice.drop_column("interval_unit")
    op.drop_index("ix_subscription_notice", table_name="subscription")
    op.drop_column("subscription", "notice_look_at")
