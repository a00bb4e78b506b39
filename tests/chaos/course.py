"""The course of a run: a quiet hour, one storm after the other, months of debits in bad weather, the end."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from linkpay.cli import demo
from linkpay.domain.calendar import day_starts_at
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import membership, overview
from linkpay.store import sites
from linkpay.store.tables import Member, Outbox, Payment, Subscription
from linkpay.store.tables.money import Stroke
from tests.chaos.storms import LIMITS, Storm
from tests.chaos.town import MINUTE, Town

_PER_SECOND = 10.0
_ZONE = "Europe/Amsterdam"
_PATIENCE = 90.0  # seconds beyond which nobody waits any more; the limits are far below
#: A debit of the last days of a year may bounce a week later, and grace then lasts two weeks.
_UNTIL_BANKS_AND_GRACE_ARE_DONE = timedelta(days=24)
#: What becomes of a member, by the bank, by hand, or by her own wish. The rest pays.
FATES = ("bounces", "charges_back", "no_money_once", "leaves", "refunded")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. `again` is how many webhooks are posted once more per storm.

    A storm strikes when a third of its buyers have paid, or at any moment.
    """

    storms: Sequence[Storm]
    quiet: int
    per_storm: int
    again: int
    renewals: int
    of_each_fate: int
    at_any_moment: bool = False


@dataclass
class Course:
    """One run and what it found. Seconds to consistent access by kind of trouble; sentences about what is
    wrong."""

    town: Town
    plan: Plan
    say: Callable[[str], None]
    recovered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    fates: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """All of it. What is wrong afterwards is for the judge to say."""
        self._stage("quiet hour", self._quiet)
        self.town.plan_faults()
        self._stage("storms", self._storms)
        self._stage("lost webhooks", self._find_lost)
        self._choose_fates()
        for number in range(self.plan.renewals):
            self._stage(f"month {number + 1}", self._month)
        self._stage("the end", self._end)

    def _stage(self, name: str, act: Callable[[], None]) -> None:
        started = time.monotonic()
        act()
        self.stages[name] = time.monotonic() - started
        self.say(f"{name}: {self.stages[name]:.0f} s")

    # Purchases ------------------------------------------------------------------------------------

    def _quiet(self) -> None:
        """Nobody disturbs anything: how soon access follows money, by the instants the product stored."""
        town = self.town
        orders = town.order("quiet", self.plan.quiet)
        town.shop.pay(orders, _PER_SECOND / 2)
        if town.wait(lambda: town.shop.outside(orders), LIMITS["N1"] * 3) is None:
            self.wrong.append(f"{town.shop.outside(orders)} quiet buyers have no access")
        with town.parts.database.read() as tx:
            site = sites.by_slug(tx, demo.SITE)
            assert site is not None
            offer = sites.offer(tx, site.id, demo.OFFER)
            assert offer is not None
            seen = [overview.passage(tx, site.id, one.email, offer.id) for one in orders]
        self.recovered["quiet"] = [
            one.milliseconds / 1000 for one in seen if one is not None and one.milliseconds is not None
        ]

    def _storms(self) -> None:
        for number, storm in enumerate(self.plan.storms):
            self._weather(number, storm)

    def _weather(self, number: int, storm: Storm) -> None:
        """Buyers pay while it lasts; counted is from its end until all who were heard of are let in."""
        town = self.town
        orders = town.order(f"s{number}-", self.plan.per_storm)
        struck: list[float] = []
        strikes_after, and_waits = len(orders) // 3, 0.0
        if self.plan.at_any_moment:
            strikes_after = town.dice.randint(1, len(orders))
            and_waits = town.dice.uniform(0, 1 / _PER_SECOND)

        def strike(paid: int) -> None:
            if paid == strikes_after:
                time.sleep(and_waits)
                storm.strike(town)
                struck.append(time.monotonic())

        with ThreadPoolExecutor(1) as pool:
            again = pool.submit(town.post_again, self.plan.again)
            town.shop.pay(orders, _PER_SECOND, strike)
            time.sleep(max(0.0, struck[0] + storm.lasts - time.monotonic()))
            storm.heal(town)
            healed_at = time.monotonic()
            lost = town.lost(orders)
            heard = [one for one in orders if one.payment not in lost]
            took = town.wait(lambda: town.shop.outside(heard), _PATIENCE)
            again.result()
        seconds = _PATIENCE if took is None else time.monotonic() - healed_at
        self.recovered[storm.name].append(seconds)
        if took is None or seconds > LIMITS[storm.promise]:
            self.wrong.append(f"{storm.name}: {town.shop.outside(heard)} outside after {seconds:.0f} s")
        self.say(f"  {storm.name:<32} right again after {seconds:5.1f} s")

    def _find_lost(self) -> None:
        """What no webhook told is found by looking, on the schedule of each payment's age."""
        town = self.town
        left = town.wait(lambda: town.shop.outside(town.buyers), _PATIENCE, step=20)
        if left is None:
            self.wrong.append(f"{town.shop.outside(town.buyers)} buyers were never let in")
        lost = town.lost(town.buyers)
        paid_at = {
            one["id"]: one["paid_at"] for one in town.sandbox.ask("GET", "state?include=payments")["payments"]
        }
        granted_at = {
            member["email"]: min((o["granted_at"] for o in member["offers"]), default=None)
            for member in town.sandbox.ask("GET", "kajabi/members")
        }
        for order in town.buyers:
            paid, granted = paid_at[order.payment], granted_at.get(order.email)
            if paid is None or granted is None:
                continue
            seconds = (datetime.fromisoformat(granted) - datetime.fromisoformat(paid)).total_seconds()
            self.recovered["paid to granted, all"].append(seconds)
            if order.payment in lost:
                self.recovered["webhook lost"].append(seconds)
                if seconds > LIMITS["N3"]:
                    self.wrong.append(f"{order.email} waited {seconds:.0f} s for a lost webhook")

    # Months ---------------------------------------------------------------------------------------

    def _choose_fates(self) -> None:
        """Who bounces, charges back, leaves and so on."""
        town, count = self.town, self.plan.of_each_fate
        chosen = town.dice.sample(town.buyers, count * len(FATES))
        for number, order in enumerate(chosen):
            self.fates[order.email] = FATES[number // count]
        customers = self._customers()
        banks: dict[str, dict[str, Any]] = {
            "bounces": {"next_debit": {"status": "failed", "reason": "MD01"}},
            "no_money_once": {"next_debit": {"status": "failed", "reason": "AM04"}},
            "charges_back": {"next_debit": {"status": "charged_back", "reason": "MD06", "after_days": 6}},
        }
        for email, fate in self.fates.items():
            if fate in banks:
                town.sandbox.ask("POST", f"customers/{customers[email]}", banks[fate])
            if fate == "leaves":
                self._cancel(email)

    def _customers(self) -> dict[str, str]:
        known = self.town.sandbox.ask("GET", "state?include=customers")["customers"]
        return {one["email"]: one["id"] for one in known}

    def _cancel(self, email: str) -> None:
        parts = self.town.parts
        with parts.database.write() as tx:
            member = tx.query(Member).filter_by(email=email).one()
            held = tx.query(Subscription).filter_by(member_id=member.id).one()
            membership.cancel(
                tx, held.id, mode=CancelMode.PERIOD_END, on=None, reason="", actor="member",
                now=parts.clock.now(),
            )  # fmt: skip

    def _month(self) -> None:
        """Calmly to the day on which all are due, its debits in storms, and on until the banks are done."""
        town = self.town
        due_on = self._due_on()
        town.travel(day_starts_at(due_on, _ZONE) - timedelta(hours=1) - town.parts.clock.now())
        town.machine.stop("clock", "worker")
        town.sandbox.advance(3600 + MINUTE)
        town.machine.start("worker", "worker", "clock", "clock")
        for kind in ("lost_answer", "reset_answer"):
            town.mollie.weather(kind, 0.4)
            self._tremble(3.0)
            town.kill("worker")
            town.restore()
            self._tremble(2.0)
        town.machine.pause("worker")
        town.sandbox.advance(MINUTE)
        town.machine.go_on("worker")
        town.mollie.calm()
        if town.wait(self._debits_missing, _PATIENCE, step=MINUTE) is None:
            self.wrong.append(f"{self._debits_missing()} debits have no known outcome")
        town.travel(_UNTIL_BANKS_AND_GRACE_ARE_DONE)

    def _tremble(self, seconds: float) -> None:
        """Let time go by with an eye on the attempts that have no answer."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.town.watch_unknowns()
            time.sleep(0.2)

    def _due_on(self) -> Any:
        with self.town.parts.database.read() as tx:
            due_on = tx.scalar(
                select(func.max(Subscription.next_charge_on)).where(
                    Subscription.state == SubscriptionState.ACTIVE
                )
            )
        assert due_on is not None
        return due_on

    def _debits_missing(self) -> int:
        """Debits that are owed now and of which Mollie has not told us."""
        with self.town.parts.database.read() as tx:
            now = self.town.parts.clock.now()
            sends = select(func.count(Outbox.id)).where(
                Outbox.kind == "send_payment", Outbox.done_at.is_(None), Outbox.parked_at.is_(None),
                Outbox.run_at < now + timedelta(hours=2),
            )  # fmt: skip
            unsure = select(func.count(Payment.id)).where(
                Payment.stroke.in_([Stroke.SENDING, Stroke.UNKNOWN])
            )
            due = select(func.count(Subscription.id)).where(
                Subscription.state == SubscriptionState.ACTIVE, Subscription.next_charge_on <= now.date()
            )
            return sum(tx.scalar(query) or 0 for query in (sends, unsure, due))

    def _end(self) -> None:
        """Money sent back by hand at Mollie; then calm, and time for everything to come to rest."""
        town = self.town
        for email in self._with_fate("refunded"):
            town.sandbox.ask("POST", f"payments/{self._last_payment(email)}/refunds", {})
        town.calm_faults()
        town.travel(timedelta(days=2))
        waited = [(last - first).total_seconds() for first, last in town.unknowns.values()]
        self.recovered["outcome unknown"] = waited
        if town.without_an_answer() or max(waited, default=0.0) > LIMITS["N5"]:
            self.wrong.append(f"outcomes unknown for {max(waited, default=0.0):.0f} s")

    def _with_fate(self, fate: str) -> list[str]:
        return [email for email, one in self.fates.items() if one == fate]

    def _last_payment(self, email: str) -> str:
        customer = self._customers()[email]
        payments = self.town.sandbox.ask("GET", "state?include=payments")["payments"]
        paid = [one for one in payments if one["customer_id"] == customer and one["status"] == "paid"]
        return str(max(paid, key=lambda one: one["paid_at"])["id"])
