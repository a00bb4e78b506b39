"""Money that goes back: refunds by hand, chargebacks and their reversal, and what was paid twice."""

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import debts
from linkpay.services.attention import items, solving
from linkpay.store.tables import Refund
from tests.flows import truth
from tests.flows.plans import reactivate, stay_in
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, debits, reach_debit
from tests.flows.test_webhooks import take_to_the_bank


def refund_by_hand(stage: Stage, payment_id: str, euros: str) -> str:
    body = {"amount": {"currency": "EUR", "value": euros}}
    made = stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/refunds", body)
    return str(made["id"])


def charge_back(stage: Stage, payment_id: str) -> str:
    """The bank takes it back without a reason, so the mandate stands."""
    made = stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/chargebacks", {})
    return str(made["id"])


def reverse(stage: Stage, chargeback_id: str) -> None:
    stage.sandbox.call("POST", f"/_sandbox/chargebacks/{chargeback_id}/reverse", {})


def first_payment(stage: Stage) -> str:
    stage.buy(ANNA)
    return stage.mollie_ids(stage.charges(ANNA)[0].id)[0]


# By hand in Mollie's dashboard (29) ------------------------------------------------------------------


@pytest.mark.parametrize("heard", [True, False])
def test_a_full_refund_by_hand_ends_the_access_it_bought(stage: Stage, heard: bool) -> None:
    payment_id = first_payment(stage)
    if not heard:
        stage.deliveries = lambda told: []
    refund_by_hand(stage, payment_id, "50.00")
    stage.advance(days=2)
    assert stage.charges(ANNA)[0].refunded_cents == 5000
    assert not stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.parametrize("heard", [True, False])
def test_a_partial_refund_by_hand_is_booked_and_changes_no_access(stage: Stage, heard: bool) -> None:
    payment_id = first_payment(stage)
    if not heard:
        stage.deliveries = lambda told: []
    refund_by_hand(stage, payment_id, "12.50")
    stage.advance(days=2)
    assert stage.charges(ANNA)[0].refunded_cents == 1250
    assert stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.parametrize("status", ["failed", "canceled"])
@pytest.mark.parametrize("heard", [True, False])
def test_a_refund_that_came_to_nothing_gives_the_access_back(stage: Stage, heard: bool, status: str) -> None:
    payment_id = first_payment(stage)
    refund_id = refund_by_hand(stage, payment_id, "50.00")
    stage.advance(days=3)
    assert not stage.has_access(ANNA)
    if not heard:
        stage.deliveries = lambda told: []
    stage.sandbox.call("POST", f"/_sandbox/refunds/{refund_id}", {"status": status})
    stage.advance(days=2)
    assert stage.charges(ANNA)[0].refunded_cents == 0
    assert stage.has_access(ANNA)
    truth.check(stage)


# By the bank (31) ------------------------------------------------------------------------------------


@pytest.mark.parametrize("heard", [True, False])
def test_a_chargeback_fifty_days_later_is_found_and_its_reversal_gives_access_back(
    stage: Stage, heard: bool
) -> None:
    debit = reach_debit(stage)
    stage.advance(days=50)
    paid_before = len(stage.charges(ANNA))
    if not heard:
        stage.deliveries = lambda told: []
    chargeback = charge_back(stage, debit)
    stage.advance(days=1)
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.mail_kinds()[-1] == "payment_taken_back"
    stage.advance(days=40)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert not stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == paid_before, "nothing is charged meanwhile"
    reverse(stage, chargeback)
    stage.advance(days=1)
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_after_an_old_chargeback_is_won_every_month_is_charged_once_and_access_has_no_hole(
    stage: Stage,
) -> None:
    debit = reach_debit(stage)
    stage.advance(days=50)
    chargeback = charge_back(stage, debit)
    stage.advance(days=40)
    reverse(stage, chargeback)
    stage.work()
    before = stage.kept_cents()
    stay_in(stage, 95)
    months = (stage.kept_cents() - before) // 5000
    assert months in (3, 4)
    starts = [charge.starts_on for charge in stage.charges(ANNA)]
    assert len(set(starts)) == len(starts)
    truth.check(stage)


# Paid twice, paid late (27, 30, 32) ------------------------------------------------------------------


def pay_the_link_and_let_the_debit_win_too(stage: Stage) -> None:
    """She pays the link of a bounced debit; at that moment the bank turns out to have paid the debit."""
    debit = reach_debit(stage)
    stage.bank(debit, "failed", "AM04")
    stage.work()
    stage.go_pay(stage.charges(ANNA)[1])
    (link,) = stage.open_at_mollie()
    stage.pay_after_all(debit)
    stage.bank(link, "paid")
    stage.work()


@pytest.mark.parametrize(
    "kind", [None, "timeout_after", "timeout_before", "reset_after", "accepted_202", "html"]
)
def test_what_was_paid_by_link_and_by_debit_goes_back_once_and_is_told_once(
    stage: Stage, kind: str | None
) -> None:
    if kind is not None:
        stage.disturb(kind, match="/refunds")
    pay_the_link_and_let_the_debit_win_too(stage)
    stage.advance(hours=3)
    with stage.database.read() as tx:
        assert tx.query(Refund).count() == 1
    assert stage.charges(ANNA)[1].money.kept_cents == 5000
    assert stage.mail_kinds().count("paid_twice") == 1
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def test_a_refund_whose_answers_are_lost_for_an_hour_is_looked_for_before_it_is_sent_anew(
    stage: Stage,
) -> None:
    stage.disturb("timeout_after", match="/refunds")
    stage.disturb("status:503", match="/refunds", count=1000)
    pay_the_link_and_let_the_debit_win_too(stage)
    stage.advance(hours=1)
    stage.calm()
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].refunded_cents == 5000
    truth.check(stage)


def test_a_double_press_reuses_the_open_payment(stage: Stage) -> None:
    payment_id = take_to_the_bank(stage)
    charge = stage.charges(ANNA)[0]
    for _ in range(3):
        stage.go_pay(charge)
    assert stage.begin(ANNA).id == charge.id
    assert stage.open_at_mollie() == [payment_id]


@pytest.mark.parametrize("how", ["expired", "canceled", "failed"])
def test_a_payment_that_came_to_nothing_makes_room_for_another(stage: Stage, how: str) -> None:
    stage.bank(take_to_the_bank(stage), how)
    stage.work()
    assert stage.charges(ANNA)[0].state is ChargeState.SCHEDULED
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_payment_found_paid_after_we_took_it_for_expired_counts(stage: Stage) -> None:
    payment_id = take_to_the_bank(stage)
    stage.bank(payment_id, "expired")
    stage.work()
    stage.pay_after_all(payment_id)
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    assert debits(stage) == 0
    truth.check(stage)


def test_a_debit_that_failed_after_it_was_paid_and_is_paid_after_all_is_shown_to_the_owner(
    stage: Stage,
) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "paid")
    stage.advance(days=1)
    stage.bank(debit, "failed", "AM04")
    stage.advance(days=1)
    assert stage.troubles() == []
    stage.pay_after_all(debit)
    stage.work()
    assert stage.troubles() == ["mismatch"]
    stage.advance(days=20)  # the month is debited once more, and that counts
    assert stage.charges(ANNA)[1].money.kept_cents == 5000
    refund_by_hand(stage, debit, "50.00")
    stage.advance(days=2)
    assert stage.kept_cents() == 10000
    assert stage.charges(ANNA)[1].money.kept_cents == 5000
    truth.check(stage, troubles=1)


def test_money_that_comes_again_for_days_that_were_paid_anew_is_for_a_person_to_decide(stage: Stage) -> None:
    payment_id = first_payment(stage)
    stage.advance(days=3)
    taken_back = charge_back(stage, payment_id)
    stage.work()
    first = stage.charges(ANNA)[0].id
    with stage.database.write() as tx:
        debts.write_off(tx, first, "owner", stage.clock.now(), ends=True)
    stage.advance(days=2)
    assert reactivate(stage, ANNA) is None
    stage.advance(days=10)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert stage.troubles() == []
    reverse(stage, taken_back)
    stage.advance(days=1)
    with stage.database.read() as tx:
        (item,), _ = items.open_items(tx, stage.shop.site_id, "en")
    assert item.happened == f"{ANNA} paid €50.00 for days that had been paid anew."
    with stage.database.write() as tx:
        solving.solve(tx, stage.shop.site_id, item.id, "refund", "owner", stage.clock.now())
    stage.advance(days=3)
    assert stage.kept_cents() == 5000
    assert (stage.subscription(ANNA).state, stage.has_access(ANNA)) == (SubscriptionState.ACTIVE, True)
    truth.check(stage)
