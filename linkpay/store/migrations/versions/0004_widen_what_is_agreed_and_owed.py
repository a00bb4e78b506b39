"""Widen what is agreed, decided and owed: trials, fees, minimum terms, pauses, zero amounts, money from outside."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)

_Checks = dict[str, dict[str, str]]

_CHECKS: _Checks = {
    "plan": {
        "ck_plan_minimum_of_membership": "minimum_periods = 0 OR kind = 'membership'",
        "ck_plan_minimum_periods": "minimum_periods >= 0",
        "ck_plan_setup_fee": "setup_fee_cents >= 0",
        "ck_plan_trial": "trial_days BETWEEN 0 AND 366 AND trial_cents >= 0",
        "ck_plan_trial_costs_only_with_days": "trial_cents = 0 OR trial_days > 0",
    },
    "subscription": {
        "ck_subscription_bump_is_paid_within": "(origin = 'bump') = (paid_within_id IS NOT NULL)",
        "ck_subscription_currency": "length(currency) = 3",
        "ck_subscription_interval_count": "interval_count BETWEEN 1 AND 365",
        "ck_subscription_minimum_of_membership": "minimum_periods = 0 OR kind = 'membership'",
        "ck_subscription_minimum_periods": "minimum_periods >= 0",
        "ck_subscription_origin": "origin IN ('checkout', 'kajabi', 'import', 'upsell', 'bump')",
        "ck_subscription_resume_after_pause": "resume_on IS NULL OR pause_on IS NOT NULL",
        "ck_subscription_setup_fee": "setup_fee_cents >= 0",
        "ck_subscription_trial": "trial_days BETWEEN 0 AND 366 AND trial_cents >= 0",
        "ck_subscription_trial_costs_only_with_days": "trial_cents = 0 OR trial_days > 0",
        "ck_subscription_vat": "vat_basis_points BETWEEN 0 AND 10000",
    },
    "charge": {
        "ck_charge_amount_not_negative": "amount_cents >= 0",
        "ck_charge_period": "period >= -1",
        "ck_charge_vat": "vat_basis_points BETWEEN 0 AND 10000",
    },
    "payment": {"ck_payment_amount": "amount_cents > 0 OR (amount_cents = 0 AND sequence = 'first')"},
    "ledger": {
        "ck_ledger_kind": "kind IN ('payment', 'payment_undone', 'refund', 'refund_undone', 'chargeback', 'chargeback_undone', 'outside', 'outside_undone')",
        "ck_ledger_payment_unless_outside": "(payment_id IS NULL) = (kind IN ('outside', 'outside_undone'))",
        "ck_ledger_sign_fits_kind": "(amount_cents > 0) = (kind IN ('payment', 'refund_undone', 'chargeback_undone', 'outside'))",
    },
    "mail": {"ck_mail_has_a_reader": 'subscription_id IS NOT NULL OR "to" IS NOT NULL'},
}
_CHECKS_BEFORE: _Checks = {
    "plan": {},
    "subscription": {
        "ck_subscription_interval_count": "interval_count > 0",
        "ck_subscription_origin": "origin IN ('checkout', 'kajabi', 'import')",
    },
    "charge": {"ck_charge_amount_positive": "amount_cents > 0", "ck_charge_period": "period >= 0"},
    "payment": {"ck_payment_amount_positive": "amount_cents > 0"},
    "ledger": {
        "ck_ledger_kind": "kind IN ('payment', 'payment_undone', 'refund', 'refund_undone', 'chargeback', 'chargeback_undone')",
        "ck_ledger_sign_fits_kind": "(amount_cents > 0) = (kind IN ('payment', 'refund_undone', 'chargeback_undone'))",
    },
    "mail": {},
}


def _agreed() -> list[sa.Column[Any]]:
    return [
        sa.Column("term_cents", sa.JSON(), nullable=False, server_default="[]"),
        *(
            sa.Column(name, _BIG, nullable=False, server_default="0")
            for name in ("minimum_periods", "trial_days", "trial_cents", "setup_fee_cents")
        ),
    ]


def _added() -> dict[str, list[sa.Column[Any]]]:
    """Columns without foreign keys, by table."""
    return {
        "access_grant": [sa.Column("verified_at", _INSTANT)],
        "attention": [
            sa.Column("data", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("solved_by", sa.String(60)),
            sa.Column("solution", sa.String(60)),
        ],
        "charge": [
            sa.Column("lines", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("vat_basis_points", _BIG, nullable=False, server_default="2100"),
            sa.Column("grace_until", _INSTANT),
            sa.Column("dunning_stopped_at", _INSTANT),
        ],
        "consent": [sa.Column("data", sa.JSON(), nullable=False, server_default="{}")],
        "mail": [sa.Column("locale", sa.String(8))],
        "member": [
            sa.Column("blocked_at", _INSTANT),
            sa.Column("blocked_reason", sa.String(200)),
            sa.Column("moved_to_id", _BIG),
        ],
        "offer": [sa.Column("products", sa.JSON(), nullable=False, server_default="[]")],
        "plan": _agreed(),
        "site": [
            sa.Column("creditor_id", sa.String(35)),
            sa.Column("kajabi_site_id", sa.String(40)),
            sa.Column("kajabi_client_id", sa.String(200)),
            sa.Column("kajabi_client_secret_sealed", sa.String(1000)),
        ],
        "subscription": [
            *_agreed(),
            sa.Column("paid_within_id", _BIG),
            sa.Column("bound_until", sa.Date()),
            sa.Column("cancel_asked_at", _INSTANT),
            sa.Column("cancel_reason", sa.String(300)),
            sa.Column("canceled_by", sa.String(60)),
            sa.Column("access_ends_at", _INSTANT),
            sa.Column("pause_on", sa.Date()),
            sa.Column("resume_on", sa.Date()),
            sa.Column("pause_keeps_access", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("next_plan_id", _BIG),
            sa.Column("not_before_on", sa.Date()),
        ],
    }


_KEYS = (
    ("member", "moved_to_id", "member"),
    ("subscription", "paid_within_id", "charge"),
    ("subscription", "next_plan_id", "plan"),
)
_NULLABLE_NOW = (("ledger", "payment_id"), ("mail", "subscription_id"))


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.execute(
        "UPDATE charge SET vat_basis_points = (SELECT s.vat_basis_points FROM subscription AS s"
        " WHERE s.id = charge.subscription_id)"
    )
    _rebuild(_CHECKS, _CHECKS_BEFORE, nullable=True, keys=True)
    op.create_index(op.f("ix_subscription_paid_within_id"), "subscription", ["paid_within_id"])
    op.create_index(
        "ix_subscription_resume", "subscription", ["resume_on"],
        sqlite_where=sa.text("resume_on IS NOT NULL"), postgresql_where=sa.text("resume_on IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_subscription_resume", table_name="subscription")
    op.drop_index(op.f("ix_subscription_paid_within_id"), table_name="subscription")
    _rebuild(_CHECKS_BEFORE, _CHECKS, nullable=False, keys=False)
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _rebuild(checks: _Checks, before: _Checks, *, nullable: bool, keys: bool) -> None:
    """Change what SQLite can only change by building a table anew."""
    for table in sorted({*checks, "member"}):
        with op.batch_alter_table(table) as batch:
            for of, column in _NULLABLE_NOW:
                if of == table:
                    batch.alter_column(column, existing_type=_BIG, nullable=nullable)
            _change_keys(batch, table, wanted=keys)
            _change_checks(batch, checks.get(table, {}), before.get(table, {}))
    if op.get_bind().dialect.name == "sqlite":
        _guard_ledger()


def _change_keys(batch: BatchOperations, table: str, *, wanted: bool) -> None:
    for of, column, target in _KEYS:
        name = op.f(f"fk_{of}_{column}")
        if of == table and wanted:
            batch.create_foreign_key(name, target, [column], ["id"])
        elif of == table:
            batch.drop_constraint(name, type_="foreignkey")


def _change_checks(batch: BatchOperations, ours: dict[str, str], theirs: dict[str, str]) -> None:
    for name, rule in theirs.items():
        if ours.get(name) != rule:
            batch.drop_constraint(op.f(name), type_="check")
    for name, rule in ours.items():
        if theirs.get(name) != rule:
            batch.create_check_constraint(op.f(name), sa.text(rule))


def _guard_ledger() -> None:
    """The triggers went with the table that was built anew."""
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_refuses_{verb.lower()} BEFORE {verb} ON ledger "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )
