"""The days to come of one subscription, played on a copy that is never written.

Nothing is decided here: on which day what turns, what a period costs and what counts from then on come from
the functions that do it when the day is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from linkpay.domain import catch_up, pricing
from linkpay.domain.calendar import Period, day_starts_at, local_day
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coupon import Discount
from linkpay.domain.coverage import ChargeFacts, SubscriptionFacts
from linkpay.domain.forecast import Item, Kind
from linkpay.domain.policy import Policy
from linkpay.domain.pricing import Line
from linkpay.domain.subscription import OVER, SubscriptionEvent, SubscriptionState, move
from linkpay.services import billing, bulletin, catching_up, charging, newplan, turning
from linkpay.services.bulletin import Bulletin
from linkpay.services.coming import Next
from linkpay.store import agreements, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Mandate, Plan, Site, Subscription

S, E = SubscriptionState, SubscriptionEvent
#: More collections than a page or a year of weeks shows.
_MOST_CHARGES = 60
_COLLECTIONS = (Kind.CHARGE, Kind.FREE_PERIOD, Kind.NO_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection on the way: the days it is for, and what counted when it was asked for."""

    on: date
    days: Period
    cents: int
    state: SubscriptionState
    policy: Policy
    next_due_on: date | None


@dataclass
class Course:
    """One subscription on its way. `it` is the copy, `day` how far it has come, `reached` how far it went.

    It began on `begins_on`, and `told` is what its payer knows of the debits to come.

    `prices` are those that were announced; `items` and `periods` are what happened so far, and `first` is the
    first collection that asks for money.
    """

    tx: Tx
    site: Site
    it: Subscription
    begins_on: date
    day: date
    mandate: Mandate | None
    prices: Sequence[tuple[date, int]]
    discount: Discount | None
    credit_cents: int
    told: Bulletin
    reached: date = date.min
    first: Collection | None = None
    items: list[Item] = field(default_factory=list)
    periods: list[ChargeFacts] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more, however long one waits."""
        return self._next_day() is None

    def play(self, last: date) -> None:
        """Go on to a day, or to the day on which what was decided takes effect where that is later."""
        decided = (self.it.cancel_on, self.it.resume_on)
        self.reached = max(day for day in (last, *decided) if day is not None)
        while len(self.periods) < _MOST_CHARGES and self._step(self.reached):
            pass
        bound = self.it.bound_until
        if bound is not None and self.begins_on < bound <= self.reached and self.it.state not in OVER:
            self.items.append(Item(bound, Kind.TERM_OVER))

    def until_a_collection(self) -> Item | None:
        """Go on to the next collection; None where none comes."""
        while self._step(date.max):
            found = next((item for item in self.items if item.kind in _COLLECTIONS), None)
            if found is not None:
                return found
        return None

    def facts(self, known: SubscriptionFacts) -> SubscriptionFacts:
        """What coverage has to know then, were all paid that is asked for now and on the way."""
        paid = [_paid(charge) for charge in known.charges]
        return replace(
            known, state=self.it.state, terms=self.it.terms, charges=[*paid, *self.periods],
            next_due_on=self.it.next_charge_on,
        )  # fmt: skip

    def _next_day(self) -> date | None:
        """The next day on which anything of it turns or is collected."""
        it, days = self.it, list[date | None]()
        if it.state is S.CANCELING:
            days.append(it.cancel_on)
        if it.state is S.PAUSED:
            days.append(it.resume_on)
        elif it.state in billing.COLLECTED:
            days += [it.pause_on, self._collected_on()]
        known = [day for day in days if day is not None]
        return max(self.day, min(known)) if known else None

    def _collected_on(self) -> date | None:
        due_on, last = self.it.next_charge_on, self.it.last_raised_on
        if due_on is None:
            return None
        waits_for = (self.it.not_before_on, catch_up.not_before(last, self._policy()) if last else None)
        earliest = max([due_on, *(day for day in waits_for if day is not None)])
        ahead = self._ahead()
        if ahead is None:
            return earliest
        # The next one is looked at from the day after the last, and the first from the present day on.
        since = bulletin.next_look(self.day) if self.periods else self.begins_on
        return max(earliest, self.told.judge(ahead, since).first_day)

    def _ahead(self) -> Next | None:
        """The next collection as things stand; None where it is let go."""
        it, index = self.it, self.it.next_index
        if catching_up.is_let_go(self.site, it, index, self.day):
            return None
        cents = self._cents(index, self.credit_cents)
        goes_on = self.credit_cents == 0 and it.terms.has_period(index + 1)
        days = charging.days_of(it, index)
        goes_on = goes_on and (it.cancel_on is None or days.ends_on < it.cancel_on)
        goes_on = goes_on and self._cents(index + 1, 0) == cents
        assert it.anchor_on is not None  # noqa: S101 - every started subscription has one
        return Next(index, days.starts_on, cents, it.anchor_on, it.terms.interval, goes_on)

    def _cents(self, index: int, credit_cents: int) -> int:
        return pricing.total(self._lines(index, credit_cents))

    def _lines(self, index: int, credit_cents: int) -> Sequence[Line]:
        due_on = charging.days_of(self.it, index).starts_on
        announced = agreements.counting_on(self.prices, due_on)
        return charging.made_of(self.it, index, charging.Bearing(announced, self.discount, credit_cents))

    def _policy(self) -> Policy:
        return sites.policy_of(self.site, self.it.policy)

    def _step(self, last: date) -> bool:
        """Do what is due on the next day; False when there is none until `last`."""
        day = self._next_day()
        if day is None or day > last:
            return False
        before = (self.day, self.it.state, self.it.next_charge_on, self.it.pause_on)
        self.day = day
        self._turn()
        due_on = self._collected_on()
        if self.it.state in billing.COLLECTED and due_on is not None and due_on <= day:
            self._collect()
        return before != (self.day, self.it.state, self.it.next_charge_on, self.it.pause_on)

    def _turn(self) -> None:
        """As `turning.due_today` does it."""
        it, day = self.it, self.day
        if turning.ends_by(it, day):
            it.state, it.next_charge_on = move(it.state, E.CANCEL_DATE_REACHED), None
            self._note(Kind.ENDS)
        if turning.resumes_by(it, day):
            if it.state is S.PAUSED:
                turning.leave_pause(it)
                self._note(Kind.RESUMES)
            else:
                turning.forget_pause(it)
        elif turning.pauses_by(it, day):
            step = turning.take_pause_step(it, day, owes=False)
            if step in (turning.PauseStep.BEGINS, turning.PauseStep.AGAIN):
                self._note(Kind.PAUSE_BEGINS)
        if turning.switches_by(it, day):
            self._switch()

    def _switch(self) -> None:
        """As `newplan.take_on_chosen` does it."""
        it = self.it
        plan = self.tx.get(Plan, it.next_plan_id)
        if plan is None or it.next_charge_on is None:
            return
        before = self._price(it.next_charge_on)
        stays = newplan.coupon_stays(self.tx, it, plan)
        newplan.change_terms(it, plan, it.next_charge_on)
        newplan.hold_to_consent(self.tx, it, plan)
        self.prices, self.discount = (), self.discount if stays else None
        self._note(Kind.PLAN_CHANGES, cents=it.amount_cents, before_cents=before, plan=plan.title)

    def _price(self, due_on: date) -> int:
        return charging.priced(self.it, agreements.counting_on(self.prices, due_on)).amount.cents

    def _collect(self) -> None:
        """As `billing.raise_next` does it, for a collection that works."""
        it = self.it
        days = charging.days_of(it, it.next_index)
        if catching_up.is_let_go(self.site, it, days.index, self.day):
            charging.step_past(it, days)
            self._note(Kind.LET_GO)
            return
        lines = self._lines(days.index, self.credit_cents)
        told = self.told.judged.get(days.index)
        if told is not None and told.mailed_on is not None:
            self.items.append(Item(told.mailed_on, Kind.NOTICE, pricing.total(lines)))
        cents = pricing.total(lines)
        self.credit_cents -= pricing.credit_used(lines)
        self._note_changes(days.index, days.starts_on)
        charged = replace(days, ends_on=charging.ends_on(it, days))
        charging.step_past(it, days)
        it.last_raised_on, it.not_before_on = self.day, None
        is_last = it.next_charge_on is None or charged.ends_on == it.cancel_on
        works = self.mandate is not None and self.mandate.may_be_tried
        kind = Kind.FREE_PERIOD if cents == 0 else Kind.CHARGE if works else Kind.NO_ACCOUNT
        self._note(kind, cents=cents, is_last=is_last)
        if cents and self.first is None:
            self.first = Collection(self.day, charged, cents, it.state, self._policy(), it.next_charge_on)
        self.periods.append(_period(charged, cents, day_starts_at(self.day, self.site.zone)))
        it.state = move(it.state, E.LAST_TERM_PAID if it.next_charge_on is None else E.CHARGE_PAID)

    def _note_changes(self, index: int, starts_on: date) -> None:
        """What a member notices of a period that costs something else than the one before it."""
        it, discount = self.it, self.discount
        if index == 0 and it.trial_days:
            self._note(Kind.TRIAL_ENDS)
        if discount is not None and discount.covers(index - 1) and not discount.covers(index):
            self._note(Kind.COUPON_ENDS, cents=self._price(starts_on))
        if index > it.anchor_index and it.terms.periods is None:
            before = self._price(charging.days_of(it, index - 1).starts_on)
            if (price := self._price(starts_on)) != before:
                self._note(Kind.PRICE_CHANGES, cents=price, before_cents=before)

    def _note(
        self, kind: Kind, *, cents: int | None = None, before_cents: int | None = None,
        plan: str | None = None, is_last: bool = False,
    ) -> None:  # fmt: skip
        self.items.append(Item(self.day, kind, cents, before_cents, plan=plan, is_last=is_last))


def begun(
    tx: Tx, site: Site, subscription: Subscription, now: datetime, *, with_notices: bool = True,
    prices: Sequence[tuple[date, int]] | None = None,
) -> Course:  # fmt: skip
    """The course of a subscription from now on, as if what is open were paid.

    Without notices it reads less, and knows only of those that hold a debit back already.
    """
    it, today = subscriptions.copy_of(subscription), local_day(now, site.zone)
    if it.state is S.PAST_DUE:
        it.state = move(it.state, E.CHARGE_PAID)
    told = bulletin.begun(tx, site, subscription) if with_notices else bulletin.nothing_told()
    return Course(
        tx, site, it, today, today,
        mandate=tx.get(Mandate, it.mandate_id) if it.mandate_id else None,
        prices=agreements.announced(tx, it.id) if prices is None else prices,
        discount=charging.discount(tx, it),
        credit_cents=agreements.credit_cents(tx, it.id), told=told,
    )  # fmt: skip


def _paid(charge: ChargeFacts) -> ChargeFacts:
    """A charge as it is once it is paid; what nobody asks for stays as it is."""
    owed = charge.money.owed_cents
    if owed == 0 or charge.state in (ChargeState.WRITTEN_OFF, ChargeState.VOID):
        return charge
    money = replace(charge.money, paid_cents=charge.money.paid_cents + owed)
    return replace(charge, state=ChargeState.PAID, money=money, debit_running=False, failed_at=None)


def _period(days: Period, cents: int, at: datetime) -> ChargeFacts:
    money = ChargeMoney(cents, paid_cents=cents)
    return ChargeFacts(
        days.index, days.starts_on, days.ends_on, ChargeState.PAID, money, asked_at=at, paid_at=at
    )
