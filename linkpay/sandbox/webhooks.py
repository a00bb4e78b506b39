"""Outgoing webhooks: what is to be delivered, in which order, and when it is tried again.

The courier never works under the lock of the books: it takes a delivery, calls the address, and notes
the answer afterwards. Retries follow Mollie's table (docs, webhooks overview) on the sandbox clock;
Kajabi documents none and gets none.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from linkpay.sandbox import faults, ids
from linkpay.sandbox.records import Delivery
from linkpay.sandbox.state import Books

RETRY_MINUTES = (0, 1, 3, 7, 15, 31, 60, 120, 240, 1560)
KEPT = 5_000

Post = Callable[[Delivery], int]
Now = Callable[[], datetime]


class Finished(Protocol):
    """Told after the last attempt of a delivery, under the lock."""

    def __call__(self, delivery: Delivery, delivered: bool) -> None: ...


class Courier:
    """Delivers webhooks, through `post` (which returns the HTTP status, or 0 when there was none)."""

    def __init__(self, books: Books, now: Now, post: Post, finished: Finished) -> None:
        self._books = books
        self._now = now
        self._post = post
        self._finished = finished
        self._ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._early = threading.local()
        self._held: deque[str] = deque()
        self._after: dict[str, str] = {}
        self._threads: list[threading.Thread] = []
        self._unanswered = 0
        self.open: dict[str, Delivery] = {}

    def send(self, delivery: Delivery) -> None:
        """Take on a delivery (call it under the lock); faults for webhooks hit here."""
        books = self._books
        books.deliveries.add(delivery)
        self._forget_old()
        target = "kajabi" if delivery.kind == "kajabi" else "mollie"
        kind = faults.take(books, target, delivery.url, lambda kind: kind in faults.WEBHOOK_KINDS)
        if kind == "webhook_lost":
            delivery.state = "lost"
            return
        self.open[delivery.id] = delivery
        if kind == "webhook_reordered":
            delivery.held = True
            self._held.append(delivery.id)
            return
        if kind == "webhook_twice":
            delivery.copies = 2
        while self._held:
            self._after[delivery.id] = self._held.popleft()
        if kind == "webhook_early":
            self._early.deliveries = [*self._early_ones(), delivery]
        else:
            self._queue(delivery.id)

    def _queue(self, delivery_id: str) -> None:
        with self._books.lock:
            self._unanswered += 1
        self._ready.put(delivery_id)

    def _forget_old(self) -> None:
        table = self._books.deliveries
        if len(table) <= KEPT:
            return
        for delivery in list(table)[: KEPT // 10]:
            if delivery.state != "waiting":
                table.drop(delivery)

    def take_early(self) -> list[Delivery]:
        """Deliveries that must arrive before the answer that this thread is about to give."""
        early = self._early_ones()
        self._early.deliveries = []
        return early

    def _early_ones(self) -> list[Delivery]:
        found: list[Delivery] = getattr(self._early, "deliveries", [])
        return found

    def release(self) -> None:
        """Let go of what a reordering still holds (call it under the lock)."""
        while self._held:
            self._queue(self._held.popleft())

    def resume(self) -> None:
        """After a restart: take up what was waiting and has no retry planned."""
        for delivery in self._books.deliveries:
            if delivery.state == "waiting":
                delivery.held = False
                self.open[delivery.id] = delivery
                if self._books.timers.first("ref", delivery.id) is None:
                    self._queue(delivery.id)

    def retry(self, delivery_id: str) -> None:
        """A retry is due (called by the clock)."""
        if delivery_id in self.open:
            self._queue(delivery_id)

    def waiting(self) -> int:
        """How many deliveries could be made right now, those under way included."""
        return self._unanswered

    def start(self, threads: int) -> None:
        """Deliver in the background."""
        for number in range(threads):
            thread = threading.Thread(target=self._work, name=f"sandbox-courier-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def settle(self, until: float) -> None:
        """Wait until the background has nothing left to deliver, at most until `until` (monotonic)."""
        while self._threads and self.waiting() and time.monotonic() < until:
            time.sleep(0.001)

    def take(self) -> list[Delivery]:
        """Take what is ready out of the queue, to be attempted in another order, twice, or never."""
        taken = []
        while (delivery_id := self._next_ready()) is not None:
            self._answered()
            delivery = self.open.get(delivery_id)
            if delivery is not None:
                taken.append(delivery)
        return taken

    def _next_ready(self) -> str | None:
        try:
            return self._ready.get_nowait()
        except queue.Empty:
            return None

    def stop(self) -> None:
        """End the background threads; what waits stays in the books."""
        for _ in self._threads:
            self._ready.put(None)

    def _work(self) -> None:
        while (delivery_id := self._ready.get()) is not None:
            self._attempt_by_id(delivery_id)

    def pump(self, limit: int | None = None) -> int:
        """Make the attempts that are ready, in order, in this thread; return how many were made."""
        made = 0
        while (limit is None or made < limit) and (delivery_id := self._next_ready()) is not None:
            self._attempt_by_id(delivery_id)
            made += 1
        return made

    def _attempt_by_id(self, delivery_id: str) -> None:
        try:
            delivery = self.open.get(delivery_id)
            if delivery is not None:
                self.attempt(delivery)
        finally:
            self._answered()

    def _answered(self) -> None:
        with self._books.lock:
            self._unanswered -= 1

    def attempt(self, delivery: Delivery) -> None:
        """One attempt, now, in this thread (twice when the delivery was doubled)."""
        with self._books.lock:
            copies, delivery.copies = delivery.copies, 1
            sent_at = self._now()
        status = 0
        started = time.perf_counter()
        try:
            for _ in range(copies):
                status = self._post(delivery)
        finally:
            millis = round((time.perf_counter() - started) * 1000, 1)
            with self._books.lock:
                self._note(delivery, sent_at, status, millis)

    def _note(self, delivery: Delivery, sent_at: datetime, status: int, millis: float) -> None:
        """Write down an attempt and plan what follows."""
        books = self._books
        if books.deliveries.get(delivery.id) is None:
            return
        delivery.attempts.append({"at": sent_at.isoformat(), "status": status, "ms": millis})
        books.deliveries.save(delivery)
        follower = self._after.pop(delivery.id, None)
        if follower is not None:
            self._queue(follower)
        delivered, tries = status == 200, len(RETRY_MINUTES)
        if delivery.kind == "kajabi":
            delivered, tries = 200 <= status < 300, 1
        if delivered or len(delivery.attempts) >= tries:
            delivery.state = "delivered" if delivered else "given_up"
            self.open.pop(delivery.id, None)
            self._finished(delivery, delivered)
            return
        first = datetime.fromisoformat(delivery.attempts[0]["at"])
        due_at = first + timedelta(minutes=RETRY_MINUTES[len(delivery.attempts)])
        books.schedule(due_at, "retry_delivery", delivery.id, self._now())

    def forget(self) -> None:
        """After a reset: nothing waits any more (call it under the lock)."""
        self.take()
        self.open.clear()
        self._held.clear()
        self._after.clear()


def classic(payment_id: str, url: str, now: datetime, source: str) -> Delivery:
    """Mollie's classic webhook: a form with nothing but the id."""
    return Delivery(
        id=ids.fresh("dlv", 12),
        created_at=now,
        kind="classic",
        url=url,
        subject=payment_id,
        body=f"id={payment_id}",
        content_type="application/x-www-form-urlencoded",
        headers={"User-Agent": "Mollie HTTP client/1.0", "Accept": "*/*"},
        source=source,
    )
