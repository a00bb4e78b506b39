"""A schedule: one seed decides who buys, what banks say, in which order messages come, and what goes wrong.

Everything runs on one thread against the real application and job code. A seed also decides which kinds of
trouble there are at all, and which of the nets that catch lost work is missing, since a net that is always
there hides the holes in the others.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from linkpay.domain.leaving import CancelMode
from linkpay.errors import Conflict, InputError
from linkpay.sandbox.mollie import refunds
from linkpay.sandbox.records import Payment
from linkpay.services import membership
from linkpay.store.tables import Charge, Outbox, Subscription
from tests.flows.crash import Killed
from tests.flows.stage import Posted, Stage
from tests.model import director, oracle
from tests.model.director import Director
from workers import jobs, sweep

PEOPLE = ("anna@example.com", "bea@example.com")
_STEPS = 40
_LONG = timedelta(days=1)
_SOFT, _HARD = ("AM04", "MS03"), ("AC04", "MD01", "MD06")
NETS = ("none missing", "no webhooks", "no rings", "no poller")


@dataclass
class Walk:
    """One schedule on one stage."""

    stage: Stage
    seed: int
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        # The product's own jitter, so that a seed tells the same story twice.
        random.seed(self.seed)
        boundaries = self.stage.boundaries
        assert isinstance(boundaries, Director)
        self.director: Director = boundaries
        self.net = self.missing = self.dice.choice(NETS)
        self.waiting: list[Posted] = []
        self.stage.deliveries = self._hold
        trouble = {"kill": 2, "pause": 1, "other": 2, "fault": 4, "none": 6}
        self.swept_at = self.stage.clock.now()
        self.back_at: datetime | None = None
        self.troubles = [name for name in trouble if name == "none" or self.dice.random() < 0.6]
        self.rate = self.dice.choice((0.0, 0.01, 0.03, 0.1))

    def _hold(self, posted: list[Posted]) -> list[Posted]:
        """What Mollie posts waits for this schedule to deliver it, in its own order."""
        self.waiting += posted
        return []

    def run(self) -> None:
        """All of it. Raises an AssertionError that names the seed."""
        try:
            self.director.begin(self.stage)
            self.director.chance = self._chance
            for _ in range(_STEPS):
                self._step()
            self.come_to_rest()
            oracle.right(self.stage, self.back_at)
        except Exception as wrong:  # whatever it is, the seed must be told
            story = "\n  ".join(self.told)
            said = f"seed {self.seed} ({self.net}): {type(wrong).__name__} {wrong}\n  {story}"
            raise AssertionError(said) from wrong

    def _chance(self, name: str) -> str | None:
        if self.dice.random() >= self.rate:
            return None
        family = self.dice.choice(self.troubles)
        possible = [kind for kind in director.kinds(name) if _family(kind) == family]
        kind = self.dice.choice(possible) if possible else None
        if (kind, name) == director.THAWED:
            return None  # the scripts tell it, and hold it to what can be held: the money is kept once
        if kind is not None:
            self.told.append(f"    {kind} {name}")
        return kind

    def _step(self) -> None:
        acts: list[tuple[int, Callable[[], object]]] = [
            (3, self.buy), (3, self.pay), (3, self.bank), (1, self.take_back), (1, self.send_back),
            (1, self.leave), (1, self.stay), (1, self.pay_bill), (6, self.deliver), (8, self.work),
            (3, self.sweep), (1, self.wipe), (3, self.wait), (4, self.go_on),
        ]  # fmt: skip
        act = self.dice.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
        self.told.append(act.__name__)
        try:
            act()
        except Killed:
            self._die()
        oracle.safe(self.stage)

    def _die(self) -> None:
        """What the process knew is gone; what was rung is answered by nobody."""
        self.stage._rung.clear()
        self.stage.clock.advance(timedelta(seconds=2))

    # People and banks -----------------------------------------------------------------------------

    def buy(self) -> None:
        """Somebody fills in the checkout and presses pay."""
        email = self.dice.choice(PEOPLE)
        try:
            charge = self.stage.insist(lambda: self.stage.begin(email))
        except Conflict:
            self.told.append("    she has it already")
            return
        self._press(charge)

    def _press(self, charge: Charge) -> None:
        try:
            self.stage.go_pay(charge)
        except Conflict:
            self.told.append("    it cannot be paid now")

    def pay(self) -> None:
        """A buyer finishes at her bank, or does not."""
        if payment := self._some("open"):
            self._bank(payment, self.dice.choices(("paid", "failed", "canceled", "expired"), (7, 1, 1, 1))[0])

    def bank(self) -> None:
        """A bank decides about a debit."""
        if payment := self._some("pending"):
            if self.dice.random() < 0.7:
                self._bank(payment, "paid")
            else:
                self._bank(payment, "failed", self.dice.choice(_SOFT + _HARD))

    def _bank(self, payment: Payment, status: str, reason: str | None = None) -> None:
        self.stage.bank(payment.id, status, reason)

    def take_back(self) -> None:
        """A bank takes a debit back."""
        payment = self._some("paid")
        if payment and payment.method == "directdebit" and not _gone(payment):
            body = {"reason": self.dice.choice(("MD06", "AM04"))}
            self.stage.sandbox.call("POST", f"/_sandbox/payments/{payment.id}/chargebacks", body)

    def send_back(self) -> None:
        """The owner sends all of it back in Mollie's dashboard."""
        payment = self._some("paid")
        if payment and not _gone(payment):
            world = self.stage.sandbox.world
            with world.books.lock:
                refunds.start(world, payment, payment.amount_cents, "back")

    def _some(self, status: str) -> Payment | None:
        payments = [one for one in self.stage.sandbox.world.books.payments if one.status == status]
        return self.dice.choice(payments) if payments else None

    def leave(self) -> None:
        """A member cancels."""
        self._ask(
            lambda tx, held, now: membership.cancel(
                tx, held.id, mode=CancelMode.PERIOD_END, on=None, reason="", actor="member", now=now
            )
        )

    def stay(self) -> None:
        """A member takes her cancellation back."""
        self._ask(lambda tx, held, now: membership.undo_cancel(tx, held.id, "member", now))

    def _ask(self, act: Callable[..., object]) -> None:
        with self.stage.database.read() as tx:
            held = tx.query(Subscription).order_by(Subscription.id).all()
        if not held:
            return
        one, now = self.dice.choice(held), self.stage.clock.now()
        try:
            with self.stage.database.write() as tx:
                act(tx, one, now)
        except (Conflict, InputError):
            self.told.append("    it is refused")

    def pay_bill(self) -> None:
        """A member pays by the link in a mail."""
        with self.stage.database.read() as tx:
            owed = [one for one in tx.query(Charge).order_by(Charge.id) if one.failed_at and one.asked_cents]
        if owed:
            self._press(self.dice.choice(owed))

    # Messages, work and time ----------------------------------------------------------------------

    def deliver(self) -> None:
        """One message comes: any of those on their way, perhaps again, perhaps never."""
        self.stage.deliver()
        if not self.waiting:
            return
        posted = self.waiting.pop(self.dice.randrange(len(self.waiting)))
        fate = self.dice.choices(("once", "twice", "again later", "never"), (6, 2, 1, 1))[0]
        if fate == "never" and self.missing == "no poller":
            fate = "once"
        if self.missing == "no webhooks":
            return
        if fate == "again later":
            self.waiting.append(posted)
        for _ in range({"once": 1, "twice": 2, "again later": 1, "never": 0}[fate]):
            try:
                self.stage._post(posted)
            except Killed:
                self.waiting.append(posted)  # who gets no 200 posts again
                raise

    def work(self) -> None:
        """A worker takes some of what was rung, in any order."""
        rung = list(self.stage._rung)
        if self.missing == "no rings":
            self.stage._rung.clear()
            rung = self.stage.due()
        self.dice.shuffle(rung)
        for kind, row_id in rung[: self.dice.randint(1, 4)]:
            self.stage._rung.pop((kind, row_id), None)
            if not self._is_missing(kind, row_id):
                jobs.run(self.stage.parts, kind, row_id)

    def _is_missing(self, kind: str, row_id: int) -> bool:
        """Whether this is a look of the poller, in a schedule without one."""
        if self.missing != "no poller" or kind == "inbox":
            return False
        with self.stage.database.read() as tx:
            return tx.get_one(Outbox, row_id).kind in ("poll_payment", "watch_site")

    def sweep(self) -> None:
        """A turn of the clock."""
        self._is_back()
        sweep.turn(self.stage.parts)

    def _is_back(self) -> None:
        """The clock turns again: was it away for long?"""
        now = self.stage.clock.now()
        if now - self.swept_at >= _LONG:
            self.back_at = now
        self.swept_at = now

    def wipe(self) -> None:
        """Redis loses everything."""
        self.stage._rung.clear()

    def wait(self) -> None:
        """Some time passes."""
        self.stage.sandbox.advance(timedelta(seconds=self.dice.choice((1, 16, 65, 600, 3700))))

    def go_on(self) -> None:
        """Time passes to the next moment at which anything is due, at most a month on."""
        now = self.stage.clock.now()
        goal = now + timedelta(days=self.dice.choice((1, 5, 31)))
        moment = max(self.stage._next_moment(goal), now + timedelta(seconds=1))
        self.stage.sandbox.advance(moment - now)

    def come_to_rest(self) -> None:
        """No more trouble, every net is back, and there is time for each of them to find what is lost."""
        self.told.append("rest")
        self._is_back()
        self.director.rest()
        self.stage.calm()
        self.stage.deliveries = list
        missing, self.missing = self.missing, ""
        if missing != "no webhooks":
            self.stage.posted += self.waiting
        self.stage.advance(minutes=76)
        self.stage.advance(days=2)


def _family(kind: str) -> str:
    if kind == director.DEATH:
        return "kill"
    if kind in director.PAUSES:
        return "pause"
    return "other" if kind == director.OTHER else "fault"


def _gone(payment: Payment) -> bool:
    return bool(payment.refunded_cents or payment.charged_back_cents)
