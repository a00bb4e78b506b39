"""Keep the links by which a customer can buy one plan by one click."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0013"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "upsell",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("customer_id", _BIG, nullable=False),
        sa.Column("plan_id", _BIG, nullable=False),
        sa.Column("subscription_id", _BIG),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upsell")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_upsell_{column}"))
            for column, table in (
                ("site_id", "site"), ("customer_id", "customer"), ("plan_id", "plan"),
                ("subscription_id", "subscription"),
            )
        ),
        sa.UniqueConstraint("hash", name=op.f("uq_upsell_hash")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_upsell_subscription_id")),
    )  # fmt: skip
    op.create_index(op.f("ix_upsell_customer_id"), "upsell", ["customer_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_upsell_customer_id"), table_name="upsell")
    op.drop_table("upsell")
