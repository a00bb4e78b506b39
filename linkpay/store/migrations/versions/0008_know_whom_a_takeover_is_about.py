"""Know whom a take-over is about: who pays, who is let in, by which plan, and how much is to come."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEYS = ("customer", "member", "plan")


def upgrade() -> None:
    with op.batch_alter_table("takeover") as batch:
        for target in _KEYS:
            batch.add_column(sa.Column(f"{target}_id", _BIG))
            batch.create_foreign_key(op.f(f"fk_takeover_{target}_id"), target, [f"{target}_id"], ["id"])
        batch.add_column(sa.Column("remaining", _BIG))
        batch.create_index(op.f("ix_takeover_customer_id"), ["customer_id"])


def downgrade() -> None:
    with op.batch_alter_table("takeover") as batch:
        batch.drop_index(op.f("ix_takeover_customer_id"))
        batch.drop_column("remaining")
        for target in _KEYS:
            batch.drop_constraint(op.f(f"fk_takeover_{target}_id"), type_="foreignkey")
            batch.drop_column(f"{target}_id")
