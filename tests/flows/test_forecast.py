"""A forecast is held to what really happens: day by day and cent by cent."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from linkpay.domain.calendar import DEFAULT_ZONE, local_day
from linkpay.domain.forecast import Item, Kind, OnlyIf
from linkpay.domain.leaving import CancelMode
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.services import debts, forecast
from linkpay.services.forecast import Forecast
from linkpay.store import charges, people, subscriptions
from linkpay.store.tables import Charge, Event, Mail, Payment, PriceChange, Subscription
from tests.flows.plans import QUARTER, add_plan, cancel, pause, switch
from tests.flows.stage import Stage
from tests.flows.stories_selling import open_counter

ANNA = "anna@example.com"
#: Every member of the cast, by her fate, with what she buys.
CAST: dict[str, dict[str, str]] = {
    "pays": {}, "course": {"plan": "terms"}, "trial": {"plan": "paid-trial"},
    "coupon": {"coupon": "TWICE"}, "pauses": {}, "pauses-inside": {}, "switches": {}, "leaves": {},
    "leaves-on-a-day": {}, "rises": {}, "weekly": {"plan": "weekly"}, "bounces": {}, "stopped": {},
}  # fmt: skip
_EVENTS = {
    "debit_told": Kind.NOTICE,
    "ended": Kind.ENDS, "pause_began": Kind.PAUSE_BEGINS, "resumed": Kind.RESUMES,
    "switched": Kind.PLAN_CHANGES, "access_revoked": Kind.ACCESS_ENDS, "access_granted": Kind.ACCESS_OPENS,
}  # fmt: skip
_MAILS = ("payment_failed", "mandate_needed", "payment_taken_back")
_MONEY = (Kind.CHARGE, Kind.FREE_PERIOD, Kind.DEBIT)
#: What can be told by somebody who only looks at what was done.
_SEEN = frozenset({*_EVENTS.values(), *_MONEY, Kind.MAIL, Kind.COUPON_ENDS})
#: (day, kind, cents where money is asked for)
Fact = tuple[date, Kind, int | None]


def address(who: str) -> str:
    return f"{who}@example.com"


def look(stage: Stage, email: str) -> Forecast:
    with stage.database.read() as tx:
        return forecast.of(tx, stage.subscription(email), stage.clock.now())


def told(items: Iterable[Item], last: date, besides: OnlyIf = OnlyIf.PAID) -> list[Fact]:
    """What a forecast says will be seen until a day, leaving out what comes only if `besides` is true."""
    return sorted(
        (item.on, item.kind, item.cents if item.kind in _MONEY else None)
        for item in items
        if item.kind in _SEEN and item.on <= last and item.only_if is not besides
    )


def done(stage: Stage, email: str, since: datetime) -> list[Fact]:
    """What was done since then, from our books."""
    found: list[Fact] = []
    with stage.database.read() as tx:
        subscription = stage.subscription(email)
        made = charges.of_subscription(tx, subscription.id)
        for before, charge in zip([None, *made], made, strict=False):
            if charge.created_at > since:
                found += _of_charge(before, charge)
            tries = tx.query(Payment).filter_by(charge_id=charge.id, sequence=Sequence.RECURRING)
            again = tries.order_by(Payment.id).all()[1:]
            found += [(day(one.created_at), Kind.DEBIT, one.amount_cents) for one in again]
        for event in tx.query(Event).filter_by(subscription_id=subscription.id):
            if event.kind in _EVENTS and event.created_at > since:
                found.append((day(event.created_at), _EVENTS[event.kind], None))
        for mail in tx.query(Mail).filter_by(subscription_id=subscription.id):
            if mail.kind in _MAILS and mail.created_at > since:
                found.append((day(mail.created_at), Kind.MAIL, None))
    return sorted(found)


def _of_charge(before: Charge | None, charge: Charge) -> list[Fact]:
    on, cents = day(charge.created_at), charge.amount_cents
    found: list[Fact] = [(on, Kind.CHARGE if cents else Kind.FREE_PERIOD, cents)]
    was_less, is_less = _has_discount(before), _has_discount(charge)
    return [*found, (on, Kind.COUPON_ENDS, None)] if was_less and not is_less else found


def _has_discount(charge: Charge | None) -> bool:
    return charge is not None and any(line["kind"] == "discount" for line in charge.lines)


def day(at: datetime) -> date:
    return local_day(at, DEFAULT_ZONE)


def refuse_debits(stage: Stage, *emails: str) -> None:
    """Their banks say no to whatever is under way."""
    for email in emails:
        for charge in stage.charges(email):
            for payment_id in stage.mollie_ids(charge.id):
                if stage.status(payment_id) == PaymentStatus.PENDING:
                    stage.bank(payment_id, "failed", "AM04")
    stage.work()


def decide(stage: Stage) -> None:
    """What each of the cast decides in her first month."""
    add_plan(stage, "quarterly", 12000, QUARTER)
    pause(stage, address("pauses"), date(2026, 4, 10))
    pause(stage, address("pauses-inside"), date(2026, 3, 20), keeps_access=True, actor="owner")
    switch(stage, address("switches"), "quarterly")
    cancel(stage, address("leaves"))
    cancel(stage, address("leaves-on-a-day"), CancelMode.DATE, date(2026, 4, 12))
    with stage.database.write() as tx:
        now = stage.clock.now()
        tx.add(
            PriceChange(
                site_id=stage.shop.site_id, subscription_id=stage.subscription(address("rises")).id,
                batch="b", amount_cents=6000, effective_on=date(2026, 3, 15), told_at=now, created_at=now,
                decided_by="owner",
            )
        )  # fmt: skip


@pytest.fixture
def cast(stage: Stage) -> Stage:
    """A shop with one member for every fate."""
    open_counter(stage)
    stage.stop_watching()
    for who, bought in CAST.items():
        stage.buy(address(who), **{"plan": "monthly", **bought})
    decide(stage)
    return stage


def test_what_is_forecast_is_what_happens(cast: Stage) -> None:
    since = cast.clock.now()
    foretold = {who: look(cast, address(who)) for who in CAST}
    (bounce,) = [item.if_it_fails for item in foretold["bounces"].items if item.if_it_fails]
    # The bank's answer to the debits of 28 February is due on the morning of 3 March.
    cast.advance_to(datetime(2026, 3, 3, 8, 30, tzinfo=UTC))
    refuse_debits(cast, address("bounces"), address("stopped"))
    failed_at = cast.clock.now()
    with cast.database.write() as tx:
        debts.stop(tx, cast.charges(address("stopped"))[1].id, "owner", failed_at)
    on_the_ladder = {who: look(cast, address(who)) for who in ("bounces", "stopped")}
    last = day(failed_at) + timedelta(days=66)
    for _ in range(66):
        cast.advance(days=1)
        refuse_debits(cast, address("bounces"), address("stopped"))
    for who in foretold.keys() - on_the_ladder.keys():
        assert told(foretold[who].items, last) == done(cast, address(who), since), who
    for who, known in on_the_ladder.items():
        assert told(known.items, last) == done(cast, address(who), failed_at), who
    told_before = told(bounce, last)
    assert told_before == done(cast, address("bounces"), failed_at - timedelta(seconds=1))
    assert [kind for _, kind, _ in told_before].count(Kind.DEBIT) == 2


def test_a_forecast_names_what_changes_and_what_it_then_costs(cast: Stage) -> None:
    def said(who: str, *kinds: Kind) -> list[tuple[str, str, int | None]]:
        items = look(cast, address(who)).items
        return [(str(one.on), one.kind.value, one.cents) for one in items if one.kind in kinds]

    assert said("rises", Kind.PRICE_CHANGES) == [("2026-03-31", "price_changes", 6000)]
    assert said("switches", Kind.PLAN_CHANGES) == [("2026-02-28", "plan_changes", 12000)]
    assert said("coupon", Kind.COUPON_ENDS) == [("2026-03-31", "coupon_ends", 5000)]
    assert said("trial", Kind.TRIAL_ENDS, Kind.TERM_OVER) == [
        ("2026-02-14", "trial_ends", None), ("2026-05-14", "term_over", None),
    ]  # fmt: skip
    assert [item.is_last for item in look(cast, address("course")).items] == [False, True]
    assert said("leaves", *Kind) == [("2026-02-28", "ends", None), ("2026-02-28", "access_ends", None)]


def test_who_has_no_account_left_is_told_what_comes_of_it(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        people.distrust_mandate(tx, stage.subscription(ANNA).mandate_id or 0, "MD01", stage.clock.now())
    since, known = stage.clock.now(), look(stage, ANNA)
    due = known.next_collection
    assert due is not None
    assert (due.kind, due.cents) == (Kind.NO_ACCOUNT, 5000)
    stage.advance(days=50)
    assert told(due.if_it_fails, date(2026, 4, 1)) == [
        fact for fact in done(stage, ANNA, since) if fact[1] is not Kind.CHARGE
    ]


def test_looking_ahead_writes_nothing(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 4, 10))
    before = {
        column.key: getattr(stage.subscription(ANNA), column.key) for column in Subscription.__table__.c
    }
    with stage.database.write() as tx:
        forecast.of(tx, subscriptions.get(tx, stage.subscription(ANNA).id), stage.clock.now())
    after = stage.subscription(ANNA)
    assert before == {name: getattr(after, name) for name in before}
