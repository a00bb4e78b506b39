"""Let members renew their permission to collect, and move to another e-mail address."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_PERIOD = "ck_charge_period"
_KIND, _MOVES = "ck_visit_kind", "ck_visit_only_a_move_moves"


def upgrade() -> None:
    op.create_table(
        "renewal",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("subscription_id", _BIG, nullable=False),
        sa.Column("charge_id", _BIG, nullable=False),
        sa.Column("replaces_id", _BIG),
        sa.Column("for_all", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(12)),
        sa.Column("done_at", _INSTANT),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_renewal_{column}"))
            for column, table in (
                ("site_id", "site"), ("subscription_id", "subscription"), ("charge_id", "charge"),
                ("replaces_id", "mandate"),
            )
        ),
        sa.UniqueConstraint("charge_id", name=op.f("uq_renewal_charge_id")),
        sa.CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name=op.f("ck_renewal_done_has_outcome")),
        sa.CheckConstraint(
            "outcome IN ('moved', 'overtaken', 'never_valid')", name=op.f("ck_renewal_outcome")
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_renewal_subscription_id"), "renewal", ["subscription_id"])
    op.add_column("visit", sa.Column("moves_from", sa.String(254)))
    with op.batch_alter_table("charge") as batch:
        batch.drop_constraint(op.f(_PERIOD), type_="check")
    with op.batch_alter_table("visit") as batch:
        batch.drop_constraint(op.f(_KIND), type_="check")
        batch.create_check_constraint(op.f(_KIND), sa.text("kind IN ('link', 'session', 'move')"))
        batch.create_check_constraint(op.f(_MOVES), sa.text("(kind = 'move') = (moves_from IS NOT NULL)"))


def downgrade() -> None:
    with op.batch_alter_table("visit") as batch:
        batch.drop_constraint(op.f(_MOVES), type_="check")
        batch.drop_constraint(op.f(_KIND), type_="check")
        batch.create_check_constraint(op.f(_KIND), sa.text("kind IN ('link', 'session')"))
    with op.batch_alter_table("charge") as batch:
        batch.create_check_constraint(op.f(_PERIOD), sa.text("period >= -1"))
    op.drop_column("visit", "moves_from")
    op.drop_index(op.f("ix_renewal_subscription_id"), table_name="renewal")
    op.drop_table("renewal")
