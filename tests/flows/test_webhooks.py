"""What Mollie's webhooks may do to us: many, at once, reversed, lost, early, foreign, wrong."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.money import Money
from linkpay.domain.snapshots import Sequence
from linkpay.domain.subscription import SubscriptionState
from linkpay.ports import PaymentOrder
from linkpay.services import checkout, settlement
from linkpay.store import ahead, charges
from linkpay.store.tables import LedgerEntry, Payment
from linkpay.store.together import FEW
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.weather import changed_payments, in_between, run_at_once

ANNA = "anna@example.com"


def test_told_twice_within_one_transaction_it_is_booked_once(stage: Stage) -> None:
    """Threads share transactions: the second delivery may be booked right behind the first, uncommitted."""
    payment_ids = []
    for number in range(FEW):
        charge = stage.begin(f"member{number}@example.com", "monthly")
        stage.go_pay(charge)
        (mollie_id,) = stage.open_at_mollie()
        stage.bank(mollie_id, "paid")
        payment_ids.append(mollie_id)
    stage.sandbox.pump()
    stage.posted.clear()
    seen = {one: checkout.look(stage.parts, KEY, one, "mollie") for one in payment_ids}
    with stage.database.write() as tx:
        ours = {one: charges.payment_by_mollie_id(tx, stage.shop.site_id, one) for one in payment_ids}
        ahead.of_payments(tx, [payment.id for payment in ours.values() if payment])
        for mollie_id in payment_ids * 2:
            payment = ours[mollie_id]
            assert payment is not None
            settlement.settle(tx, payment.id, seen[mollie_id], stage.clock.now())
    stage.work()
    for number in range(FEW):
        email = f"member{number}@example.com"
        assert [charge.state for charge in stage.charges(email)] == [ChargeState.PAID]
        assert stage.has_access(email)
    truth.check(stage)


def take_to_the_bank(stage: Stage, plan: str = "monthly") -> str:
    """Sign up and get to the bank's page; the payment's id."""
    charge = stage.begin(ANNA, plan)
    stage.go_pay(charge)
    (payment_id,) = stage.open_at_mollie()
    return payment_id


def pay_unheard(stage: Stage) -> str:
    """Paid, and the webhook not delivered."""
    payment_id = take_to_the_bank(stage)
    stage.bank(payment_id, "paid")
    stage.sandbox.pump()
    stage.posted.clear()
    return payment_id


def debit_day(stage: Stage) -> None:
    """Until the evening before the second period."""
    stage.buy(ANNA)
    stage.advance(days=27, hours=12)


def booked_once(stage: Stage) -> None:
    with stage.database.read() as tx:
        assert tx.query(LedgerEntry).count() == 1
    assert stage.mail_kinds() == ["welcome", "access_open"]
    assert stage.kajabi_calls(ANNA) == ["activate 200"]
    truth.check(stage)


# Too often, too many, in the wrong order -----------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2, 5, 10])
def test_a_webhook_books_once_however_often_it_comes(stage: Stage, times: int) -> None:
    stage.deliveries = lambda told: [each for each in told for _ in range(times)]
    stage.order = lambda rows: [row for row in rows for _ in range(2)]
    stage.buy(ANNA)
    assert len(stage.messages()) == times
    booked_once(stage)


def test_five_webhooks_at_the_same_instant_book_once(stage: Stage) -> None:
    payment_id = pay_unheard(stage)
    for _ in range(5):
        stage.post(payment_id)
    run_at_once(stage, stage.due()[:5])
    stage.work()
    assert sorted(str(message.outcome) for message in stage.messages()) == ["booked"] + ["nothing_new"] * 4
    booked_once(stage)


def test_two_sign_ups_paid_at_the_same_instant_leave_one(stage: Stage) -> None:
    for plan in ("monthly", "weekly"):
        stage.go_pay(stage.begin(ANNA, plan))
    for payment_id in stage.open_at_mollie():
        stage.bank(payment_id, "paid")
    stage.deliver()
    run_at_once(stage, stage.due())
    stage.advance(hours=1)
    assert stage.kept_cents() in (5000, 1500)
    assert stage.mail_kinds().count("paid_twice") == 1
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_chargeback_heard_of_before_the_payment_ends_the_same(stage: Stage) -> None:
    debit_day(stage)
    stage.advance(hours=2)
    (debit,) = stage.mollie_ids(stage.charges(ANNA)[1].id)
    stage.deliveries = lambda told: list(reversed(told))
    stage.bank(debit, "paid")
    stage.sandbox.call("POST", f"/_sandbox/payments/{debit}/chargebacks", {"reason": "MD06"})
    stage.work()
    charge = stage.charges(ANNA)[1]
    assert (charge.paid_cents, charge.charged_back_cents) == (5000, 5000)
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    truth.check(stage)


def test_a_first_payment_taken_back_before_anybody_looked_opens_nothing(stage: Stage) -> None:
    payment_id = take_to_the_bank(stage)
    stage.bank(payment_id, "paid", method="creditcard")
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/chargebacks", {})
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PENDING
    assert stage.grant(ANNA) is None
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_late_old_view_of_a_payment_takes_nothing_back(stage: Stage) -> None:
    payment_id = take_to_the_bank(stage)

    def meanwhile() -> None:
        stage.bank(payment_id, "paid")
        stage.work()

    stage.post(payment_id)
    in_between(stage, "payments", "fetch_payment", after=meanwhile)
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    booked_once(stage)


# Lost, late, early ---------------------------------------------------------------------------------


def test_a_lost_webhook_is_made_up_for_within_six_minutes(stage: Stage) -> None:
    stage.disturb("webhook_lost")
    payment_id = take_to_the_bank(stage)
    stage.bank(payment_id, "paid")
    stage.advance(minutes=6)
    booked_once(stage)


def test_being_down_for_27_hours_loses_nothing(stage: Stage) -> None:
    payment_id = take_to_the_bank(stage)
    stage.answer = 503
    stage.bank(payment_id, "paid")
    for _ in range(27):
        stage.sandbox.advance(timedelta(hours=1))
        stage.sandbox.pump()
    stage.posted.clear()
    stage.answer = 200
    stage.work()
    assert stage.messages() == []
    booked_once(stage)


def test_a_webhook_before_the_answer_to_our_own_request_is_booked(stage: Stage) -> None:
    stage.bank(take_to_the_bank(stage), "paid", method="creditcard")
    stage.work()
    stage.advance(days=27, hours=12)
    stage.disturb("webhook_early")
    stage.eager = True
    stage.advance(hours=2)
    assert stage.messages()[-1].outcome == "booked"
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    truth.check(stage)


def test_a_webhook_finds_the_debit_whose_answer_was_lost(stage: Stage) -> None:
    debit_day(stage)
    stage.disturb("timeout_after", match="/v2/payments")
    stage.clock.advance(timedelta(hours=2))
    stage.work()
    (debit,) = [p.id for p in stage.bank_view.list_payments(KEY, limit=1)]
    assert stage.mollie_ids(stage.charges(ANNA)[1].id) == []
    stage.bank(debit, "paid")
    stage.work()
    stage.advance(hours=2)
    assert stage.mollie_ids(stage.charges(ANNA)[1].id) == [debit]
    truth.check(stage)


# Foreign and unknown -------------------------------------------------------------------------------


def order(stage: Stage, **changes: Any) -> PaymentOrder:
    given: dict[str, Any] = {
        "idempotency_key": "somebody-else", "amount": Money(5000, "EUR"), "description": "Not ours",
        "sequence": Sequence.ONEOFF, "redirect_url": "https://example.com/",
        "webhook_url": f"https://pay.example.com/webhooks/mollie/{stage.shop.token}",
    }  # fmt: skip
    return PaymentOrder(**given | changes)


def test_a_payment_that_somebody_else_made_at_the_same_mollie_account_is_not_ours(stage: Stage) -> None:
    foreign = stage.bank_view.create_payment(KEY, order(stage))
    stage.bank(foreign.id, "paid")
    stage.work()
    assert [message.outcome for message in stage.messages()] == ["foreign"]
    assert stage.troubles() == []


def test_a_payment_of_another_mollie_account_costs_a_few_looks_and_no_more(stage: Stage) -> None:
    elsewhere = stage.bank_view.create_payment("test_anotheraccount", order(stage))
    stage.bank(elsewhere.id, "paid")
    stage.advance(hours=1)
    assert [message.outcome for message in stage.messages()] == ["unknown_at_mollie"]
    assert stage.messages()[0].attempts <= 4
    assert stage.troubles() == []


def test_a_payment_that_copies_our_id_is_not_taken_for_ours(stage: Stage) -> None:
    take_to_the_bank(stage)
    with stage.database.read() as tx:
        uid = tx.query(Payment).one().uid
    copy = stage.bank_view.create_payment(KEY, order(stage, metadata={"linkpay": uid}))
    stage.bank(copy.id, "paid")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PENDING
    assert stage.troubles() == ["mismatch"]
    assert not stage.has_access(ANNA)


@pytest.mark.parametrize("odd", ["tr_", "tr_../refunds", "tr_a?embed=x", "tr_" + "x" * 70, "tr_\u0660"])
def test_an_id_that_mollie_cannot_have_given_reaches_no_address(stage: Stage, odd: str) -> None:
    stage.stop_watching()
    stage.post(odd)
    stage.work()
    (message,) = stage.messages()
    assert message.parked_at is not None
    assert stage.sandbox.call("GET", "/_sandbox/log") == []


# What Mollie answers -------------------------------------------------------------------------------

FAULTS = [
    "status:429", "status:500", "status:502", "status:503", "html", "accepted_202", "timeout_before",
    "timeout_after", "reset_after", "not_found_once",
]  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_the_message_waits_while_mollie_cannot_be_read(stage: Stage, kind: str) -> None:
    payment_id = pay_unheard(stage)
    stage.post(payment_id)
    stage.disturb(kind, match=payment_id)
    stage.work()
    assert stage.messages()[0].done_at is None
    stage.advance(minutes=1)
    booked_once(stage)


def test_an_hour_without_mollie_costs_a_few_minutes_afterwards(stage: Stage) -> None:
    payment_id = pay_unheard(stage)
    stage.post(payment_id)
    stage.disturb("status:503", match="/v2/", count=1000)
    stage.advance(hours=1)
    assert not stage.has_access(ANNA)
    stage.calm()
    stage.advance(minutes=5)
    booked_once(stage)


def test_retry_after_is_honoured(stage: Stage) -> None:
    payment_id = pay_unheard(stage)
    stage.post(payment_id)
    stage.disturb("status:429", match=payment_id)
    stage.work()
    (message,) = stage.messages()
    assert message.run_at > stage.clock.now()
    assert "429" in (message.last_error or "")


def cut(_answer: dict[str, Any]) -> bytes:
    return b'{"resource":"payment","id":"tr_'


def of_no_known_status(answer: dict[str, Any]) -> None:
    answer["status"] = "reviewing"


def without_amount(answer: dict[str, Any]) -> None:
    del answer["amount"]


def empty(_answer: dict[str, Any]) -> bytes:
    return b" "


@pytest.mark.parametrize("change", [cut, of_no_known_status, without_amount, empty])
def test_an_answer_that_makes_no_sense_books_nothing_and_is_asked_again(
    stage: Stage, change: Callable[[dict[str, Any]], bytes | None]
) -> None:
    payment_id = pay_unheard(stage)
    stage.post(payment_id)
    with changed_payments(stage, change):
        stage.advance(minutes=5)
    assert stage.messages()[0].done_at is None
    assert not stage.has_access(ANNA)
    stage.advance(minutes=5)
    booked_once(stage)


def test_fields_that_mollie_adds_one_day_do_not_matter(stage: Stage) -> None:
    def with_more(answer: dict[str, Any]) -> None:
        answer["quantumEntangled"] = {"yes": [1, None]}
        answer["_links"]["hologram"] = None
        answer["details"] = {**(answer.get("details") or {}), "mood": "fine"}

    with changed_payments(stage, with_more):
        stage.buy(ANNA)
    booked_once(stage)


def in_dollars(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).replace("EUR", "USD").encode()


MISMATCHES: dict[str, Callable[[dict[str, Any]], bytes | None]] = {
    "currency": in_dollars,
    "amount": lambda answer: answer["amount"].update(value="0.01"),
    "mode": lambda answer: answer.update(mode="live"),
    "customer": lambda answer: answer.update(customerId="cst_anotherone"),
    "metadata": lambda answer: answer.update(metadata={"linkpay": "another"}),
}


@pytest.mark.parametrize("what", MISMATCHES)
def test_a_payment_that_is_not_what_was_asked_for_books_nothing_and_opens_nothing(
    stage: Stage, what: str
) -> None:
    payment_id = pay_unheard(stage)
    stage.post(payment_id)

    with changed_payments(stage, MISMATCHES[what]):
        stage.work()
    assert [message.outcome for message in stage.messages()] == ["mismatch"]
    assert stage.troubles() == ["mismatch"]
    assert stage.subscription(ANNA).state is SubscriptionState.PENDING
    with stage.database.read() as tx:
        assert tx.query(LedgerEntry).count() == 0
    assert not stage.has_access(ANNA)
