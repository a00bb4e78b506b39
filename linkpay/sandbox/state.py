"""The sandbox's books: every record in memory, in order of creation, found by id or by an index.

All access happens under `Books.lock`. What changed is noted for the storage, which writes it behind.
"""

import heapq
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any, Generic, TypeVar

from linkpay.sandbox import ids, records
from linkpay.sandbox.kajabi import records as kajabi
from linkpay.sandbox.records import Record

R = TypeVar("R", bound=Record)

#: Timers that only clean up: nobody need wake up for them.
HOUSEKEEPING = frozenset({"forget_replay"})


class Table(Generic[R]):
    """All records of one kind. Indexed fields change through `reindex` only."""

    def __init__(self, books: "Books", kind: type[R], *indexes: str) -> None:
        self.kind = kind
        self.name = kind.__name__
        self.rows: dict[str, R] = {}
        self._books = books
        self._indexes: dict[str, dict[object, dict[str, R]]] = {index: {} for index in indexes}

    def add(self, record: R) -> R:
        self.load(record)
        self.save(record)
        return record

    def load(self, record: R) -> None:
        """Take in a record that is stored already."""
        self.rows[record.id] = record
        for name, index in self._indexes.items():
            index.setdefault(getattr(record, name), {})[record.id] = record

    def get(self, record_id: str | None) -> R | None:
        return self.rows.get(record_id) if record_id is not None else None

    def save(self, record: R) -> None:
        """Note that `record` changed."""
        self._books.dirty[(self.name, record.id)] = record

    def drop(self, record: R) -> None:
        self.rows.pop(record.id, None)
        for name, index in self._indexes.items():
            index.get(getattr(record, name), {}).pop(record.id, None)
        self._books.dirty[(self.name, record.id)] = None

    def reindex(self, record: R, index: str, value: object) -> None:
        """Change an indexed field of a record that is in the table."""
        self._indexes[index].get(getattr(record, index), {}).pop(record.id, None)
        setattr(record, index, value)
        self._indexes[index].setdefault(value, {})[record.id] = record
        self.save(record)

    def where(self, index: str, value: object) -> list[R]:
        """The records whose indexed field has this value, oldest first."""
        return list(self._indexes[index].get(value, {}).values())

    def first(self, index: str, value: object) -> R | None:
        return next(iter(self._indexes[index].get(value, {}).values()), None)

    def clear(self) -> None:
        self.rows.clear()
        for index in self._indexes.values():
            index.clear()

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)


class Books:
    """All tables, the timers, and the note of what the storage still has to write."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.dirty: dict[tuple[str, str], Record | None] = {}
        self.cleared = False
        self.organizations = Table(self, records.Organization, "credential")
        self.profiles = Table(self, records.Profile, "organization_id")
        self.clients = Table(self, records.Client)
        self.tokens = Table(self, records.Token, "organization_id")
        self.customers = Table(self, records.Customer, "scope")
        self.mandates = Table(self, records.Mandate, "customer_id")
        self.payments = Table(
            self, records.Payment, "scope", "customer_id", "subscription_id", "checkout_token"
        )
        self.refunds = Table(self, records.Refund, "scope", "payment_id")
        self.chargebacks = Table(self, records.Chargeback, "scope", "payment_id")
        self.captures = Table(self, records.Capture, "payment_id")
        self.subscriptions = Table(self, records.Subscription, "scope", "customer_id")
        self.replays = Table(self, records.Replay)
        self.fates = Table(self, records.Fate)
        self.deliveries = Table(self, records.Delivery, "subject")
        self.faults = Table(self, records.Fault)
        self.hooks = Table(self, records.Hook, "scope")
        self.events = Table(self, records.Event, "scope")
        self.mails = Table(self, records.Mail)
        self.sites = Table(self, kajabi.Site, "client_id")
        self.offers = Table(self, kajabi.Offer, "site_id", "token")
        self.products = Table(self, kajabi.Product, "site_id")
        self.members = Table(self, kajabi.Member, "site_id", "email", "external_id")
        self.purchases = Table(self, kajabi.Purchase, "site_id", "member_id")
        self.kajabi_hooks = Table(self, kajabi.KajabiHook, "site_id")
        self.tags = Table(self, kajabi.Tag, "site_id")
        self.timers = Table(self, records.Timer, "ref")
        self._heap: list[tuple[datetime, int, records.Timer]] = []
        self._ticket = count()

    def tables(self) -> dict[str, Table[Any]]:
        """Every table by the name of its kind."""
        return {table.name: table for table in vars(self).values() if isinstance(table, Table)}

    def clear(self) -> None:
        """Forget everything."""
        for table in self.tables().values():
            table.clear()
        self._heap.clear()
        self.dirty.clear()
        self.cleared = True

    def schedule(self, due_at: datetime, kind: str, ref: str, now: datetime) -> records.Timer:
        """Let `kind` happen to `ref` at `due_at`."""
        timer = records.Timer(id=ids.word(16), created_at=now, due_at=due_at, kind=kind, ref=ref)
        self.timers.add(timer)
        self.push(timer)
        return timer

    def push(self, timer: records.Timer) -> None:
        heapq.heappush(self._heap, (timer.due_at, next(self._ticket), timer))

    def cancel_timers(self, ref: str, kind: str | None = None) -> None:
        """Let nothing (of this kind) happen to `ref` any more."""
        for timer in self.timers.where("ref", ref):
            if kind is None or timer.kind == kind:
                self.timers.drop(timer)

    def next_event(self) -> records.Timer | None:
        """The timer that is due first of those that anybody outside can notice."""
        seen = (timer for timer in self.timers if timer.kind not in HOUSEKEEPING)
        return min(seen, key=lambda timer: timer.due_at, default=None)

    def next_timer(self) -> records.Timer | None:
        """The timer that is due first, left in place."""
        while self._heap:
            timer = self._heap[0][2]
            if self.timers.get(timer.id) is timer:
                return timer
            heapq.heappop(self._heap)
        return None
