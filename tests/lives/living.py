"""A life while it is lived: who there is, what fell to them so far, and how its story is told."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from linkpay.domain.calendar import DEFAULT_ZONE, day_starts_at, local_day
from linkpay.sandbox.records import Payment
from linkpay.services import checkout
from linkpay.store import charges
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Coupon, Member, Subscription
from tests.flows.plans import QUARTER, YEAR, add_plan
from tests.flows.stage import Stage

PEOPLE = ("anna@example.com", "bea@example.com")
ZONE = DEFAULT_ZONE
Made = TypeVar("Made")
Row = TypeVar("Row")


class Nothing(Exception):
    """There is nobody, or nothing, that this could be done to."""


def open_life(stage: Stage) -> None:
    """The shop that every life begins in: plans of every kind, and coupons."""
    add_plan(stage, "yearly", 36500, YEAR)
    add_plan(stage, "quarterly", 12000, QUARTER)
    add_plan(stage, "trial", 5000, trial_days=14)
    add_plan(stage, "paid-trial", 5000, trial_days=14, trial_cents=500, setup_fee_cents=2500)
    add_plan(stage, "termed", 4000, minimum_periods=3)
    coupons: dict[str, dict[str, Any]] = {
        "TEN": {"kind": "percent", "value": 1000, "duration": "once"},
        "TWICE": {"kind": "amount", "value": 1500, "duration": "periods", "periods": 2},
        "GIFT": {"kind": "percent", "value": 10_000, "duration": "once"},
    }
    with stage.database.write() as tx:
        for code, values in coupons.items():
            made_at, site_id = stage.clock.now(), stage.shop.site_id
            tx.add(Coupon(site_id=site_id, code=code, created_at=made_at, plan_slugs=[], **values))


@dataclass
class Presence:
    """When somebody was let in and when not, as seen at Kajabi after every moment."""

    turns: list[tuple[datetime, bool]] = field(default_factory=list)

    def see(self, at: datetime, inside: bool) -> None:
        """She is in, or out, from this moment on."""
        if not self.turns or self.turns[-1][1] is not inside:
            self.turns.append((at, inside))

    def days_out(self, first: date, before: date) -> list[date]:
        """The days from `first` on on which she was out from their first minutes to their end."""
        days = [first + timedelta(days=number) for number in range((before - first).days)]
        return [day for day in days if not self._was_in_on(day)]

    def _was_in_on(self, day: date) -> bool:
        start, end = day_starts_at(day, ZONE), day_starts_at(day + timedelta(days=1), ZONE)
        came = any(inside and start <= at < end for at, inside in self.turns)
        return came or self._is_in(start + timedelta(minutes=5))

    def _is_in(self, at: datetime) -> bool:
        return next((inside for seen_at, inside in reversed(self.turns) if seen_at <= at), False)


@dataclass
class Living:
    """One life on one stage: the dice that decide in it, and what is remembered for later acts."""

    stage: Stage
    dice: random.Random
    told: list[str] = field(default_factory=list)
    people: tuple[str, ...] = PEOPLE[:1]
    methods: tuple[str, ...] = ("ideal",)
    presence: dict[str, Presence] = field(default_factory=lambda: {email: Presence() for email in PEOPLE})
    blocked: set[str] = field(default_factory=set)
    ever_blocked: set[str] = field(default_factory=set)
    chargebacks: list[str] = field(default_factory=list)
    paid_outside: list[str] = field(default_factory=list)

    # Telling --------------------------------------------------------------------------------------

    def say(self, what: str) -> None:
        """One line of the story."""
        self.told.append(f"{self.stage.clock.now():%Y-%m-%d %H:%M}  {what}")

    def detail(self, what: str) -> None:
        """More of what the line before says; nothing in it may differ when the seed is told again."""
        self.told[-1] += f", {what}"

    # Choosing -------------------------------------------------------------------------------------

    def chance(self, of: float) -> bool:
        """True so often of 1."""
        return self.dice.random() < of

    def one_of(self, rows: Sequence[Row]) -> Row:
        """Any of the newest three. Raises Nothing where there is none."""
        if not rows:
            raise Nothing
        return self.dice.choice(rows[-3:])

    def somebody(self) -> str:
        """One of the people of this life."""
        return self.dice.choice(self.people)

    def actor(self) -> str:
        """Who decides: the member herself, or the owner for her."""
        return self.dice.choice(("member", "owner"))

    def subscriptions(self, email: str) -> list[Subscription]:
        """All of one person, oldest first."""
        with self.stage.database.read() as tx:
            held = tx.query(Subscription).join(Member, Member.id == Subscription.member_id)
            return held.filter(Member.email == email).order_by(Subscription.id).all()

    def some_subscription(self) -> Subscription:
        """Mostly the newest of somebody. Raises Nothing."""
        found = self.subscriptions(self.somebody())
        if not found:
            raise Nothing
        return found[-1] if self.chance(0.9) else self.dice.choice(found)

    def charges_of(self, subscription: Subscription) -> Sequence[Charge]:
        """All of one subscription, oldest first."""
        with self.stage.database.read() as tx:
            return charges.of_subscription(tx, subscription.id)

    def some_charge(self, fits: Callable[[Charge], bool]) -> Charge:
        """One of the newest that fit. Raises Nothing."""
        with self.stage.database.read() as tx:
            return self.one_of([one for one in tx.query(Charge).order_by(Charge.id) if fits(one)])

    def some_payment(self, status: str, fits: Callable[[Payment], bool] = lambda _: True) -> Payment:
        """One of the newest at Mollie that fit. Raises Nothing."""
        payments = self.stage.sandbox.world.books.payments
        return self.one_of([one for one in payments if one.status == status and fits(one)])

    # Doing ----------------------------------------------------------------------------------------

    def today(self) -> date:
        """The day it is where the shop is."""
        return local_day(self.stage.clock.now(), ZONE)

    def in_days(self, *numbers: int) -> date:
        """A day from today on."""
        return self.today() + timedelta(days=self.dice.choice(numbers))

    def write(self, act: Callable[[Tx, datetime], Made]) -> Made:
        """Do something in a transaction of its own, as a page does."""
        with self.stage.database.write() as tx:
            return act(tx, self.stage.clock.now())

    def read(self, ask: Callable[[Tx], Made]) -> Made:
        """Look something up."""
        with self.stage.database.read() as tx:
            return ask(tx)

    def press_pay(self, charge: Charge, *, surely: bool = False) -> None:
        """Follow the link of a charge, and pay, fail or leave it open there."""
        if not isinstance(self.stage.go_pay(charge), checkout.Redirect):
            self.detail("no address to pay at")
            return
        fate = "paid" if surely else self.dice.choices(("paid", "failed", "open"), (7, 1, 1))[0]
        self.detail(fate)
        if fate != "open":
            self.stage.bank(self.stage.mollie_ids(charge.id)[-1], fate)

    def go_to(self, goal: datetime) -> None:
        """Let time pass, and see after every moment who is in."""
        self.detail(f"to {goal:%Y-%m-%d %H:%M}")
        self.stage.advance_to(max(goal, self.stage.clock.now()), self.look)

    def look(self, stage: Stage) -> None:
        """See who is in."""
        for email in self.people:
            self.presence[email].see(stage.clock.now(), stage.has_access(email))
