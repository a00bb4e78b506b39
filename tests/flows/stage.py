"""The whole product on one thread: real services, jobs and adapters against the sandbox in process.

A test decides when messages are delivered, how often and in which order, and where the process
dies. What happened is read from the sandbox's books as well as from our own.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_api import KajabiApi
from linkpay.adapters.mollie import MollieProvider
from linkpay.clock import ManualClock
from linkpay.domain.calendar import day_starts_at
from linkpay.ports import Letter
from linkpay.sandbox.app import create_sandbox
from linkpay.sandbox.inprocess import KAJABI_HOST, MOLLIE_HOST
from linkpay.services.parts import Parts
from linkpay.store import due, work
from linkpay.store.db import Database
from linkpay.store.inbox import Message, receive
from linkpay.store.tables import Inbox, Outbox, Subscription
from tests.flows.books import KEY
from tests.flows.crash import Boundaries, Killed, fragile
from tests.flows.hands import BASE_URL, Hands
from tests.flows.shop import BOX, Shop, open_shop
from workers import jobs, sweep

_WATCHES = ("watch_site", "watch_kajabi")


def _next_due(table: type[Inbox] | type[Outbox], *only: ColumnElement[bool]) -> Select[datetime]:
    return select(func.min(table.run_at)).where(table.done_at.is_(None), table.parked_at.is_(None), *only)


# Asked for at every moment of every story.
_NEXT_MESSAGE, _NEXT_WORK = _next_due(Inbox), _next_due(Outbox)
_NEXT_BUT_WATCHES = _next_due(Outbox, Outbox.kind.not_in(_WATCHES))
_NEXT_NOTICE = select(func.min(Subscription.notice_look_at)).where(Subscription.next_charge_on.is_not(None))
_NEXT_DAYS = select(func.min(Subscription.next_charge_on), func.min(Subscription.not_before_on))
_IDLE = select(Outbox.id, Outbox.run_at).where(
    Outbox.kind.in_(_WATCHES), Outbox.lease.is_(None), Outbox.parked_at.is_(None)
)
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


class Letterbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)


class Posted(NamedTuple):
    """One webhook on its way: the site's token, and the payment's id or what Kajabi says."""

    token: str
    message: str


class Stage(Hands):
    """A shop, its sandbox, and time, which only moves here."""

    def __init__(self, database: Database, boundaries: Boundaries, start: datetime = START) -> None:
        self.database, self.boundaries, self.clock = database, boundaries, ManualClock(start)
        self.mailer = Letterbox()
        #: How webhooks come, and in which order rows are done; a test may change both.
        self.deliveries: Callable[[list[Posted]], Sequence[Posted]] = list
        self.order: Callable[[list[tuple[str, int]]], Sequence[tuple[str, int]]] = list
        #: What our edge answers to webhooks, and whether it handles them while Mollie waits.
        self.answer, self.eager = 200, False
        self.posted: list[Posted] = []
        self.hooked: set[str] = set()
        self._rung: dict[tuple[str, int], None] = {}
        self.database.ring = self._ring
        self.sandbox = create_sandbox(clock=self.clock, deliver=self._receive)
        # A second pair of eyes that no kill disturbs.
        self.bank_view = MollieProvider(f"http://{MOLLIE_HOST}")
        self.parts = Parts(
            database=self.database,
            clock=self.clock,
            box=BOX,
            payments=fragile(MollieProvider(f"http://{MOLLIE_HOST}"), self.boundaries),
            access=fragile(KajabiOffers([], test_hosts=[KAJABI_HOST]), self.boundaries),
            mailer=fragile(self.mailer, self.boundaries),
            directory=fragile(KajabiApi(f"http://{KAJABI_HOST}/kajabi"), self.boundaries),
            base_url=BASE_URL,
        )

    def set_up(self) -> None:
        """Open the shop."""
        self.shop = self.open_shop("studio", KEY)

    def open_shop(self, slug: str, key: str) -> Shop:
        """One more site, with its own Mollie account."""
        return open_shop(self.database, self.sandbox, slug, key, self.clock.now())

    def _receive(self, url: str, form: dict[str, str]) -> int:
        self.posted.append(Posted(url.rpartition("/")[2], form.get("id") or form["json"]))
        if self.eager:
            self._handle_now()
        return self.answer

    def _handle_now(self) -> None:
        self._post(self.posted.pop())
        for kind, row_id in self.due():
            if kind == "inbox":
                jobs.run(self.parts, kind, row_id)

    # Time and work --------------------------------------------------------------------------------

    def deliver(self) -> int:
        """Take what Mollie posts now and put it into the inbox, in the stage's way of delivering."""
        self.sandbox.pump()
        told = list(self.posted) if self.answer == 200 else []
        self.posted.clear()
        coming = list(self.deliveries(told))
        while coming:
            try:
                self._post(coming[0])
            except Killed:
                # Whoever gets no 200 posts again.
                self.posted += coming
                raise
            del coming[0]
        return len(told)

    def _post(self, posted: Posted, content_type: str = "application/json") -> None:
        source = "mollie" if posted.message.startswith("tr_") else "kajabi"
        self.post_raw(source, posted.message.encode(), content_type, posted.token)

    def stop_watching(self) -> None:
        """Put off the daily watch over the site, where a story is not about it."""
        now, site_id = self.clock.now(), self.shop.site_id
        with self.database.write() as tx:
            work.add(
                tx, site_id=site_id, kind="watch_site", ref=f"site:{site_id}", target_id=site_id, run_at=now,
                now=now,
            )  # fmt: skip
            watch = tx.query(Outbox).filter_by(kind="watch_site").one()
            watch.run_at = now + timedelta(days=999)

    def post(self, message: str, content_type: str = "application/json") -> None:
        """One webhook as the edge keeps it: the id of a payment, or what Kajabi says."""
        self._post(Posted(self.shop.token, message), content_type)

    def post_raw(self, source: str, body: bytes, content_type: str, token: str | None = None) -> None:
        """One webhook of any bytes."""
        ref = body.decode() if source == "mollie" else ""
        posted = Message(token or self.shop.token, source, ref, content_type, body, self.clock.now())
        with self.database.write() as tx:
            assert receive(tx, [posted]) == [True]

    def work(self) -> None:
        """Deliver and do everything that is due now, until nothing is."""
        for _ in range(200):
            try:
                if not self._work_once():
                    return
            except Killed:
                # A new process starts; what the old one held is free when its leases run out.
                self._rung.clear()
                # A webhook that it had not kept yet is found by the first look, a minute after the payment.
                self.clock.advance(timedelta(seconds=61))
        raise AssertionError(f"never quiet: {self.due()}")

    def _work_once(self) -> bool:
        """Do what was rung; when nothing was, let the sweep ring. False when it found nothing either."""
        delivered = self.deliver()
        turn = None if self._rung else sweep.turn(self.parts)
        rows = self.order(list(self._rung))
        self._rung.clear()
        for kind, row_id in rows:
            jobs.run(self.parts, kind, row_id)
        return bool(delivered or rows or (turn and turn.raised))

    def _ring(
        self, inbox_ids: Sequence[int], outbox_ids: Sequence[int], patient_ids: Sequence[int] = (), /
    ) -> None:
        self._rung |= dict.fromkeys(("inbox", row) for row in inbox_ids)
        self._rung |= dict.fromkeys(("outbox", row) for row in (*outbox_ids, *patient_ids))

    def due(self) -> list[tuple[str, int]]:
        """Rows that are due now and held by nobody."""
        with self.database.read() as tx:
            now = self.clock.now()
            rows = [("inbox", row) for row in due.ids(tx, Inbox, now, 1000)]
            return rows + [("outbox", row) for row in due.ids(tx, Outbox, now, 1000)]

    def advance(self, *, days: int = 0, hours: int = 0, minutes: int = 0) -> None:
        """Let time pass, stopping at every moment at which anything becomes due to do it."""
        self.advance_to(self.clock.now() + timedelta(days=days, hours=hours, minutes=minutes))

    def advance_to(self, goal: datetime, look: Callable[["Stage"], None] = lambda _: None) -> None:
        """Let time pass until `goal`, in the same way; `look` sees how it stands after every moment."""
        self.work()
        look(self)
        while self.clock.now() < goal:
            self._skip_idle_watches(goal)
            moment = self._next_moment(goal)
            self.sandbox.advance(max(moment - self.clock.now(), timedelta(seconds=1)))
            self.work()
            look(self)

    def _skip_idle_watches(self, goal: datetime) -> None:
        """Where days pass on which nothing happens, only the last of their watches is done: the others
        would see what the one before them saw."""
        event = self._next_moment(goal, _NEXT_BUT_WATCHES)
        with self.database.read() as tx:
            early = [
                (number, run_at + timedelta(days=(event - run_at).days))
                for number, run_at in tx.execute(_IDLE)
                if event - run_at >= timedelta(days=1)
            ]
        if early:
            # Not the transaction of a process that may die.
            with Database.write(self.database) as tx:
                for number, run_at in early:
                    tx.get_one(Outbox, number).run_at = run_at

    def _next_moment(self, goal: datetime, work_due: Select[datetime] = _NEXT_WORK) -> datetime:
        with self.database.read() as tx:
            waiting = [tx.scalar(_NEXT_MESSAGE), tx.scalar(work_due), tx.scalar(_NEXT_NOTICE)]
            due_on, told_on = tx.execute(_NEXT_DAYS).one()
        event = self.sandbox.call("GET", "/_sandbox/state")["next_event_at"]
        waiting.append(datetime.fromisoformat(event) if event else None)
        waiting += [day_starts_at(day, "Europe/Amsterdam") for day in (due_on, told_on) if day]
        return min([at for at in waiting if at is not None and at > self.clock.now()] + [goal])
