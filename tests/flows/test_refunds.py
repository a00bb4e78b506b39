"""Money that an owner sends back from here, whole and in parts, and what may go wrong with it."""

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import refunds
from linkpay.store import charges
from linkpay.store.tables import Attention, Refund
from linkpay.store.tables.money import Stroke
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, reach_debit
from tests.flows.test_money_back import (
    charge_back,
    first_payment,
    pay_the_link_and_let_the_debit_win_too,
    refund_by_hand,
    reverse,
)
from workers import jobs


def order(stage: Stage, cents: int | None, reason: str = "goodwill", number: int = 0, **more: bool) -> int:
    """The owner sends back some of a charge; how many refunds it takes."""
    with stage.database.write() as tx:
        charge = stage.charges(ANNA)[number]
        return len(refunds.order(tx, charge.id, cents, reason, "owner", stage.clock.now(), **more))


def made(stage: Stage) -> int:
    with stage.database.read() as tx:
        return tx.query(Refund).count()


def test_a_whole_refund_is_sent_booked_told_and_ends_the_access_it_bought(stage: Stage) -> None:
    first_payment(stage)
    assert order(stage, None) == 1
    stage.advance(minutes=10)
    assert stage.charges(ANNA)[0].refunded_cents == 5000
    assert stage.kept_cents() == 0
    assert not stage.has_access(ANNA)
    assert stage.mail_kinds().count("refunded") == 1
    truth.check(stage)


@pytest.mark.parametrize("plan", ["once", "terms"])
def test_who_got_everything_back_may_buy_again(stage: Stage, plan: str) -> None:
    stage.buy(ANNA, plan)
    stage.advance(days=75)
    for number in range(len(stage.charges(ANNA))):
        order(stage, None, number=number, despite_reversal=True)
    stage.advance(days=1)
    assert stage.subscription(ANNA).state is SubscriptionState.COMPLETED
    assert (stage.kept_cents(), stage.has_access(ANNA)) == (0, False)
    sent = made(stage)
    stage.buy(ANNA, "once")
    stage.advance(days=1)
    assert made(stage) == sent
    assert stage.kept_cents() == 27500
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_several_parts_go_back_until_nothing_is_left_and_access_stays_until_then(stage: Stage) -> None:
    first_payment(stage)
    for number in range(4):
        order(stage, 1000, f"part {number}")
        stage.advance(hours=2)
        assert stage.charges(ANNA)[0].refunded_cents == 1000 * (number + 1)
        assert stage.has_access(ANNA)
    with pytest.raises(Conflict, match="At most 1000 cents"):
        order(stage, 1001, "too much")
    truth.check(stage)


def test_the_same_request_again_sends_nothing_more_and_another_amount_needs_another_name(
    stage: Stage,
) -> None:
    first_payment(stage)
    assert order(stage, 1000) == order(stage, 1000) == order(stage, None) == 1
    with pytest.raises(Conflict) as refused:
        order(stage, 1200)
    assert refused.value.code == "refund_named"
    stage.advance(hours=2)
    assert made(stage) == 1
    assert stage.kept_cents() == 4000


def test_two_equal_parts_within_the_hour_both_arrive(stage: Stage) -> None:
    """Mollie takes the second for a duplicate until the hour is over."""
    first_payment(stage)
    order(stage, 1000, "one")
    order(stage, 1000, "two")
    stage.advance(hours=3)
    assert stage.kept_cents() == 3000
    truth.check(stage)


def test_what_is_on_its_way_back_cannot_be_asked_for_twice(stage: Stage) -> None:
    first_payment(stage)
    order(stage, 3000, "one")
    with pytest.raises(Conflict, match="At most 2000 cents"):
        order(stage, 3000, "two")
    order(stage, None, "the rest")
    stage.advance(hours=1)
    assert stage.kept_cents() == 0
    truth.check(stage)


@pytest.mark.parametrize(
    ("cents", "reason", "code"),
    [
        (0, "x", "refund_amount"),
        (-5, "x", "refund_amount"),
        (10, "", "refund_reason"),
        (10, "x" * 41, "refund_reason"),
    ],
)
def test_an_odd_refund_is_refused_in_words(stage: Stage, cents: int, reason: str, code: str) -> None:
    first_payment(stage)
    with pytest.raises(InputError) as refused:
        order(stage, cents, reason)
    assert refused.value.code == code


def test_a_debit_that_its_bank_may_still_reverse_is_only_refunded_when_somebody_insists(stage: Stage) -> None:
    reach_debit(stage)
    stage.advance(days=9)
    with pytest.raises(Conflict) as refused:
        order(stage, None, number=1)
    assert refused.value.code == "refund_reversible"
    assert "may still reverse" in refused.value.message
    order(stage, None, number=1, despite_reversal=True)
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].refunded_cents == 5000
    truth.check(stage)


def test_eight_weeks_later_a_debit_is_refunded_like_anything_else(stage: Stage) -> None:
    reach_debit(stage)
    stage.advance(days=60)
    order(stage, 1000, number=1)
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].refunded_cents == 1000
    truth.check(stage)


def test_a_chargeback_after_a_refund_is_a_loss_with_its_sum_until_it_is_won(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.advance(days=9)
    order(stage, 2000, number=1, despite_reversal=True)
    stage.advance(days=3)
    body = {"amount": {"currency": "EUR", "value": "50.00"}}
    taken = stage.sandbox.call("POST", f"/_sandbox/payments/{debit}/chargebacks", body)
    stage.advance(hours=1)
    (trouble,) = losses(stage)
    assert trouble.data["cents"] == 2000
    assert "2000 cents" in trouble.detail
    assert stage.charges(ANNA)[1].money.owed_cents == 5000
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    reverse(stage, str(taken["id"]))
    stage.advance(hours=1)
    assert losses(stage) == []
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def losses(stage: Stage) -> list[Attention]:
    with stage.database.read() as tx:
        return tx.query(Attention).filter_by(kind="loss", solved_at=None).all()


def test_a_refund_of_ours_that_mollie_could_not_send_asks_for_a_person(stage: Stage) -> None:
    first_payment(stage)
    order(stage, None)
    stage.advance(minutes=5)
    with stage.database.read() as tx:
        (refund,) = tx.query(Refund)
    stage.sandbox.call("POST", f"/_sandbox/refunds/{refund.mollie_id}", {"status": "failed"})
    stage.advance(hours=1)
    assert stage.has_access(ANNA)
    assert stage.charges(ANNA)[0].refunded_cents == 0
    assert stage.troubles() == ["refund"]
    order(stage, None, "once more")
    stage.advance(hours=2)
    assert stage.kept_cents() == 0
    truth.check(stage, troubles=1)


def test_paid_twice_sent_back_and_then_charged_back_is_owed_again(stage: Stage) -> None:
    pay_the_link_and_let_the_debit_win_too(stage)
    stage.advance(days=1)
    charge = stage.charges(ANNA)[1]
    assert (charge.money.kept_cents, charge.surplus_refunded_cents) == (5000, 5000)
    kept = next(
        payment.id
        for payment in stage.bank_view_list()
        if payment.id in stage.mollie_ids(charge.id) and payment.refunded_cents == 0
    )
    charge_back(stage, kept)
    stage.advance(hours=1)
    charge = stage.charges(ANNA)[1]
    assert charge.money.owed_cents == 5000
    assert charge.state is ChargeState.FAILED
    assert stage.mail_kinds()[-1] == "payment_taken_back"
    stage.pay_by_link(charge)
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def paid_twice_and_not_sent_back_yet(stage: Stage) -> Refund:
    """Mollie does not take the refund of the surplus yet."""
    stage.stop_watching()
    stage.disturb("status:429", match="/refunds", count=1)
    pay_the_link_and_let_the_debit_win_too(stage)
    with stage.database.write() as tx:
        (refund,) = tx.query(Refund)
        # As if no worker had taken it up.
        refund.key_used_at, refund.stroke = None, Stroke.PREPARED
        return refund


def hear(stage: Stage) -> None:
    """What Mollie tells is handled; other work waits."""
    stage.deliver()
    for kind, row in stage.due():
        if kind == "inbox":
            jobs.run(stage.parts, kind, row)


def test_a_surplus_that_a_bank_took_back_before_we_sent_it_is_not_sent(stage: Stage) -> None:
    paid_twice_and_not_sent_back_yet(stage)
    charge_back(stage, stage.mollie_ids(stage.charges(ANNA)[1].id)[0])
    hear(stage)
    stage.advance(hours=3)
    assert stage.charges(ANNA)[1].money.kept_cents == 5000
    assert stage.charges(ANNA)[1].refunded_cents == 0
    truth.check(stage)


def test_a_surplus_that_the_owner_sent_back_by_hand_is_not_sent_again(stage: Stage) -> None:
    refund = paid_twice_and_not_sent_back_yet(stage)
    with stage.database.read() as tx:
        payment_id = charges.payment(tx, refund.payment_id).mollie_id
    assert payment_id is not None
    refund_by_hand(stage, payment_id, "50.00")
    stage.post(payment_id)
    hear(stage)
    stage.advance(hours=3)
    assert stage.charges(ANNA)[1].money.kept_cents == 5000
    truth.check(stage)


def charge_back_part(stage: Stage, payment_id: str, euros: str) -> str:
    body = {"amount": {"currency": "EUR", "value": euros}}
    return str(stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/chargebacks", body)["id"])


def test_of_a_part_that_the_bank_took_back_only_that_part_is_owed(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.advance(days=20)
    taken = charge_back_part(stage, debit, "20.00")
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].money.owed_cents == 2000
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.kept_cents() == 10_000
    reverse(stage, taken)
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].money.kept_cents == 5000, "what then came twice goes back"
    truth.check(stage)


def test_a_refund_by_hand_of_what_a_chargeback_left_is_no_loss(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.advance(days=20)
    charge_back_part(stage, debit, "20.00")
    stage.advance(hours=1)
    refund_by_hand(stage, debit, "30.00")
    stage.advance(hours=3)
    charge = stage.charges(ANNA)[1]
    assert (charge.refunded_cents, charge.charged_back_cents, charge.money.kept_cents) == (3000, 2000, 0)
    assert losses(stage) == []
    truth.check(stage)


def test_money_that_comes_after_the_end_is_booked_and_waits_for_the_owner(stage: Stage) -> None:
    reach_debit(stage)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.work()
    charge = stage.charges(ANNA)[1]
    stage.go_pay(charge)
    (link,) = stage.open_at_mollie()
    stage.stop(ANNA)
    stage.bank(link, "paid")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert stage.charges(ANNA)[1].money.kept_cents == 5000
    with stage.database.read() as tx:
        (trouble,) = tx.query(Attention).filter_by(solved_at=None)
    assert (trouble.kind, trouble.data["charge_id"], trouble.data["cents"]) == ("late_paid", charge.id, 5000)
    order(stage, None, "late", number=1)
    stage.advance(hours=1)
    assert stage.kept_cents() == 5000
    truth.check(stage, troubles=1)
