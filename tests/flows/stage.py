"""The whole product on one thread: real services, jobs and adapters against the sandbox in process.

A test decides when messages are delivered, how often and in which order, and where the process
dies. What happened is read from the sandbox's books as well as from our own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cryptography.fernet import Fernet
from sqlalchemy import func, select

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.mollie import MollieProvider
from linkpay.clock import ManualClock
from linkpay.domain.calendar import Unit, day_starts_at
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import SubscriptionEvent
from linkpay.ports import AccessOrder, Letter
from linkpay.sandbox.app import Sandbox, create_sandbox
from linkpay.sandbox.inprocess import KAJABI_HOST, MOLLIE_HOST
from linkpay.services import checkout, lifecycle
from linkpay.services.parts import Parts
from linkpay.store import inbox, sites, subscriptions, work
from linkpay.store.db import Database
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Charge, Inbox, Offer, Outbox, Plan, Site, Subscription
from tests.flows.books import KEY, Books
from tests.flows.crash import Boundaries, Killed, fragile
from workers import jobs, sweep

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
BASE_URL = "https://pay.example.com"
Result = TypeVar("Result")
_BOX = SecretBox([Fernet.generate_key().decode()])


class Letterbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)


@dataclass
class Stage(Books):
    """One site with one offer, its sandbox, and the hands that move everything."""

    database: Database
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    mailer: Letterbox = field(default_factory=Letterbox)
    deliveries: Callable[[list[str]], Sequence[str]] = list
    order: Callable[[list[tuple[str, int]]], Sequence[tuple[str, int]]] = list
    site_id: int = 0
    offer_id: int = 0
    token: str = "stage-webhook-token"
    kajabi: dict[str, str] = field(default_factory=dict)
    boundaries: Boundaries = field(default_factory=Boundaries)

    def __post_init__(self) -> None:
        self.posted: list[str] = []
        self.hooked: set[str] = set()
        #: What our edge answers to webhooks, and whether it handles them while Mollie waits.
        self.answer, self.eager = 200, False
        self._rung: dict[tuple[str, int], None] = {}
        self.database.ring = self._ring
        self.sandbox: Sandbox = create_sandbox(clock=self.clock, deliver=self._receive)
        # A second pair of eyes that no kill disturbs.
        self.bank_view = MollieProvider(f"http://{MOLLIE_HOST}")
        self.parts = Parts(
            database=self.database,
            clock=self.clock,
            box=_BOX,
            payments=fragile(MollieProvider(f"http://{MOLLIE_HOST}"), self.boundaries),
            access=fragile(KajabiOffers([], test_hosts=[KAJABI_HOST]), self.boundaries),
            mailer=fragile(self.mailer, self.boundaries),
            base_url=BASE_URL,
        )

    def set_up(self) -> None:
        """Make the site, its offer at the sandbox's Kajabi, and its plans."""
        kajabi_site = self.sandbox.call("POST", "/_sandbox/kajabi/sites", {"name": "Studio Vecht"})
        made = self.sandbox.call(
            "POST", "/_sandbox/kajabi/offers",
            {"site_id": kajabi_site["id"], "title": "Members", "products": ["Course"]},
        )  # fmt: skip
        self.kajabi = {"site": kajabi_site["id"], "offer": made["id"]}
        now = self.clock.now()
        with self.database.write() as tx:
            site = Site(slug="studio", token=self.token, name="Studio Vecht", created_at=now)
            tx.add(site)
            tx.flush()
            site.mollie_key_sealed = _BOX.seal(site.id, "mollie_key", KEY)
            offer = Offer(
                site_id=site.id, slug="members", title="Members", kajabi_offer_id=made["id"],
                activation_url_sealed=_BOX.seal(site.id, "activation_url", made["activation_url"]),
                deactivation_url_sealed=_BOX.seal(site.id, "deactivation_url", made["deactivation_url"]),
                created_at=now,
            )  # fmt: skip
            tx.add(offer)
            tx.flush()
            self.site_id, self.offer_id = site.id, offer.id
            for slug, kind, cents, unit, periods in (
                ("monthly", PlanKind.MEMBERSHIP, 5000, Unit.MONTH, None),
                ("weekly", PlanKind.MEMBERSHIP, 1500, Unit.WEEK, None),
                ("terms", PlanKind.INSTALMENTS, 10000, Unit.MONTH, 3),
                ("once", PlanKind.ONE_TIME, 27500, Unit.MONTH, 1),
            ):
                plan = Plan(site_id=site.id, offer_id=offer.id, slug=slug, title=slug, created_at=now)
                plan.kind, plan.amount_cents, plan.interval_unit, plan.periods = kind, cents, unit, periods
                tx.add(plan)

    # What people and providers do -----------------------------------------------------------------

    def begin(self, email: str, plan: str = "monthly") -> Charge:
        """Fill in the checkout; the first charge."""
        with self.database.write() as tx:
            found = sites.plan(tx, self.site_id, plan)
            assert found is not None
            site = sites.get(tx, self.site_id)
            buyer = checkout.Buyer("Anna de Vries", email, "nl")
            _, charge = checkout.begin(tx, site, found, buyer, "I agree", self.clock.now())
            return charge

    def go_pay(self, charge: Charge) -> checkout.Result:
        """Press the pay button of a charge."""
        return checkout.pay(self.parts, charge.id)

    def bank(self, payment_id: str, status: str, reason: str | None = None, **more: str) -> None:
        """What the bank or the buyer makes of a payment."""
        body = {"status": status} | ({"reason": reason} if reason else {}) | more
        self.sandbox.call("POST", f"/_sandbox/payments/{payment_id}", body)

    def insist(self, act: Callable[[], Result]) -> Result:
        """Do what a person does; when the page dies, she presses again."""
        for _ in range(20):
            try:
                return act()
            except Killed:
                self.clock.advance(timedelta(seconds=2))
        raise AssertionError("the page never works")

    def buy(self, email: str, plan: str = "monthly") -> Subscription:
        """A whole purchase, paid, and worked off."""
        charge = self.insist(lambda: self.begin(email, plan))
        self.pay_by_link(charge)
        return self.subscription(email)

    def pay_by_link(self, charge: Charge) -> None:
        """Press pay until there is an address, and pay there."""
        for _ in range(20):
            if isinstance(self.insist(lambda: self.go_pay(charge)), checkout.Redirect):
                self.bank(self.mollie_ids(charge.id)[-1], "paid")
                self.work()
                return
            self.clock.advance(timedelta(minutes=4))
        raise AssertionError("no address to pay at")

    def buy_at_kajabi(self, email: str, shape: str = "A") -> None:
        """Buy in Kajabi's own shop: Kajabi lets her in by itself, and tells us in one of its shapes."""
        if shape not in self.hooked:
            target = f"{BASE_URL}/webhooks/kajabi/{self.token}"
            hook = {"site_id": self.kajabi["site"], "target_url": target, "shape": shape}
            self.sandbox.call("POST", "/_sandbox/kajabi/hooks", hook)
            self.hooked.add(shape)
        sale = {"offer_id": self.kajabi["offer"], "email": email, "name": "Anna de Vries"}
        self.sandbox.call("POST", "/_sandbox/kajabi/purchases", sale)

    def order_at(self, url: str, email: str, external_user_id: str) -> AccessOrder:
        """A grant at an address of Kajabi, as another cart would send it."""
        return AccessOrder(url, grant=True, name="Anna", email=email, external_user_id=external_user_id)

    def make_due(self, row: Outbox) -> None:
        """Let a piece of work be done now, again if it was done."""
        with self.database.write() as tx:
            again = tx.get_one(Outbox, row.id)
            again.done_at, again.parked_at, again.run_at = None, None, self.clock.now()

    def stop(self, email: str) -> None:
        """End her subscription for good."""
        with self.database.write() as tx:
            held = subscriptions.lock(tx, self.subscription(email).id)
            lifecycle.end(tx, held, SubscriptionEvent.STOPPED, "owner", self.clock.now())

    def disturb(self, kind: str, match: str = "", target: str = "mollie", count: int = 1) -> None:
        """Let Mollie or Kajabi misbehave from now on."""
        fault = {"target": target, "match": match, "kind": kind, "count": count}
        self.sandbox.call("POST", "/_sandbox/faults", fault)

    def calm(self) -> None:
        """No more disturbances."""
        self.sandbox.call("DELETE", "/_sandbox/faults")

    def _receive(self, _url: str, form: dict[str, str]) -> int:
        self.posted.append(form.get("id") or form["json"])
        if self.eager:
            self._handle_now()
        return self.answer

    def _handle_now(self) -> None:
        self.post(self.posted.pop())
        for kind, row_id in self.due():
            if kind == "inbox":
                jobs.run(self.parts, kind, row_id)

    # Time and work --------------------------------------------------------------------------------

    def deliver(self) -> int:
        """Take what Mollie posts now and put it into the inbox, in the stage's way of delivering."""
        self.sandbox.pump()
        told = list(self.posted) if self.answer == 200 else []
        self.posted.clear()
        for message in self.deliveries(told):
            self.post(message)
        return len(told)

    def stop_watching(self) -> None:
        """Put off the daily watch over the site, where a story is not about it."""
        with self.database.write() as tx:
            work.add(
                tx, site_id=self.site_id, kind="watch_site", ref=f"site:{self.site_id}", now=self.clock.now(),
                target_id=self.site_id, run_at=self.clock.now(),
            )  # fmt: skip
            watch = tx.query(Outbox).filter_by(kind="watch_site").one()
            watch.run_at = self.clock.now() + timedelta(days=999)

    def post(self, message: str, content_type: str = "") -> None:
        """One webhook as the edge keeps it: the id of a payment, or what Kajabi says."""
        source = "mollie" if message.startswith("tr_") else "kajabi"
        self.post_raw(source, message.encode(), content_type or "application/json")

    def post_raw(self, source: str, body: bytes, content_type: str) -> None:
        """One webhook of any bytes."""
        with self.database.write() as tx:
            assert inbox.receive(
                tx, token=self.token, source=source, ref=body.decode() if source == "mollie" else "",
                content_type=content_type, body=body, now=self.clock.now(),
            )  # fmt: skip

    def work(self) -> None:
        """Deliver and do everything that is due now, until nothing is."""
        for _ in range(200):
            try:
                if not self._work_once():
                    return
            except Killed:
                # A new process starts; what the old one held is free when its leases run out.
                self._rung.clear()
                self.clock.advance(work.LEASE + timedelta(seconds=1))
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

    def _ring(self, inbox_ids: Sequence[int], outbox_ids: Sequence[int]) -> None:
        self._rung |= dict.fromkeys(("inbox", row) for row in inbox_ids)
        self._rung |= dict.fromkeys(("outbox", row) for row in outbox_ids)

    def due(self) -> list[tuple[str, int]]:
        """Rows that are due now and held by nobody."""
        with self.database.read() as tx:
            now = self.clock.now()
            rows = [("inbox", row) for row in work.due_ids(tx, Inbox, now, 1000)]
            return rows + [("outbox", row) for row in work.due_ids(tx, Outbox, now, 1000)]

    def advance(self, *, days: int = 0, hours: int = 0, minutes: int = 0) -> None:
        """Let time pass, stopping at every moment at which anything becomes due to do it."""
        goal = self.clock.now() + timedelta(days=days, hours=hours, minutes=minutes)
        self.work()
        while self.clock.now() < goal:
            self.sandbox.advance(max(self._next_moment(goal) - self.clock.now(), timedelta(seconds=1)))
            self.work()

    def _next_moment(self, goal: datetime) -> datetime:
        with self.database.read() as tx:
            waiting = [work.next_due_at(tx, Inbox), work.next_due_at(tx, Outbox)]
            due_on = tx.scalar(select(func.min(Subscription.next_charge_on)))
        event = self.sandbox.call("GET", "/_sandbox/state")["next_event_at"]
        waiting.append(datetime.fromisoformat(event) if event else None)
        waiting.append(day_starts_at(due_on, "Europe/Amsterdam") if due_on else None)
        return min([at for at in waiting if at is not None and at > self.clock.now()] + [goal])
