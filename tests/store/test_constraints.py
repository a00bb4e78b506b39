"""The database itself says no: each rule has a test that tries to break it behind the code's back."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from linkpay.domain.charge import ChargeState
from linkpay.domain.ledger import EntryKind
from linkpay.domain.plan import PlanKind
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Attention, DriftFinding, DriftRun, Owner, Plan, SiteOwner
from linkpay.store.tables.money import Stroke
from linkpay.store.tables.people import Access
from tests import builders as make

K = EntryKind


def refused(database: Database, attempt: Callable[[Tx], object], rule: str) -> None:
    """Run `attempt`, which must be refused by the rule of this name (SQLite names columns instead)."""

    def run() -> None:
        with database.write() as tx:
            attempt(tx)

    with pytest.raises(IntegrityError) as refusal:
        run()
    told = str(refusal.value.orig)
    assert any(name in told for name in rule.split(" or ")), told


def twice(maker: Callable[[Tx], Callable[[], object]]) -> Callable[[Tx], object]:
    """An attempt that makes the same row two times; `maker` makes what they share."""

    def attempt(tx: Tx) -> None:
        make_one = maker(tx)
        make_one()
        make_one()

    return attempt


def test_one_charge_per_subscription_and_period(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        subscription = make.make_subscription(tx)
        return lambda: make.make_charge(tx, subscription, period_index=3)

    refused(database, twice(second), "uq_charge_subscription_id_period or charge.subscription_id")


@pytest.mark.parametrize("second", [None, PaymentStatus.OPEN, PaymentStatus.PENDING])
def test_one_open_payment_per_charge(database: Database, second: PaymentStatus | None) -> None:
    def attempt(tx: Tx) -> None:
        charge = make.make_charge(tx)
        make.make_payment(tx, charge, status=PaymentStatus.FAILED)
        make.make_payment(tx, charge)
        make.make_payment(tx, charge, status=second)

    refused(database, attempt, "uq_payment_open or payment.charge_id")


def test_one_ledger_entry_per_outside_reference(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        payment = make.make_payment(tx)
        return lambda: make.make_entry(tx, payment)

    refused(database, twice(second), "uq_ledger_site_id_ref or ledger.site_id, ledger.ref")


def test_two_sites_may_meet_the_same_outside_reference(database: Database) -> None:
    with database.write() as tx:
        for _ in range(2):
            make.make_entry(tx, make.make_payment(tx), ref="re_same")


def test_one_grant_per_member_and_offer(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        subscription = make.make_subscription(tx)
        return lambda: make.make_grant(tx, subscription)

    refused(database, twice(second), "uq_access_grant_member_id_offer_id or access_grant.member_id")


def test_one_sign_up_under_way_per_customer_and_offer(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        plan = make.make_plan(tx)
        customer = make.make_customer(tx, make.site_of(tx, plan))
        member = make.make_member(tx, make.site_of(tx, plan))
        return lambda: make.make_subscription(
            tx, plan, customer, member=member, state=SubscriptionState.PENDING
        )

    refused(database, twice(second), "uq_subscription_pending or subscription.customer_id")


def test_sign_ups_that_are_over_may_be_many(database: Database) -> None:
    with database.write() as tx:
        first = make.make_subscription(tx, state=SubscriptionState.ENDED)
        customer, member = make.people_of(tx, first)
        plan = tx.get_one(Plan, first.plan_id)
        for state in (SubscriptionState.ENDED, SubscriptionState.PENDING):
            make.make_subscription(tx, plan, customer, member=member, state=state)


@pytest.mark.parametrize("cents", [0, -1])
@pytest.mark.parametrize("row", ["plan", "subscription", "refund"])
def test_amounts_are_positive(database: Database, row: str, cents: int) -> None:
    makers: dict[str, Callable[[Tx], object]] = {
        "plan": lambda tx: make.make_plan(tx, amount_cents=cents),
        "subscription": lambda tx: make.make_subscription(tx, amount_cents=cents),
        "refund": lambda tx: make.make_refund(tx, make.make_payment(tx), amount_cents=cents),
    }
    refused(database, makers[row], f"ck_{row}_amount_positive")


@pytest.mark.parametrize("row", ["charge", "payment", "ledger", "refund"])
def test_currencies_are_equal_along_the_chain(database: Database, row: str) -> None:
    makers: dict[str, Callable[[Tx], object]] = {
        "charge": lambda tx: make.make_charge(tx, currency="USD"),
        "payment": lambda tx: make.make_payment(tx, currency="USD"),
        "ledger": lambda tx: make.make_entry(tx, make.make_payment(tx), currency="USD"),
        "refund": lambda tx: make.make_refund(tx, make.make_payment(tx), currency="USD"),
    }
    refused(database, makers[row], f"fk_{row} or FOREIGN KEY")


def test_a_currency_cannot_change_under_what_hangs_from_it(database: Database) -> None:
    def attempt(tx: Tx) -> None:
        subscription = make.make_subscription(tx)
        make.make_charge(tx, subscription)
        subscription.currency = "USD"

    refused(database, attempt, "fk_charge_subscription_id_currency or FOREIGN KEY")


def test_a_recurring_payment_names_its_mandate(database: Database) -> None:
    refused(database, lambda tx: make.make_payment(tx, mandate_id=None), "ck_payment_names_its_mandate")
    with database.write() as tx:
        make.make_payment(tx, sequence=Sequence.FIRST, mandate_id=None)


def test_a_payment_mollie_answered_has_its_id(database: Database) -> None:
    refused(
        database,
        lambda tx: make.make_payment(tx, mollie_id=None, stroke=Stroke.KNOWN),
        "ck_payment_known_has_id",
    )


def test_a_period_may_cost_nothing_and_a_card_be_proven_for_nothing(database: Database) -> None:
    with database.write() as tx:
        charge = make.make_charge(tx, amount_cents=0)
        make.make_payment(tx, charge, sequence=Sequence.FIRST)


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if not kind.startswith("outside")])
def test_the_sign_of_an_entry_fits_its_kind(database: Database, kind: EntryKind) -> None:
    brings = kind in (K.PAYMENT, K.REFUND_UNDONE, K.CHARGEBACK_UNDONE)
    wrong = -5000 if brings else 5000
    refused(
        database,
        lambda tx: make.make_entry(tx, make.make_payment(tx), kind=kind, amount_cents=wrong),
        "ck_ledger_sign_fits_kind",
    )
    refused(
        database,
        lambda tx: make.make_entry(tx, make.make_payment(tx), kind=kind, amount_cents=0),
        "ck_ledger",
    )
    with database.write() as tx:
        make.make_entry(tx, make.make_payment(tx), kind=kind)


@pytest.mark.parametrize("verb", ["UPDATE ledger SET amount_cents = amount_cents + 1", "DELETE FROM ledger"])
def test_the_ledger_is_append_only(database: Database, verb: str) -> None:
    with database.write() as tx:
        make.make_paid_charge(tx)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as tx:
        tx.execute(text(verb))
    with database.read() as tx:
        assert tx.scalar(text("SELECT sum(amount_cents) FROM ledger")) == 5000


def test_a_piece_of_work_is_owed_once(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        site = make.make_site(tx)
        return lambda: make.make_outbox(tx, site, ref="7:1", done_at=make.NOW)

    refused(database, twice(second), "uq_outbox_kind_ref or outbox.kind, outbox.ref")


def test_a_mail_step_is_mailed_once(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        subscription = make.make_subscription(tx)
        return lambda: make.make_mail(tx, subscription)

    refused(database, twice(second), "uq_mail_site_id_step or mail.site_id, mail.step")


def test_a_trouble_is_shown_once_while_it_is_open(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        site = make.make_site(tx)
        trouble: dict[str, Any] = {
            "site_id": site.id,
            "kind": "access",
            "subject": "grant:1",
            "detail": "",
            "created_at": make.NOW,
        }
        tx.add(Attention(**trouble, solved_at=make.NOW))

        def show() -> None:
            tx.add(Attention(**trouble))
            tx.flush()

        return show

    refused(database, twice(second), "uq_attention_open or attention.site_id")


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("uid", "uq_payment_uid or payment.uid"),
        ("idempotency_key", "uq_payment_idempotency_key or payment.idempotency_key"),
        ("mollie_id", "uq_payment_site_id_mollie_id or payment.mollie_id"),
    ],
)
def test_what_names_a_payment_names_one(database: Database, column: str, rule: str) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        subscription = make.make_subscription(tx)
        charges = iter([make.make_charge(tx, subscription, period_index=i) for i in range(2)])
        same: dict[str, Any] = {column: "tr_same"}
        return lambda: make.make_payment(tx, next(charges), **same)

    refused(database, twice(second), rule)


@pytest.mark.parametrize("reason", ["paid_twice"])
def test_one_refund_of_a_payment_per_reason(database: Database, reason: str) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        payment = make.make_payment(tx)
        return lambda: make.make_refund(tx, payment, reason=reason)

    refused(database, twice(second), "uq_refund_payment_id_reason or refund.payment_id")


def test_people_are_known_once_per_site(database: Database) -> None:
    def customers(tx: Tx) -> Callable[[], object]:
        site = make.make_site(tx)
        return lambda: make.make_customer(tx, site, email="anna@example.com")

    def members(tx: Tx) -> Callable[[], object]:
        site = make.make_site(tx)
        return lambda: make.make_member(tx, site, external_user_id="anna-1")

    refused(database, twice(customers), "uq_customer_site_id_email or customer.site_id, customer.email")
    refused(database, twice(members), "uq_member_site_id_external_user_id or member.external_user_id")


BAD_ROWS: dict[str, Callable[[Tx], object]] = {
    "ck_plan_periods_fit_kind": lambda tx: make.make_plan(tx, periods=3),
    "ck_plan_interval_count": lambda tx: make.make_plan(tx, interval_count=0),
    "ck_plan_currency": lambda tx: make.make_plan(tx, currency="EU"),
    "ck_plan_vat": lambda tx: make.make_plan(tx, vat_basis_points=10_001),
    "ck_site_mode": lambda tx: make.make_site(tx, mode="demo"),
    "ck_subscription_origin": lambda tx: make.make_subscription(tx, origin="fax"),
    "ck_charge_days": lambda tx: make.make_charge(
        tx, starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 1)
    ),
    "ck_charge_amount_not_negative": lambda tx: make.make_charge(tx, amount_cents=-1),
    "ck_payment_amount": lambda tx: make.make_payment(tx, make.make_charge(tx), amount_cents=0),
    "ck_ledger_payment_unless_outside": lambda tx: make.make_entry(
        tx, make.make_payment(tx), kind=EntryKind.OUTSIDE, amount_cents=5000
    ),
    "ck_charge_sums": lambda tx: make.make_charge(tx, paid_cents=-1),
    "ck_access_grant_wanted_is_known": lambda tx: make.make_grant(tx, wanted=Access.UNKNOWN),
    "ck_access_grant_applied_not_ahead": lambda tx: make.make_grant(tx, applied_version=2),
    "ck_inbox_source": lambda tx: make.make_inbox(tx, source="fax"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "attempt"), BAD_ROWS.items(), ids=BAD_ROWS)
def test_a_value_that_cannot_be_is_refused(
    database: Database, rule: str, attempt: Callable[[Tx], object]
) -> None:
    refused(database, attempt, rule)


@pytest.mark.parametrize("kind", [PlanKind.ONE_TIME, PlanKind.INSTALMENTS])
def test_a_plan_with_an_end_names_its_periods(database: Database, kind: PlanKind) -> None:
    refused(database, lambda tx: make.make_plan(tx, kind=kind, periods=None), "ck_plan_periods_fit_kind")
    refused(
        database,
        lambda tx: make.make_subscription(tx, kind=kind, periods=None),
        "ck_subscription_periods_fit_kind",
    )


@pytest.mark.parametrize(
    ("table", "column"),
    [("subscription", "state"), ("charge", "state"), ("payment", "status"), ("payment", "stroke")],
)
def test_a_state_nobody_knows_is_refused(database: Database, table: str, column: str) -> None:
    def attempt(tx: Tx) -> None:
        make.make_payment(tx)
        tx.execute(text(f"UPDATE {table} SET {column} = 'confused'"))  # noqa: S608 - names from above

    refused(database, attempt, f"ck_{table}_{column}")


def test_a_role_nobody_knows_is_refused(database: Database) -> None:
    def attempt(tx: Tx) -> None:
        site = make.make_site(tx)
        owner = Owner(email="owner@example.com", created_at=make.NOW)
        tx.add(owner)
        tx.flush()
        tx.add(SiteOwner(site_id=site.id, owner_id=owner.id, role="king", created_at=make.NOW))

    refused(database, attempt, "ck_site_owner_role")


def test_one_open_gift_per_member_and_offer(database: Database) -> None:
    def second(tx: Tx) -> Callable[[], object]:
        grant = make.make_grant(tx)
        return lambda: make.make_gift(tx, grant)

    refused(database, twice(second), "uq_gift_open or gift.member_id")
    with database.write() as tx:
        grant = make.make_grant(tx)
        make.make_gift(tx, grant, taken_back_at=make.NOW)
        make.make_gift(tx, grant)


def test_a_finding_is_of_a_known_kind_and_written_once(database: Database) -> None:
    def finding(tx: Tx, kind: str) -> Callable[[], object]:
        grant = make.make_grant(tx)
        run = DriftRun(site_id=grant.site_id, offer_id=grant.offer_id, created_at=make.NOW)
        tx.add(run)
        tx.flush()
        values = {"site_id": grant.site_id, "run_id": run.id, "grant_id": grant.id, "created_at": make.NOW}

        def write() -> None:
            tx.add(DriftFinding(kind=kind, **values))
            tx.flush()

        return write

    refused(database, lambda tx: finding(tx, "odd")(), "ck_drift_finding_kind")
    refused(database, twice(lambda tx: finding(tx, "extra")), "uq_drift_finding or drift_finding.run_id")


def test_nothing_hangs_in_the_air(database: Database) -> None:
    refused(database, lambda tx: make.make_charge(tx, site_id=987654), "fk_charge_site_id or FOREIGN KEY")
    refused(
        database, lambda tx: make.make_subscription(tx, member_id=987654), "fk_subscription or FOREIGN KEY"
    )


def test_what_has_money_cannot_be_removed(database: Database) -> None:
    def attempt(tx: Tx) -> None:
        charge = make.make_charge(tx, state=ChargeState.PAID)
        make.make_payment(tx, charge, status=PaymentStatus.PAID)
        tx.execute(text("DELETE FROM charge"))

    refused(database, attempt, "fk_payment_charge_id_currency or FOREIGN KEY")


def test_no_more_surplus_is_sent_back_than_was_sent_back_at_all(database: Database) -> None:
    def attempt(tx: Tx) -> None:
        make.make_charge(tx, refunded_cents=4000, surplus_refunded_cents=4001)

    refused(database, attempt, "surplus")
