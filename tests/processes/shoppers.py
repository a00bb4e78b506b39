"""Many buyers at once: orders made through the checkout's own services, paid at the sandbox's bank."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from linkpay.cli import demo
from linkpay.cli.sandbox import Sandbox
from linkpay.services import checkout, ordering
from linkpay.services.parts import Parts
from linkpay.store import charges, sites
from linkpay.store.tables import Charge, Payment
from tests.processes.machine import Machine
from tests.processes.patience import until

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Order:
    """An order that waits for its money."""

    email: str
    payment: str  # at Mollie


@dataclass(frozen=True, slots=True)
class Shop:
    """The demo site on a machine, seen by its buyers, its bank and its books."""

    machine: Machine
    parts: Parts

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox's control addresses, with a connection of the caller's own."""
        return self.machine.sandbox

    def orders(self, name: str, count: int) -> list[Order]:
        """Orders of `count` buyers called `name`, who have not paid yet."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._order, [f"{name}{number}@example.com" for number in range(count)]))

    def _order(self, email: str) -> Order:
        parts = self.parts
        with parts.database.write() as tx:
            site = sites.by_slug(tx, demo.SITE)
            assert site is not None
            plan = sites.plan(tx, site.id, "monthly")
            assert plan is not None
            buyer = ordering.Buyer("Anna de Vries", email, "nl")
            _, charge = ordering.begin(
                tx, site, ordering.Order(plan), buyer, ordering.Agreement("I agree"), parts.clock.now()
            )
        # "Ask again" is an answer too, on a machine that is too busy: the page would ask once more.
        until(lambda: isinstance(checkout.pay(parts, charge.id), checkout.Redirect), 30)
        with parts.database.read() as tx:
            payment = charges.open_payment(tx, charge.id)
        assert payment is not None
        assert payment.mollie_id is not None
        return Order(email, payment.mollie_id)

    def pay(
        self, waiting: Iterable[Order], per_second: float, then: Callable[[int], None] = lambda _number: None
    ) -> None:
        """Pay these orders at a steady pace, whatever happens to anybody; returns when the bank knows all.

        `then` is told after each how many were handed to the bank.
        """
        started, under_way = time.monotonic(), []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for number, each in enumerate(waiting):
                time.sleep(max(0.0, started + number / per_second - time.monotonic()))
                under_way.append(pool.submit(self._pay, each))
                then(number + 1)
            for one in under_way:
                one.result()

    def _pay(self, one: Order) -> None:
        self.sandbox.ask("POST", f"payments/{one.payment}", {"status": "paid"})

    # What the providers have in their books -------------------------------------------------------

    def let_in(self) -> set[str]:
        """E-mail addresses of everybody whom Kajabi lets in now."""
        members: list[dict[str, Any]] = self.sandbox.ask("GET", "kajabi/members")
        return {one["email"] for one in members if any(o["state"] == "granted" for o in one["offers"])}

    def outside(self, bought: Sequence[Order]) -> int:
        """How many of these buyers Kajabi does not let in."""
        return len({one.email for one in bought} - self.let_in())

    def payments_of_periods(self) -> dict[tuple[str, str], list[str]]:
        """Statuses of all payments at Mollie by customer and description, which names the period."""
        found: dict[tuple[str, str], list[str]] = {}
        for payment in self.sandbox.ask("GET", "state?include=payments")["payments"]:
            found.setdefault((payment["customer_id"], payment["description"]), []).append(payment["status"])
        return found

    def webhook_answers(self, bought: Sequence[Order]) -> list[int]:
        """What each attempt to deliver a webhook about these payments was answered; 0 for no answer."""
        subjects = {one.payment for one in bought}
        return [
            attempt["status"]
            for delivery in self.sandbox.ask("GET", "deliveries")
            if delivery["subject"] in subjects
            for attempt in delivery["attempts"]
        ]

    # What is in ours ------------------------------------------------------------------------------

    def debits(self, period: int) -> int:
        """How many debits of this period Mollie has confirmed to us."""
        query = select(func.count(Payment.id)).join(Charge, Charge.id == Payment.charge_id)
        with self.parts.database.read() as tx:
            return tx.scalar(query.where(Charge.period == period, Payment.mollie_id.is_not(None))) or 0

    def paid(self, period: int) -> int:
        """How many charges of this period are paid."""
        query = select(func.count(Charge.id)).where(Charge.period == period, Charge.paid_at.is_not(None))
        with self.parts.database.read() as tx:
            return tx.scalar(query) or 0
