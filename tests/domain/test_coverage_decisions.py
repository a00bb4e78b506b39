"""What owners and time decide on top of money: gifts, blocks, pauses, trials, more grace, an end by hand."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import DEFAULT_ZONE, day_starts_at
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import (
    ChargeFacts,
    Cover,
    Source,
    SubscriptionFacts,
    access_wanted,
    covers,
    gift,
)
from linkpay.domain.dunning import grace_ends_at
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.subscription import SubscriptionState
from tests.domain.test_coverage import ANCHOR, MOMENTS, STATES, granted, worlds

ZONE = DEFAULT_ZONE
MAY_PAUSE = (SubscriptionState.PAUSED, SubscriptionState.ACTIVE, SubscriptionState.TRIALING)
DAYS = st.integers(0, 240).map(lambda days: ANCHOR + timedelta(days=days))


def a_trial(only_checks: bool, refunded_cents: int = 0) -> ChargeFacts:
    """The 14 days before the first period."""
    return ChargeFacts(
        TRIAL_PERIOD, ANCHOR - timedelta(days=14), ANCHOR, ChargeState.PAID,
        ChargeMoney(100, 100, refunded_cents), only_checks=only_checks,
    )  # fmt: skip


@st.composite
def lives(draw: st.DrawFn) -> SubscriptionFacts:
    """Any subscription, with any of the decisions that a life brings."""
    world = draw(worlds())
    pause = draw(st.none() | st.tuples(DAYS, st.integers(1, 60)))
    trials = [a_trial(draw(st.booleans()))] if draw(st.booleans()) else []
    extra = draw(st.none() | MOMENTS)
    return replace(
        world,
        charges=[*trials, *(replace(c, grace_until=extra) for c in world.charges)],
        open_pause=None if pause is None else (pause[0], pause[0] + timedelta(days=pause[1])),
        access_ends_at=draw(st.none() | MOMENTS),
        on_trust=draw(st.booleans()),
    )  # fmt: skip


GIFTS = st.builds(lambda at, until: gift(at, until, ZONE), MOMENTS, st.none() | DAYS)


def wanted_with(
    world: SubscriptionFacts, gifts: list[Cover], now: datetime, *, blocked: bool = False
) -> bool:
    return access_wanted([*covers(world, ZONE), *gifts], now, blocked=blocked).granted


@given(lives(), st.lists(GIFTS, max_size=2), MOMENTS)
def test_a_gift_adds_its_days_and_nothing_else(
    world: SubscriptionFacts, gifts: list[Cover], now: datetime
) -> None:
    held = any(g.starts_at <= now and (g.until is None or now < g.until) for g in gifts)
    assert wanted_with(world, gifts, now) == (granted(world, now) or held)


@given(lives(), GIFTS, MOMENTS)
def test_a_gift_is_what_is_shown_while_it_lasts(
    world: SubscriptionFacts, given_: Cover, now: datetime
) -> None:
    shown = access_wanted([*covers(world, ZONE), given_], now).source
    holds = given_.starts_at <= now and (given_.until is None or now < given_.until)
    assert (shown is Source.GIFT) == holds


@given(lives(), st.lists(GIFTS, max_size=2), MOMENTS)
def test_who_is_blocked_gets_nothing_whatever_was_paid_or_given(
    world: SubscriptionFacts, gifts: list[Cover], now: datetime
) -> None:
    assert not wanted_with(world, gifts, now, blocked=True)


@given(lives(), MOMENTS)
def test_an_end_by_hand_cuts_everything_behind_it_and_nothing_before(
    world: SubscriptionFacts, now: datetime
) -> None:
    endless = replace(world, access_ends_at=None)
    if world.access_ends_at is not None and now >= world.access_ends_at:
        assert not granted(world, now)
    else:
        assert granted(world, now) == granted(endless, now)


@given(lives(), st.sampled_from(MAY_PAUSE), MOMENTS)
def test_a_pause_that_keeps_access_adds_just_its_days(
    world: SubscriptionFacts, state: SubscriptionState, now: datetime
) -> None:
    days = world.open_pause or (date(2026, 3, 1), date(2026, 3, 20))
    world = replace(world, state=state, open_pause=days, access_ends_at=None)
    assert world.open_pause is not None
    first, last = (day_starts_at(day, ZONE) for day in world.open_pause)
    assert granted(world, now) == (granted(replace(world, open_pause=None), now) or first <= now < last)


@given(lives(), st.sampled_from([state for state in STATES if state not in MAY_PAUSE]), MOMENTS)
def test_a_pause_gives_nothing_to_who_owes_or_has_left(
    world: SubscriptionFacts, state: SubscriptionState, now: datetime
) -> None:
    world = replace(world, state=state)
    assert granted(world, now) == granted(replace(world, open_pause=None), now)


@given(lives(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=90)))
def test_more_time_from_the_owner_never_takes_any_away(
    world: SubscriptionFacts, now: datetime, more: timedelta
) -> None:
    longer = replace(
        world,
        charges=[
            replace(c, grace_until=(c.grace_until or c.failed_at) + more) if c.failed_at else c
            for c in world.charges
        ],
    )
    assert granted(longer, now) or not granted(world, now)


@given(lives(), MOMENTS)
def test_more_time_that_ends_within_the_grace_changes_nothing(
    world: SubscriptionFacts, now: datetime
) -> None:
    def least(charge: ChargeFacts) -> ChargeFacts:
        let_go = charge.state in (ChargeState.WRITTEN_OFF, ChargeState.VOID)
        if charge.failed_at is None or let_go:
            return charge
        end = grace_ends_at(
            charge.failed_at, taken_back=charge.taken_back, policy=world.policy, zone=ZONE
        )  # fmt: skip
        return replace(charge, grace_until=end)

    plain = replace(world, charges=[replace(c, grace_until=None) for c in world.charges])
    assert granted(replace(plain, charges=[least(c) for c in plain.charges]), now) == granted(plain, now)


@given(lives(), st.floats(0, 0.999), st.booleans(), st.booleans())
def test_a_trial_opens_its_days_and_only_a_refund_of_more_than_a_check_closes_them(
    world: SubscriptionFacts, part: float, refunded: bool, only_checks: bool
) -> None:
    trial = a_trial(only_checks, refunded_cents=100 if refunded else 0)
    others = [charge for charge in world.charges if charge.index != TRIAL_PERIOD]
    trying = replace(world, charges=[trial, *others], access_ends_at=None, open_pause=None)
    first, last = (day_starts_at(day, ZONE) for day in (trial.starts_on, trial.ends_on))
    lost = refunded and world.policy.full_refund_ends_access and not only_checks
    assert granted(trying, first + part * (last - first)) is not lost


@given(lives(), MOMENTS)
def test_what_never_started_gives_nothing_of_its_own(world: SubscriptionFacts, now: datetime) -> None:
    assert not granted(replace(world, started=False), now)


@given(lives(), MOMENTS)
def test_trust_lets_in_before_the_first_money_and_takes_nothing_away(
    world: SubscriptionFacts, now: datetime
) -> None:
    trusted = granted(replace(world, on_trust=True), now)
    assert trusted or not granted(replace(world, on_trust=False), now)
