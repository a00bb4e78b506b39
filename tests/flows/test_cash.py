"""The cash of the coming weeks is held to what is really asked for and paid, week by week, to the cent."""

from collections import Counter
from datetime import timedelta

from linkpay.domain.calendar import DEFAULT_ZONE, local_day
from linkpay.domain.cash import Week
from linkpay.domain.forecast import Kind
from linkpay.services import cash, forecast
from linkpay.store import agreements, people, sites, subscriptions
from linkpay.store import cash as store
from linkpay.store.tables import Charge, Payment
from tests.flows.stage import Stage
from tests.flows.stories_selling import open_counter
from tests.flows.test_forecast import CAST, address, decide

WEEKS = 10


def weeks(stage: Stage) -> list[Week]:
    with stage.database.read() as tx:
        return list(cash.weeks(tx, sites.get(tx, stage.shop.site_id), stage.clock.now(), WEEKS))


def settle(stage: Stage) -> None:
    """A shop with one member for every fate, two of those that are counted in groups, and one with credit."""
    open_counter(stage)
    stage.stop_watching()
    stage.buy(address("uneven"), plan="uneven")
    for who, bought in CAST.items():
        stage.buy(address(who), **{"plan": "monthly", **bought})
    for who in ("pays", "course", "coupon"):
        stage.buy(address(f"{who}-too"), **{"plan": "monthly", **CAST[who]})
    decide(stage)
    stage.buy(address("credit"))
    with stage.database.write() as tx:
        held = subscriptions.get(tx, stage.subscription(address("credit")).id)
        agreements.add_credit(tx, held, 7000, reason="given", ref="gift", now=stage.clock.now())


def test_what_the_weeks_foretell_is_asked_for_and_paid(stage: Stage) -> None:
    settle(stage)
    since, foretold = stage.clock.now(), weeks(stage)
    today = local_day(since, DEFAULT_ZONE)
    stage.advance(days=7 * WEEKS)
    asked, number, paid = Counter[int](), Counter[int](), Counter[int]()
    with stage.database.read() as tx:
        for charge in tx.query(Charge).filter(Charge.created_at > since, Charge.amount_cents > 0):
            week = (local_day(charge.created_at, DEFAULT_ZONE) - today).days // 7
            asked[week] += charge.amount_cents
            number[week] += 1
        for payment in tx.query(Payment).filter(Payment.created_at > since, Payment.paid_at.is_not(None)):
            assert payment.paid_at is not None
            paid[(local_day(payment.paid_at, DEFAULT_ZONE) - today).days // 7] += payment.amount_cents
    assert [week.cents for week in foretold] == [asked[week] for week in range(WEEKS)]
    assert [week.number for week in foretold] == [number[week] for week in range(WEEKS)]
    assert [week.paid_cents for week in foretold] == [paid[week] for week in range(WEEKS)]


def test_the_weeks_are_the_sum_of_what_every_member_is_told(stage: Stage) -> None:
    settle(stage)
    for _ in range(5):
        last = local_day(stage.clock.now(), DEFAULT_ZONE) + timedelta(weeks=WEEKS, days=-1)
        reach = timedelta(weeks=WEEKS, days=-1)
        with stage.database.read() as tx:
            told = [
                item.cents or 0
                for who in (*CAST, "pays-too", "course-too", "coupon-too", "credit", "uneven")
                for item in forecast.of(
                    tx, stage.subscription(address(who)), stage.clock.now(), reach=reach
                ).items
                if item.kind is Kind.CHARGE and item.on <= last
            ]
        assert sum(week.cents for week in weeks(stage)) == sum(told)
        assert sum(week.number for week in weeks(stage)) == sum(cents > 0 for cents in told)
        stage.advance(days=13)


def test_those_alike_are_looked_at_once_and_most_are_not_read_at_all(stage: Stage) -> None:
    open_counter(stage)
    for number in range(3):
        stage.buy(address(f"plain{number}"))
        stage.buy(address(f"course{number}"), plan="terms")
        stage.buy(address(f"coupon{number}"), coupon="TWICE")
    today = local_day(stage.clock.now(), DEFAULT_ZONE)
    with stage.database.read() as tx:
        plain = store.streams(tx, stage.shop.site_id, today, today + timedelta(days=70))
        groups = store.arranged(tx, stage.shop.site_id, today, today + timedelta(days=70))
    assert sorted((one.number, one.cents) for one in plain) == [(3, 15000), (3, 30000)]
    assert [one.number for one in groups] == [3]


def test_nothing_is_expected_of_who_has_no_account_left(stage: Stage) -> None:
    stage.buy(address("anna"))
    assert sum(week.cents for week in weeks(stage)) > 0
    with stage.database.write() as tx:
        mandate = stage.subscription(address("anna")).mandate_id
        people.distrust_mandate(tx, mandate or 0, "MD01", stage.clock.now())
    assert sum(week.cents for week in weeks(stage)) == 0
