"""Coverage decides access: the general truths, over any stretches and any money."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from linkpay.domain.calendar import DEFAULT_ZONE, Interval, Unit, day_starts_at, period
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import (
    ChargeFacts,
    Cover,
    Source,
    SubscriptionFacts,
    access_wanted,
    covers,
)
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import SubscriptionState

START = datetime(2026, 3, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 60).map(lambda hours: START + timedelta(hours=hours))
COVERS = st.builds(Cover, st.sampled_from(Source), INSTANTS, st.none() | INSTANTS)
STRETCHES = st.lists(COVERS, max_size=8)


def holds(cover: Cover, at: datetime) -> bool:
    return cover.starts_at <= at and (cover.until is None or at < cover.until)


@given(STRETCHES, INSTANTS)
def test_access_is_wanted_exactly_while_something_covers(stretches: list[Cover], now: datetime) -> None:
    assert access_wanted(stretches, now).granted == any(holds(cover, now) for cover in stretches)


@given(STRETCHES, INSTANTS)
def test_until_is_the_first_moment_at_which_nothing_covers(stretches: list[Cover], now: datetime) -> None:
    wanted = access_wanted(stretches, now)
    if not wanted.granted:
        assert (wanted.source, wanted.until) == (None, None)
        return
    uncovered = [
        end
        for end in sorted(cover.until for cover in stretches if cover.until is not None)
        if end > now and not any(holds(cover, end) for cover in stretches)
    ]
    assert wanted.until == (uncovered[0] if uncovered else None)


@given(STRETCHES, INSTANTS)
def test_the_strongest_present_reason_is_shown(stretches: list[Cover], now: datetime) -> None:
    present = [cover.source for cover in stretches if holds(cover, now)]
    expected = next((source for source in Source if source in present), None)
    assert access_wanted(stretches, now).source is expected


@given(STRETCHES, COVERS, INSTANTS)
def test_one_more_reason_never_takes_access_away(stretches: list[Cover], more: Cover, now: datetime) -> None:
    before, after = access_wanted(stretches, now), access_wanted([*stretches, more], now)
    assert after.granted or not before.granted
    if before.granted:
        assert after.until is None or (before.until is not None and after.until >= before.until)


# Any subscription: one charge per period, each somewhere between unpaid and taken back.
POLICIES = st.builds(
    Policy,
    grace_days=st.integers(0, 40),
    reversal_grace_days=st.integers(0, 10),
    keep_access_while_debit_runs=st.booleans(),
    collection_days=st.integers(0, 14),
    full_refund_ends_access=st.booleans(),
)
ANCHOR = date(2026, 1, 31)
OWED = [ChargeState.SCHEDULED, ChargeState.OPEN, ChargeState.COLLECTING, ChargeState.FAILED]


@st.composite
def charges(draw: st.DrawFn, index: int, interval: Interval) -> ChargeFacts:
    days = period(ANCHOR, interval, index)
    failed = draw(st.none() | st.integers(0, 45))
    paid = draw(st.sampled_from([0, 0, 1000, 5000, 5000]))
    taken = draw(st.integers(0, 1)) * paid
    state = draw(st.sampled_from([*OWED, ChargeState.VOID, ChargeState.WRITTEN_OFF]))
    return ChargeFacts(
        index, days.starts_on, days.ends_on,
        ChargeState.PAID if paid - taken >= 5000 else state,
        ChargeMoney(5000, paid, refunded_cents=0, charged_back_cents=taken),
        debit_running=state is ChargeState.COLLECTING,
        failed_at=None if failed is None else day_starts_at(days.starts_on, "UTC") + timedelta(days=failed),
        taken_back=taken > 0,
    )  # fmt: skip


LEAVING = (SubscriptionState.CANCELING, SubscriptionState.ENDED)
STATES = tuple(state for state in SubscriptionState if state is not SubscriptionState.PENDING)


@st.composite
def worlds(draw: st.DrawFn, states: Sequence[SubscriptionState] = STATES) -> SubscriptionFacts:
    interval = draw(st.sampled_from([Interval(Unit.MONTH), Interval(Unit.WEEK), Interval(Unit.MONTH, 3)]))
    kind = draw(st.sampled_from(PlanKind))
    periods = {PlanKind.ONE_TIME: 1, PlanKind.INSTALMENTS: 3, PlanKind.MEMBERSHIP: None}[kind]
    raised = draw(st.integers(1, periods or 4))
    ends_on = period(ANCHOR, interval, raised).starts_on
    state = draw(st.sampled_from(states))
    return SubscriptionFacts(
        state, Terms(kind, Money(5000), interval, periods), draw(POLICIES),
        [draw(charges(index, interval)) for index in range(raised)],
        next_due_on=ends_on if kind is PlanKind.MEMBERSHIP else None,
        cancel_on=ends_on if state is SubscriptionState.CANCELING else None,
    )  # fmt: skip


MOMENTS = st.integers(-24, 24 * 250).map(
    lambda hours: day_starts_at(ANCHOR, DEFAULT_ZONE) + timedelta(hours=hours)
)


def granted(world: SubscriptionFacts, now: datetime) -> bool:
    return access_wanted(covers(world, DEFAULT_ZONE), now).granted


def with_charge(world: SubscriptionFacts, charge: ChargeFacts) -> SubscriptionFacts:
    return replace(world, charges=[charge if old.index == charge.index else old for old in world.charges])


def paid_whole(charge: ChargeFacts) -> ChargeFacts:
    return ChargeFacts(
        charge.index, charge.starts_on, charge.ends_on, ChargeState.PAID, ChargeMoney(5000, 5000)
    )


@given(worlds(), st.data())
def test_more_money_never_means_less_access_in_the_period_that_it_pays(
    world: SubscriptionFacts, data: st.DataObject
) -> None:
    """Behind the period the next one decides."""
    charge = data.draw(st.sampled_from(world.charges))
    starts_at, ends_at = (day_starts_at(day, DEFAULT_ZONE) for day in (charge.starts_on, charge.ends_on))
    now = starts_at + data.draw(st.floats(0, 0.999)) * (ends_at - starts_at)
    assume(granted(world, now))
    assert granted(with_charge(world, paid_whole(charge)), now)


@settings(max_examples=300)
@given(worlds(LEAVING), st.integers(0, 24 * 60), st.data())
def test_who_leaves_owing_stays_no_longer_than_who_leaves_and_paid_all(
    world: SubscriptionFacts, hours: int, data: st.DataObject
) -> None:
    charge = data.draw(st.sampled_from(world.charges))
    now = day_starts_at(charge.starts_on, DEFAULT_ZONE) + timedelta(hours=hours)
    assume(granted(world, now))
    assert granted(replace(world, charges=[paid_whole(one) for one in world.charges]), now)


@given(worlds(), MOMENTS)
def test_a_period_that_nobody_asked_for_yet_adds_nothing_while_one_is_owed_and_failed(
    world: SubscriptionFacts, now: datetime
) -> None:
    assume(any(c.failed_at and c.money.owed_cents and c.state in OWED for c in world.charges))
    assert granted(world, now) == granted(replace(world, next_due_on=None), now)


@given(worlds(), MOMENTS, st.integers(1, 4999), st.data())
def test_only_a_full_refund_can_end_access(
    world: SubscriptionFacts, now: datetime, cents: int, data: st.DataObject
) -> None:
    whole = paid_whole(data.draw(st.sampled_from(world.charges)))
    partly = ChargeFacts(
        whole.index, whole.starts_on, whole.ends_on, whole.state, ChargeMoney(5000, 5000, cents)
    )
    assert covers(with_charge(world, partly), DEFAULT_ZONE) == covers(with_charge(world, whole), DEFAULT_ZONE)


@given(worlds(), MOMENTS)
def test_the_moment_at_which_access_ends_is_known_before(world: SubscriptionFacts, now: datetime) -> None:
    wanted = access_wanted(covers(world, DEFAULT_ZONE), now)
    if wanted.granted and wanted.until is not None:
        assert granted(world, wanted.until - timedelta(microseconds=1))
        assert not granted(world, wanted.until)


@given(worlds(), MOMENTS)
def test_nobody_is_let_in_without_any_money_or_a_period_begun(
    world: SubscriptionFacts, now: datetime
) -> None:
    unpaid = SubscriptionFacts(
        world.state, world.terms, world.policy,
        [ChargeFacts(0, ANCHOR, c.ends_on, ChargeState.OPEN, ChargeMoney(5000)) for c in world.charges[:1]],
    )  # fmt: skip
    assert not granted(unpaid, now)
    assert not granted(world, day_starts_at(ANCHOR, DEFAULT_ZONE) - timedelta(microseconds=1))


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Pacific/Kiritimati", "America/Sao_Paulo"])
def test_a_paid_period_lasts_from_its_first_to_its_last_instant_in_the_zone(zone: str) -> None:
    month = period(date(2026, 3, 31), Interval(Unit.MONTH), 0)
    terms = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
    charge = ChargeFacts(0, month.starts_on, month.ends_on, ChargeState.PAID, ChargeMoney(5000, 5000))
    found = covers(SubscriptionFacts(SubscriptionState.PAUSED, terms, Policy(), [charge]), zone)
    assert found == [
        Cover(Source.PAID, day_starts_at(date(2026, 3, 31), zone), day_starts_at(date(2026, 4, 30), zone))
    ]
