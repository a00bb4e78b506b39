"""What is sold: trials, fees, terms, coupons and bumps, from the choice to the money."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.coupon import Refusal
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import checkout
from linkpay.store.tables import Charge, Coupon, Mail, Plan, Redemption, Site, Subscription
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.stories_selling import ANNA, asked, credit, has_workbook, open_counter

BEA = "bea@example.com"


@pytest.fixture
def counter(stage: Stage) -> Stage:
    """A shop that sells everything there is."""
    open_counter(stage)
    return stage


def pay_debits(stage: Stage, times: int) -> None:
    """Let months pass, with every debit paid."""
    for _ in range(times):
        for charge in stage.charges(ANNA):
            if charge.state is ChargeState.COLLECTING:
                stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
        stage.advance(days=31)


def plan_of(stage: Stage, slug: str, **values: Any) -> None:
    """Change a plan as its owner would."""
    with stage.database.write() as tx:
        plan = tx.query(Plan).filter_by(slug=slug).one()
        for name, value in values.items():
            setattr(plan, name, value)


def test_a_paid_trial_with_a_fee_sells_a_minimum_term_behind_the_trial(counter: Stage) -> None:
    counter.buy(ANNA, "paid-trial")
    subscription = counter.subscription(ANNA)
    assert subscription.state is SubscriptionState.TRIALING
    assert asked(counter) == [500 + 2500]
    assert subscription.anchor_on == date(2026, 2, 14)
    assert subscription.bound_until == date(2026, 5, 14)
    pay_debits(counter, 3)
    assert asked(counter)[:3] == [3000, 5000, 5000]
    truth.check(counter)


def test_a_trial_ends_with_its_first_debit_on_the_day_that_was_told(counter: Stage) -> None:
    counter.buy(ANNA, "trial", method="creditcard")
    counter.advance(days=13)
    assert asked(counter) == [0]
    counter.advance(days=1)
    assert [(c.amount_cents, c.starts_on) for c in counter.charges(ANNA)] == [
        (0, date(2026, 1, 31)), (5000, date(2026, 2, 14)),
    ]  # fmt: skip


def test_a_card_that_is_refused_starts_no_trial_and_can_be_tried_again(counter: Stage) -> None:
    charge = counter.begin(ANNA, "trial", method="creditcard")
    counter.go_pay(charge)
    counter.bank(counter.mollie_ids(charge.id)[-1], "failed", "card_declined")
    counter.work()
    assert counter.subscription(ANNA).state is SubscriptionState.PENDING
    assert not counter.has_access(ANNA)
    counter.pay_by_link(counter.charges(ANNA)[0])
    assert counter.subscription(ANNA).state is SubscriptionState.TRIALING
    truth.check(counter)


def test_mollie_is_asked_for_the_method_that_can_prove_an_account(counter: Stage) -> None:
    for number, (method, cents) in enumerate([("creditcard", 0), ("ideal", 1), ("bancontact", 2)]):
        charge = counter.begin(f"one{number}@example.com", "trial", method=method)
        assert isinstance(counter.go_pay(charge), checkout.Redirect)
        made = counter.bank_view.fetch_payment(KEY, counter.mollie_ids(charge.id)[-1])
        assert (made.method, made.amount.cents) == (method, cents)


def test_a_trial_is_given_once_and_the_mail_says_how_to_buy_without(counter: Stage) -> None:
    counter.buy(ANNA, "trial", method="creditcard")
    counter.stop(ANNA)
    counter.work()
    with counter.database.write() as tx, pytest.raises(Conflict) as refused:
        counter.begin_in(tx, ANNA, "trial", method="creditcard")
    assert refused.value.code == "already_running"
    with counter.database.write() as tx, pytest.raises(Conflict):
        counter.begin_in(tx, ANNA, "paid-trial")
    counter.work()
    (letter,) = [letter for letter in counter.mailer.letters if "al eens geprobeerd" in letter.subject]
    assert "/studio/buy/members?plan=trial&trial=no" in letter.text
    charge = counter.begin(ANNA, "trial", skips_trial=True)
    counter.pay_by_link(charge)
    assert counter.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert asked(counter) == [5000]


def test_a_coupon_for_two_periods_takes_exactly_that(counter: Stage) -> None:
    counter.buy(ANNA, coupon="TWICE")
    pay_debits(counter, 3)
    assert asked(counter) == [3500, 3500, 5000, 5000]


def test_a_first_month_for_nothing_still_makes_a_mandate(counter: Stage) -> None:
    counter.buy(ANNA, coupon="GIFT", method="ideal")
    assert (asked(counter), credit(counter)) == ([1], 1)
    assert counter.has_access(ANNA)
    pay_debits(counter, 2)
    assert asked(counter) == [1, 4999, 5000]
    truth.check(counter)


def test_what_is_free_for_ever_gives_the_cent_back_and_asks_no_bank_again(counter: Stage) -> None:
    counter.buy(ANNA, coupon="ALWAYS", method="ideal")
    counter.advance(days=70)
    assert asked(counter) == [1, 0, 0]
    assert counter.kept_cents() == 0
    assert counter.has_access(ANNA)
    truth.check(counter)


def test_given_terms_are_collected_exactly_and_then_never_again(counter: Stage) -> None:
    counter.buy(ANNA, "uneven-trial", coupon="TEN", method="creditcard")
    pay_debits(counter, 5)
    assert asked(counter) == [0, 10001 - 1000, 7500, 5000]
    assert counter.kept_cents() == 10001 - 1000 + 7500 + 5000
    assert counter.subscription(ANNA).state is SubscriptionState.COMPLETED
    counter.advance(days=200)
    assert len(asked(counter)) == 4
    assert counter.has_access(ANNA)
    grant = counter.grant(ANNA)
    assert grant is not None
    assert grant.until is None
    truth.check(counter)


def test_a_bump_stands_and_falls_with_the_payment_that_it_was_part_of(counter: Stage) -> None:
    counter.buy(ANNA, bumps=("workbook",))
    (charge,) = counter.charges(ANNA)
    assert [(line["kind"], line["cents"], line["vat_basis_points"]) for line in charge.lines] == [
        ("period", 5000, 2100), ("bump", 2700, 900),
    ]  # fmt: skip
    payment = counter.mollie_ids(charge.id)[-1]
    part = {"amount": {"value": "27.00", "currency": "EUR"}}
    counter.sandbox.call("POST", f"/_sandbox/payments/{payment}/refunds", part)
    counter.advance(days=2)
    assert has_workbook(counter)
    rest = {"amount": {"value": "50.00", "currency": "EUR"}}
    counter.sandbox.call("POST", f"/_sandbox/payments/{payment}/refunds", rest)
    counter.advance(days=2)
    assert not has_workbook(counter)
    assert not counter.has_access(ANNA)
    truth.check(counter)


def test_a_bump_is_hers_for_ever_when_the_membership_ends(counter: Stage) -> None:
    counter.buy(ANNA, bumps=("workbook",))
    counter.stop(ANNA)
    counter.advance(days=60)
    assert not counter.has_access(ANNA)
    assert has_workbook(counter)


def test_who_has_the_extra_already_is_mailed_instead_of_charged(counter: Stage) -> None:
    counter.buy(ANNA, bumps=("workbook",))
    counter.stop(ANNA)
    counter.advance(days=40)
    with counter.database.write() as tx, pytest.raises(Conflict):
        counter.begin_in(tx, ANNA, "monthly", bumps=("workbook",))
    with counter.database.read() as tx:
        mail = tx.query(Mail).filter_by(kind="already_running").one()
        held = tx.get_one(Subscription, mail.subscription_id)
        assert held.origin == "bump"


CHANGES: list[dict[str, Any]] = [
    {"coupon": "TEN"}, {"bumps": ("workbook",)}, {"plan": "trial", "method": "ideal"},
    {"plan": "trial", "method": "creditcard"}, {"plan": "trial", "skips_trial": True}, {"plan": "weekly"},
]  # fmt: skip


@pytest.mark.parametrize("first", CHANGES, ids=str)
@pytest.mark.parametrize("second", CHANGES, ids=str)
def test_a_changed_choice_never_leaves_a_stale_amount(
    counter: Stage, first: dict[str, Any], second: dict[str, Any]
) -> None:
    before, after = counter.begin(ANNA, **first), counter.begin(ANNA, **second)
    assert (before.id == after.id) == (first == second)
    fresh = counter.begin(BEA, **second)
    assert (after.amount_cents, after.lines) == (fresh.amount_cents, fresh.lines)
    with counter.database.read() as tx:
        pending = tx.query(Subscription).filter_by(state=SubscriptionState.PENDING, origin="checkout")
        assert pending.count() == 2


def test_a_price_that_changed_meanwhile_makes_a_new_sign_up(counter: Stage) -> None:
    before = counter.begin(ANNA)
    plan_of(counter, "monthly", amount_cents=6000)
    after = counter.begin(ANNA)
    assert (before.amount_cents, after.amount_cents) == (5000, 6000)


def test_both_choices_paid_start_one_and_send_the_other_back_whole(counter: Stage) -> None:
    choices: list[dict[str, Any]] = [{}, {"coupon": "TEN", "bumps": ("workbook",)}]
    for chosen in choices:
        counter.go_pay(counter.begin(ANNA, **chosen))
    for payment_id in counter.open_at_mollie():
        counter.bank(payment_id, "paid")
        counter.work()
    counter.advance(hours=1)
    assert counter.kept_cents() == 4500 + 2700
    assert has_workbook(counter)
    truth.check(counter)


def refusal_of(stage: Stage, code: str, email: str = ANNA, plan: str = "monthly") -> str:
    """Why a code cannot be used."""
    with pytest.raises(InputError) as refused:
        stage.begin(email, plan, coupon=code)
    assert refused.value.field == "coupon"
    return refused.value.code


def test_a_code_keeps_its_limits(counter: Stage) -> None:
    today = counter.clock.now().date()
    limits: dict[str, dict[str, Any]] = {
        Refusal.NOT_YET: {"starts_on": today + timedelta(days=1)},
        Refusal.EXPIRED: {"ends_on": today - timedelta(days=1)},
        Refusal.OTHER_PLAN: {"plan_slugs": ["weekly"]},
    }
    for why, values in limits.items():
        with counter.database.write() as tx:
            code, site_id = f"LIMIT-{why.upper()}"[:40], counter.shop.site_id
            tx.add(
                Coupon(
                    site_id=site_id, code=code, kind="amount", value=100, duration="once",
                    created_at=counter.clock.now(), **({"plan_slugs": []} | values),
                )
            )  # fmt: skip
        assert refusal_of(counter, code) == why
    assert refusal_of(counter, "NOTHING") == Refusal.UNKNOWN
    with counter.database.read() as tx:
        assert (tx.query(Subscription).count(), tx.query(Redemption).count()) == (0, 0)


@pytest.mark.races
def test_two_buyers_never_take_the_last_use(counter: Stage) -> None:
    def try_it(number: int) -> str:
        try:
            counter.begin(f"buyer{number}@example.com", coupon="LAST")
        except InputError as refused:
            return refused.code
        return "taken"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(try_it, range(6)))
    assert sorted(answers) == [Refusal.USED_UP] * 5 + ["taken"]


def test_an_unpaid_sign_up_holds_a_use_for_one_hour(counter: Stage) -> None:
    left = counter.begin(ANNA, coupon="LAST")
    assert refusal_of(counter, "LAST", BEA) == Refusal.USED_UP
    counter.advance(minutes=61)
    counter.buy(BEA, coupon="LAST")
    counter.advance(minutes=61)
    assert counter.go_pay(left) == checkout.CouponGone()
    assert refusal_of(counter, "LAST") == Refusal.USED_UP


def test_a_use_that_nobody_else_took_is_held_anew_by_paying(counter: Stage) -> None:
    left = counter.begin(ANNA, coupon="LAST")
    counter.advance(minutes=90)
    counter.pay_by_link(left)
    assert asked(counter) == [4500]
    assert refusal_of(counter, "LAST", BEA) == Refusal.USED_UP


def test_changing_the_plan_does_not_use_a_code_twice(counter: Stage) -> None:
    counter.begin(ANNA, coupon="LAST")
    counter.begin(ANNA, "weekly", coupon="LAST")
    counter.buy(ANNA, coupon="LAST")
    assert asked(counter) == [4500]


def test_a_code_that_changes_is_kept_as_it_was_by_who_used_it(counter: Stage) -> None:
    counter.buy(ANNA, coupon="TWICE")
    with counter.database.write() as tx:
        tx.query(Coupon).filter_by(code="TWICE").one().value = 100
    counter.advance(days=29)
    assert asked(counter) == [3500, 3500]


def test_a_kajabi_purchase_has_the_trial_of_its_plan_and_no_second_one(counter: Stage) -> None:
    plan_of(counter, "trial", position=-1)
    counter.buy_at_kajabi(ANNA)
    counter.work()
    assert asked(counter) == [0]
    with counter.database.write() as tx:
        charge = tx.query(Charge).one()
        subscription = tx.get_one(Subscription, charge.subscription_id)
        checkout.choose_method(tx, subscription, charge, "ideal")
    counter.pay_by_link(counter.charges(ANNA)[0])
    assert counter.subscription(ANNA).state is SubscriptionState.TRIALING
    assert (asked(counter), credit(counter)) == ([1], 1)
    counter.stop(ANNA)
    counter.advance(days=15)
    counter.buy_at_kajabi(ANNA)
    counter.work()
    assert asked(counter) == [5000]


def test_who_came_from_kajabi_and_chooses_anew_keeps_her_day(counter: Stage) -> None:
    counter.buy_at_kajabi(ANNA)
    counter.work()
    ends_at = counter.subscription(ANNA).signup_ends_at
    counter.begin(ANNA, "weekly")
    chosen = counter.subscription(ANNA)
    assert (chosen.origin, chosen.signup_ends_at) == ("kajabi", ends_at)
    counter.advance(days=8)
    assert not counter.has_access(ANNA)


def test_every_charge_and_line_keeps_its_rate_of_vat(counter: Stage) -> None:
    plan_of(counter, "monthly", vat_basis_points=900)
    counter.buy(ANNA, coupon="TEN", bumps=("workbook",))
    (charge,) = counter.charges(ANNA)
    assert charge.vat_basis_points == 900
    assert {line["vat_basis_points"] for line in charge.lines} == {900}
    plan_of(counter, "monthly", vat_basis_points=2100)
    counter.advance(days=29)
    assert counter.charges(ANNA)[1].vat_basis_points == 900


def test_a_site_sees_no_coupon_of_another(counter: Stage) -> None:
    with counter.database.write() as tx:
        other = Site(slug="other", token="t", name="Other", created_at=counter.clock.now())
        tx.add(other)
        tx.flush()
        tx.query(Coupon).filter_by(code="TEN").one().site_id = other.id
    assert refusal_of(counter, "TEN") == Refusal.UNKNOWN


def test_a_payment_that_mollie_does_not_show_for_a_moment_is_asked_for_again(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    stage.bank(stage.open_at_mollie()[0], "paid")
    stage.sandbox.advance(timedelta(hours=1))  # the address to pay at is stale, and no webhook came
    stage.disturb("not_found_once", match="/v2/payments/")
    assert isinstance(stage.go_pay(charge), checkout.AskAgain)
    assert isinstance(stage.go_pay(charge), checkout.NothingOwed)
    stage.work()
    assert stage.has_access(ANNA)
    truth.check(stage)
