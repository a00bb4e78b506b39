"""What banks do, what an owner does at Mollie itself, and days that pass."""

from datetime import timedelta
from typing import Any

from linkpay.domain.calendar import day_starts_at
from linkpay.sandbox.records import Payment
from linkpay.store.tables import Customer, Mandate
from tests.flows.books import KEY
from tests.lives.living import ZONE, Living, Nothing

#: Why a debit fails, and what a card's bank calls it.
REASONS = {
    "AM04": "insufficient_funds",
    "MS03": "insufficient_funds",
    "AC04": "card_expired",
    "MD01": "inactive_card",
    "MD06": "possible_fraud",
}


def days(life: Living) -> None:
    """Some days pass."""
    pause = timedelta(days=life.dice.choice((1, 2, 3, 5, 9, 14, 20, 31, 45)))
    life.go_to(life.stage.clock.now() + pause + timedelta(hours=life.dice.choice((0, 7))))


def to_a_turn(life: Living) -> None:
    """Time passes to about the next day on which something begins, ends or is charged."""
    held, today = life.some_subscription(), life.today()
    turns = [charge.ends_on for charge in life.charges_of(held)]
    turns += [day for day in (held.next_charge_on, held.cancel_on, held.resume_on) if day]
    coming = [day for day in turns if today < day <= today + timedelta(days=100)]
    if not coming:
        raise Nothing
    life.go_to(day_starts_at(min(coming), ZONE) + timedelta(hours=life.dice.choice((-10, 0, 1, 12, 40))))


def decide(life: Living) -> None:
    """A bank decides about a debit that runs."""
    payment = life.some_payment("pending")
    fate = life.dice.choice(("paid", "AM04", "AM04", "AC04", "MD01", "MD06", "MS03"))
    life.detail(f"{payment.description}: {fate}")
    if fate == "paid":
        life.stage.bank(payment.id, "paid")
    else:
        by_debit = payment.method == "directdebit"
        life.stage.bank(payment.id, "failed", fate if by_debit else REASONS[fate])


def refuse_for_a_while(life: Living) -> None:
    """Her bank refuses the next debits."""
    customers = list(life.stage.sandbox.world.books.customers)
    customer, count = life.one_of(customers), life.dice.choice((1, 1, 2, 4))
    reason = life.dice.choice(("AM04", "AM04", "AC04", "MD01", "MD06"))
    refused: dict[str, Any] = {"status": "failed"}
    if len(life.methods) == 1:  # codes of a direct debit, where she may also have a card
        refused["reason"] = reason
    life.detail(f"{count} times {refused.get('reason', '')}")
    body = {"next_debit": refused, "count": count}
    life.stage.sandbox.call("POST", f"/_sandbox/customers/{customer.id}", body)


def take_back(life: Living) -> None:
    """A bank takes a debit back."""

    def is_whole(one: Payment) -> bool:
        return one.method == "directdebit" and not one.refunded_cents and not one.charged_back_cents

    payment = life.some_payment("paid", is_whole)
    body = life.dice.choice(({}, {"reason": "MD06"}, {"reason": "AM04"}))
    life.detail(" ".join((payment.description, *body.values())))
    made = life.stage.sandbox.call("POST", f"/_sandbox/payments/{payment.id}/chargebacks", body)
    life.chargebacks.append(made["id"])


def bring_back(life: Living) -> None:
    """What was taken back comes again."""
    if not life.chargebacks:
        raise Nothing
    one = life.chargebacks.pop(life.dice.randrange(len(life.chargebacks)))
    life.stage.sandbox.call("POST", f"/_sandbox/chargebacks/{one}/reverse", {})


def refund_at_mollie(life: Living) -> None:
    """The owner sends money back in Mollie's dashboard."""

    def has_some(one: Payment) -> bool:
        return not one.charged_back_cents and one.amount_cents > one.refunded_cents

    payment = life.some_payment("paid", has_some)
    left = payment.amount_cents - payment.refunded_cents
    cents = left if life.chance(0.6) else max(1, left // 2)
    life.detail(f"{payment.description}, {cents}")
    body = {"amount": {"currency": "EUR", "value": f"{cents / 100:.2f}"}}
    life.stage.sandbox.call("POST", f"/_sandbox/payments/{payment.id}/refunds", body)


def revoke_mandate(life: Living) -> None:
    """A mandate ends at Mollie."""
    held = life.some_subscription()
    mandate_id, customer_id = held.mandate_id, held.customer_id
    if mandate_id is None:
        raise Nothing
    mandate = life.read(lambda tx: tx.get_one(Mandate, mandate_id))
    customer = life.read(lambda tx: tx.get_one(Customer, customer_id))
    if mandate.mollie_id is None or customer.mollie_id is None:
        raise Nothing
    life.stage.bank_view.revoke_mandate(KEY, customer.mollie_id, mandate.mollie_id)
