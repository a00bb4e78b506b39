"""What happens by itself when time passes, strictly in the order in which it is due."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from linkpay.sandbox.mollie import idempotency, passage, refunds, renewals
from linkpay.sandbox.world import World

STOP_SECONDS = 3.0
PATIENCE = 2.0
"""Seconds that one move of the clock waits in all for webhooks before time goes on without them."""

Happening = Callable[[World, str], object]


def _charge_back(world: World, payment_id: str) -> None:
    payment = world.books.payments.get(payment_id)
    if payment is not None and payment.paid_at is not None:
        passage.charge_back(world, payment, (payment.fate or {}).get("reason", "MD06"))


def _retry(world: World, delivery_id: str) -> None:
    world.courier.retry(delivery_id)


HAPPENINGS: dict[str, Happening] = {
    "expire_payment": passage.expire,
    "settle_debit": passage.settle_debit,
    "validate_mandate": passage.validate_mandate,
    "charge_back": _charge_back,
    "process_refund": refunds.process,
    "finish_refund": refunds.finish,
    "forget_replay": idempotency.forget,
    "renew": renewals.renew,
    "retry_delivery": _retry,
}


class Life:
    """Moves the clock and lets due things happen."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._advancing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def happen_until(self, moment: datetime) -> int:
        """Let everything due up to `moment` happen; the clock steps to each event. Returns how many."""
        count = 0
        while self._next(moment, 0.0):
            count += 1
        return count

    def _next(self, moment: datetime, patient_until: float) -> bool:
        """The next due thing, after the webhooks of the moments before it were delivered."""
        world = self._world
        with world.books.lock:
            upcoming = world.books.next_timer()
        if upcoming is not None and world.now() < upcoming.due_at <= moment:
            world.courier.settle(patient_until)
        with world.books.lock:
            timer = world.books.next_timer()
            if timer is None or timer.due_at > moment:
                return False
            behind = timer.due_at - world.now()
            if behind > timedelta(0):
                world.clock.advance(behind)
            world.books.timers.drop(timer)
            HAPPENINGS[timer.kind](world, timer.ref)
            early = world.courier.take_early()
        for delivery in early:
            world.courier.attempt(delivery)
        return True

    def advance(self, by: timedelta) -> datetime:
        """Move time forward by `by`; return the new now when all that became due is final."""
        with self._advancing:
            world = self._world
            moment, patient_until = world.now() + by, time.monotonic() + PATIENCE
            while self._next(moment, patient_until):
                pass
            with world.books.lock:
                left = moment - world.now()
                if left > timedelta(0):
                    world.clock.advance(left)
            world.courier.settle(patient_until)
            self.happen_until(moment)
            return world.now()

    def start(self) -> None:
        """Let time pass by itself in the background."""
        self._thread = threading.Thread(target=self._tick, name="sandbox-life", daemon=True)
        self._thread.start()

    def _tick(self) -> None:
        while not self._stop.wait(0.1):
            self.happen_until(self._world.now())

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
