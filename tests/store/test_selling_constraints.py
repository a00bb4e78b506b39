"""The database itself says no: to plans, coupons, extras and uses of them that cannot be."""

from collections.abc import Callable
from typing import Any

import pytest

from linkpay.domain.plan import PlanKind
from linkpay.domain.snapshots import Sequence
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Bump, Coupon, Redemption
from tests import builders as make
from tests.store.test_constraints import refused


def coupon(tx: Tx, **values: Any) -> Coupon:
    defaults = {"code": "TEN", "kind": "percent", "value": 1000, "duration": "once", "created_at": make.NOW}
    if "site_id" not in values:
        values["site_id"] = make.make_site(tx).id
    made = Coupon(plan_slugs=[], **defaults | values)
    tx.add(made)
    tx.flush()
    return made


def same_code_twice(tx: Tx) -> None:
    first = coupon(tx)
    coupon(tx, site_id=first.site_id)


def used_twice_by_one_sign_up(tx: Tx) -> None:
    subscription = make.make_subscription(tx)
    code = coupon(tx, site_id=subscription.site_id)
    for _ in range(2):
        tx.add(
            Redemption(
                site_id=code.site_id, coupon_id=code.id, subscription_id=subscription.id, kind=code.kind,
                value=code.value, duration=code.duration, created_at=make.NOW,
            )
        )  # fmt: skip
    tx.flush()


def offered_twice(tx: Tx) -> None:
    plan = make.make_plan(tx, kind=PlanKind.ONE_TIME)
    for _ in range(2):
        tx.add(
            Bump(
                site_id=plan.site_id,
                offer_id=plan.offer_id,
                plan_id=plan.id,
                title="More",
                created_at=make.NOW,
            )
        )
    tx.flush()


def extra_paid_within_nothing(tx: Tx) -> None:
    make.make_subscription(tx, origin="bump")


def order_paid_within_another(tx: Tx) -> None:
    charge = make.make_charge(tx)
    make.make_subscription(tx, origin="checkout", paid_within_id=charge.id)


def proof_by_debit(tx: Tx) -> None:
    charge = make.make_charge(tx, amount_cents=0)
    make.make_payment(tx, charge, sequence=Sequence.RECURRING, amount_cents=0)


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        (lambda tx: coupon(tx, kind="gift"), "ck_coupon_kind"),
        (lambda tx: coupon(tx, value=0), "ck_coupon_value"),
        (lambda tx: coupon(tx, value=10_001), "ck_coupon_value"),
        (lambda tx: coupon(tx, duration="twice"), "ck_coupon_duration"),
        (lambda tx: coupon(tx, duration="periods"), "ck_coupon_periods"),
        (lambda tx: coupon(tx, periods=2), "ck_coupon_periods"),
        (lambda tx: coupon(tx, duration="periods", periods=0), "ck_coupon_periods"),
        (lambda tx: coupon(tx, max_uses=0), "ck_coupon_max_uses"),
        (same_code_twice, "uq_coupon_site_id_code or coupon.site_id"),
        (used_twice_by_one_sign_up, "uq_redemption_subscription_id or redemption.subscription_id"),
        (offered_twice, "uq_bump_offer_id_plan_id or bump.offer_id"),
        (extra_paid_within_nothing, "ck_subscription_bump_is_paid_within"),
        (order_paid_within_another, "ck_subscription_bump_is_paid_within"),
        (proof_by_debit, "ck_payment_amount"),
        (lambda tx: make.make_charge(tx, amount_cents=-1), "ck_charge_amount_not_negative"),
        (lambda tx: make.make_plan(tx, trial_days=367), "ck_plan_trial"),
        (lambda tx: make.make_plan(tx, trial_cents=500), "ck_plan_trial_costs_only_with_days"),
        (lambda tx: make.make_plan(tx, setup_fee_cents=-1), "ck_plan_setup_fee"),
        (lambda tx: make.make_plan(tx, minimum_periods=-1), "ck_plan_minimum_periods"),
        (
            lambda tx: make.make_plan(tx, kind=PlanKind.INSTALMENTS, minimum_periods=3),
            "ck_plan_minimum_of_membership",
        ),
    ],
)
def test_what_cannot_be_is_refused(database: Database, attempt: Callable[[Tx], None], rule: str) -> None:
    refused(database, attempt, rule)


def test_a_card_is_proven_by_a_first_payment_of_nothing(database: Database) -> None:
    with database.write() as tx:
        waiting = make.make_subscription(tx, state=SubscriptionState.PENDING)
        charge = make.make_charge(tx, waiting, amount_cents=0)
        assert make.make_payment(tx, charge, sequence=Sequence.FIRST, amount_cents=0).id
