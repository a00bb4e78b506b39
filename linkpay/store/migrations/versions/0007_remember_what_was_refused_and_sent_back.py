"""Remember what was refused and sent back: surplus on charges, refusals on mandates, when payments were decided."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_SURPLUS = "ck_charge_surplus"


def upgrade() -> None:
    op.add_column("charge", sa.Column("surplus_refunded_cents", _BIG, nullable=False, server_default="0"))
    op.add_column("mandate", sa.Column("unusable_at", _INSTANT))
    op.add_column("mandate", sa.Column("unusable_code", sa.String(60)))
    op.add_column("payment", sa.Column("decided_at", _INSTANT))
    # What is known of charges paid twice: the automatic refunds that Mollie holds.
    op.execute(
        "UPDATE charge SET surplus_refunded_cents = COALESCE((SELECT -SUM(l.amount_cents) FROM ledger AS l"
        " JOIN refund AS r ON r.mollie_id = l.ref AND r.site_id = l.site_id"
        " WHERE l.charge_id = charge.id AND r.reason = 'paid_twice'), 0)"
        " WHERE refunded_cents > 0 AND paid_cents > amount_cents"
    )
    with op.batch_alter_table("charge") as batch:
        batch.create_check_constraint(
            op.f(_SURPLUS), sa.text("surplus_refunded_cents BETWEEN 0 AND refunded_cents")
        )


def downgrade() -> None:
    with op.batch_alter_table("charge") as batch:
        batch.drop_constraint(op.f(_SURPLUS), type_="check")
    op.drop_column("payment", "decided_at")
    op.drop_column("mandate", "unusable_code")
    op.drop_column("mandate", "unusable_at")
    op.drop_column("charge", "surplus_refunded_cents")
