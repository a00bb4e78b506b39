"""Stories of the checkout: trials, what is taken off, and what is added."""

from contextlib import suppress
from typing import Any

from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict
from linkpay.store import agreements, sites
from linkpay.store.tables import Bump, Coupon, Mandate, Offer, Plan, Refund
from tests.flows.shop import BOX
from tests.flows.stage import Stage
from tests.flows.story import Story

ANNA = "anna@example.com"
_TRIAL = {"amount_cents": 5000, "trial_days": 14}
_PLANS: dict[str, dict[str, Any]] = {
    "trial": _TRIAL,
    "trial-refunded": _TRIAL | {"policy": {"trial_check": "refund"}},
    "paid-trial": _TRIAL | {"trial_cents": 500, "setup_fee_cents": 2500, "minimum_periods": 3},
    "uneven": {
        "kind": PlanKind.INSTALMENTS, "amount_cents": 5000, "periods": 3, "term_cents": [10001, 7500, 5000],
    },
    "uneven-trial": {
        "kind": PlanKind.INSTALMENTS, "amount_cents": 5000, "periods": 3, "term_cents": [10001, 7500, 5000],
        "trial_days": 7,
    },
}  # fmt: skip
_COUPONS: dict[str, dict[str, Any]] = {
    "TEN": {"kind": "percent", "value": 1000, "duration": "once"},
    "TWICE": {"kind": "amount", "value": 1500, "duration": "periods", "periods": 2},
    "GIFT": {"kind": "percent", "value": 10_000, "duration": "once"},
    "ALWAYS": {"kind": "percent", "value": 10_000, "duration": "forever"},
    "LAST": {"kind": "percent", "value": 1000, "duration": "once", "max_uses": 1},
}


def open_counter(stage: Stage) -> None:
    """The shop with trials, uneven terms, coupons, and a workbook to add to any purchase."""
    now, site_id = stage.clock.now(), stage.shop.site_id
    made = stage.sandbox.call(
        "POST", "/_sandbox/kajabi/offers",
        {"site_id": stage.shop.kajabi_site, "title": "Workbook", "products": ["Workbook"]},
    )  # fmt: skip
    with stage.database.write() as tx:
        for slug, values in _PLANS.items():
            row = {"kind": PlanKind.MEMBERSHIP, "interval_unit": Unit.MONTH} | values
            tx.add(
                Plan(
                    site_id=site_id, offer_id=stage.shop.offer_id, slug=slug, title=slug, created_at=now,
                    position=9, **row,
                )
            )  # fmt: skip
        for code, values in _COUPONS.items():
            tx.add(Coupon(site_id=site_id, code=code, created_at=now, plan_slugs=[], **values))
        workbook = Offer(
            site_id=site_id, slug="workbook", title="Workbook", created_at=now, kajabi_offer_id=made["id"],
            activation_url_sealed=BOX.seal(site_id, "activation_url", made["activation_url"]),
            deactivation_url_sealed=BOX.seal(site_id, "deactivation_url", made["deactivation_url"]),
        )  # fmt: skip
        tx.add(workbook)
        tx.flush()
        plan = Plan(
            site_id=site_id, offer_id=workbook.id, slug="workbook", title="Workbook", created_at=now,
            kind=PlanKind.ONE_TIME, periods=1, amount_cents=2700, vat_basis_points=900,
        )  # fmt: skip
        tx.add(plan)
        tx.flush()
        tx.add(
            Bump(
                site_id=site_id,
                offer_id=stage.shop.offer_id,
                plan_id=plan.id,
                title="With it",
                created_at=now,
            )
        )


def has_workbook(stage: Stage, email: str = ANNA) -> bool:
    """Whether Kajabi lets her into the workbook."""
    members = stage.sandbox.call("GET", f"/_sandbox/kajabi/members?email={email}")
    offers = [offer for member in members for offer in member["offers"]]
    return any(offer["title"] == "Workbook" and offer["state"] == "granted" for offer in offers)


def credit(stage: Stage) -> int:
    """What Anna has in hand, in cents."""
    with stage.database.read() as tx:
        return agreements.credit_cents(tx, stage.subscription(ANNA).id)


def asked(stage: Stage) -> list[int]:
    """What each charge of Anna's newest subscription asks."""
    return [charge.amount_cents for charge in stage.charges(ANNA)]


def try_by_card(stage: Stage) -> None:
    stage.buy(ANNA, "trial", method="creditcard")


def tries_by_card(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.TRIALING
    assert (asked(stage), stage.kept_cents()) == ([0], 0)
    assert stage.has_access(ANNA)
    assert stage.mail_kinds().count("welcome") == 1
    with stage.database.read() as tx:
        assert [mandate.method for mandate in tx.query(Mandate)] == ["creditcard"]


def try_by_bank_and_wait(stage: Stage) -> None:
    """Until the evening before the first month."""
    open_counter(stage)
    stage.buy(ANNA, "trial", method="ideal")
    assert credit(stage) == 1
    stage.advance(days=13, hours=12)


def end_trial(stage: Stage) -> None:
    stage.advance(hours=3)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "paid")
    stage.work()


def pays_after_trial(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert (asked(stage), credit(stage)) == ([1, 4999], 0)
    assert stage.kept_cents() == 5000
    assert stage.has_access(ANNA)


def try_and_get_the_cent_back(stage: Stage) -> None:
    stage.buy(ANNA, "trial-refunded", method="bancontact")
    stage.advance(days=1)


def tries_for_nothing(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.TRIALING
    assert (asked(stage), stage.kept_cents(), credit(stage)) == ([2], 0, 0)
    assert stage.has_access(ANNA)
    assert "paid_twice" not in stage.mail_kinds()
    with stage.database.read() as tx:
        assert [(refund.reason, refund.amount_cents) for refund in tx.query(Refund)] == [("check", 2)]


def buy_with_all(stage: Stage) -> None:
    stage.buy(ANNA, coupon="ten", bumps=("workbook",))


def has_all(stage: Stage) -> None:
    assert asked(stage) == [4500 + 2700]
    assert stage.kept_cents() == 4500 + 2700
    assert stage.has_access(ANNA)
    assert has_workbook(stage)
    assert stage.mail_kinds().count("access_open") == 2
    with stage.database.read() as tx:
        coupon = sites.coupon(tx, stage.shop.site_id, "TEN")
        assert coupon is not None
        # Nothing that is only held counts here: what was paid with does.
        assert agreements.uses(tx, coupon.id, held_since=stage.clock.now()) == 1


def choose_a_bump_and_buy_it_elsewhere(stage: Stage) -> None:
    """One tab with the workbook added, another with the workbook alone; both taken to the bank."""
    open_counter(stage)
    for plan, bumps in (("monthly", ("workbook",)), ("workbook", ())):
        stage.go_pay(stage.begin(ANNA, plan, bumps=bumps))


def pay_both(stage: Stage) -> None:
    for payment_id in stage.open_at_mollie():
        stage.bank(payment_id, "paid")
        stage.work()
    stage.advance(hours=1)


def paid_for_it_once(stage: Stage) -> None:
    assert stage.kept_cents() == 5000 + 2700
    assert stage.has_access(ANNA)
    assert has_workbook(stage)
    assert stage.mail_kinds().count("paid_twice") == 1


def take_a_gift(stage: Stage) -> None:
    """Pressed again after the page died, it is hers already."""
    with suppress(Conflict):
        stage.insist(lambda: stage.begin(ANNA, "once", coupon="GIFT"))
    stage.work()


def has_it_for_nothing(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.COMPLETED
    assert (asked(stage), stage.bank_view_list()) == ([0], [])
    assert stage.has_access(ANNA)


STORIES = {
    "a free trial by card": Story(open_counter, try_by_card, tries_by_card),
    "a free trial by a bank becomes a membership": Story(try_by_bank_and_wait, end_trial, pays_after_trial),
    "a free trial whose cents go back": Story(open_counter, try_and_get_the_cent_back, tries_for_nothing),
    "a coupon and a bump in one purchase": Story(open_counter, buy_with_all, has_all),
    "a bump that is bought elsewhere too": Story(
        choose_a_bump_and_buy_it_elsewhere, pay_both, paid_for_it_once
    ),
    "a course for nothing": Story(open_counter, take_a_gift, has_it_for_nothing),
}
