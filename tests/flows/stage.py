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
from linkpay.ports import Letter
from linkpay.sandbox.app import Sandbox, create_sandbox
from linkpay.sandbox.inprocess import KAJABI_HOST, MOLLIE_HOST
from linkpay.services import checkout
from linkpay.services.parts import Parts
from linkpay.store import charges, inbox, sites, subscriptions, work
from linkpay.store.db import Database, Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Charge, Grant, Inbox, Mail, Member, Offer, Outbox, Plan, Site, Subscription
from linkpay.store.tables.people import Access
from tests.flows.crash import Boundaries, Killed, fragile
from workers import jobs, sweep

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
KEY = "test_stageofourown"
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
class Stage:
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
        self.posted: list[tuple[str, str]] = []
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

    def bank(self, payment_id: str, status: str, reason: str | None = None) -> None:
        """What the bank or the buyer makes of a payment."""
        body = {"status": status} | ({"reason": reason} if reason else {})
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

    def _receive(self, url: str, form: dict[str, str]) -> int:
        self.posted.append((url, form["id"]))
        return 200

    # Time and work --------------------------------------------------------------------------------

    def deliver(self) -> int:
        """Take what Mollie posts now and put it into the inbox, in the stage's way of delivering."""
        self.sandbox.pump()
        ids = [payment_id for _, payment_id in self.posted]
        self.posted.clear()
        for payment_id in self.deliveries(ids):
            self.post(payment_id)
        return len(ids)

    def stop_watching(self) -> None:
        """Put off the daily watch over the site, where a story is not about it."""
        with self.database.write() as tx:
            work.add(
                tx, site_id=self.site_id, kind="watch_site", ref=f"site:{self.site_id}", now=self.clock.now(),
                target_id=self.site_id, run_at=self.clock.now(),
            )  # fmt: skip
            watch = tx.query(Outbox).filter_by(kind="watch_site").one()
            watch.run_at = self.clock.now() + timedelta(days=999)

    def post(self, payment_id: str) -> None:
        """One classic webhook, as the edge keeps it."""
        with self.database.write() as tx:
            assert inbox.receive(
                tx, token=self.token, source="mollie", ref=payment_id, content_type="form",
                body=payment_id.encode(), now=self.clock.now(),
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

    # What there is --------------------------------------------------------------------------------

    def subscription(self, email: str) -> Subscription:
        """The member's newest subscription."""
        with self.database.read() as tx:
            member = self._member(tx, email)
            return subscriptions.for_access(tx, member.id, self.offer_id)[-1]

    def charges(self, email: str) -> Sequence[Charge]:
        """All charges of the member's newest subscription."""
        with self.database.read() as tx:
            return charges.of_subscription(tx, self.subscription(email).id)

    def grant(self, email: str) -> Grant | None:
        """The member's grant."""
        with self.database.read() as tx:
            member = self._member(tx, email)
            return next(
                (g for g in tx.query(Grant).filter_by(member_id=member.id, offer_id=self.offer_id)), None
            )

    def _member(self, tx: Tx, email: str) -> Member:
        return tx.query(Member).filter_by(site_id=self.site_id, email=email).one()

    def mollie_ids(self, charge_id: int) -> list[str]:
        """Ids at Mollie of all attempts for a charge."""
        with self.database.read() as tx:
            return [p.mollie_id for p in charges.payments(tx, charge_id) if p.mollie_id]

    def has_access(self, email: str) -> bool:
        """Whether Kajabi, not we, lets the member in."""
        members = self.sandbox.call("GET", f"/_sandbox/kajabi/members?email={email}")
        members = members if isinstance(members, list) else members["members"]
        return any(offer["state"] == "granted" for member in members for offer in member["offers"])

    def in_step(self, email: str) -> bool:
        """Whether what we wanted, what we applied and what Kajabi has are the same."""
        grant = self.grant(email)
        wanted = grant is not None and grant.wanted is Access.GRANTED
        applied = grant is not None and grant.applied is Access.GRANTED
        return wanted == applied == self.has_access(email)

    def status(self, payment_id: str) -> str:
        """A payment's status at Mollie."""
        return self.bank_view.fetch_payment(KEY, payment_id).status.value

    def open_at_mollie(self) -> list[str]:
        """Ids of payments that buyers can still pay, newest first."""
        return [p.id for p in self.bank_view.list_payments(KEY, limit=100) if p.status.value == "open"]

    def kept_cents(self) -> int:
        """What Mollie holds for the site after refunds and chargebacks."""
        paid = [p for p in self.bank_view.list_payments(KEY, limit=1000) if p.status.value == "paid"]
        return sum(p.amount.cents - p.refunded_cents - p.charged_back_cents for p in paid)

    def mail_kinds(self) -> list[str]:
        """Kinds of all mails that left, oldest first."""
        with self.database.read() as tx:
            return [mail.kind for mail in tx.query(Mail).order_by(Mail.sent_at) if mail.sent_at]
