"""Coverage decides access: the exact stretches that one charge, one wait and one end by hand give."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from linkpay.domain.calendar import Interval, Unit, day_starts_at
from linkpay.domain.charge import ChargeMoney, ChargeState
from linkpay.domain.coverage import (
    ChargeFacts,
    Cover,
    Source,
    SubscriptionFacts,
    covers,
    without_running_debits,
)
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import SubscriptionState

ZONE = "Europe/Amsterdam"
MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
POLICY = Policy(grace_days=14, reversal_grace_days=3, collection_days=7)
UNPAID, PAID = ChargeMoney(5000, 0), ChargeMoney(5000, 5000)


def at(day: date, days: int = 0) -> datetime:
    return day_starts_at(day + timedelta(days=days), ZONE)


def may(state: ChargeState = ChargeState.PAID, money: ChargeMoney = PAID) -> ChargeFacts:
    return ChargeFacts(0, MAY, JUNE, state, money)


def june(state: ChargeState = ChargeState.COLLECTING, money: ChargeMoney = UNPAID) -> ChargeFacts:
    return ChargeFacts(1, JUNE, JULY, state, money)


def member(*charges: ChargeFacts, policy: Policy = POLICY) -> SubscriptionFacts:
    terms = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
    return SubscriptionFacts(SubscriptionState.ACTIVE, terms, policy, charges)


def given_by(source: Source, subscription: SubscriptionFacts) -> Sequence[Cover]:
    return [cover for cover in covers(subscription, ZONE) if cover.source is source]


def only(source: Source, subscription: SubscriptionFacts) -> Cover:
    (cover,) = given_by(source, subscription)
    return cover


def test_access_that_ends_by_hand_leaves_nothing_that_would_begin_at_that_moment() -> None:
    world = replace(member(may()), access_ends_at=at(MAY))
    assert covers(world, ZONE) == []
    world = replace(world, access_ends_at=at(MAY, 1))
    assert covers(world, ZONE) == [Cover(Source.PAID, at(MAY), at(MAY, 1))]


def test_what_is_left_when_running_debits_fail_is_all_but_those_debits() -> None:
    running = replace(june(), debit_running=True)
    left = without_running_debits(member(may(), running))
    assert left == replace(member(may(), running), charges=[may(), june()])
    assert given_by(Source.DEBIT_RUNNING, left) == []


@pytest.mark.parametrize(("state", "stays"), [(ChargeState.WRITTEN_OFF, True), (ChargeState.VOID, False)])
def test_who_lets_go_of_the_money_may_say_how_long_she_stays(state: ChargeState, stays: bool) -> None:
    charge = replace(june(state), grace_until=at(JUNE, 20))
    given = [Cover(Source.GRACE, at(JUNE), at(JUNE, 20))] if stays else []
    assert covers(member(may(), charge), ZONE) == [Cover(Source.PAID, at(MAY), at(JUNE)), *given]


@pytest.mark.parametrize(("given_days", "lasts"), [(None, 16), (10, 16), (30, 30)])
def test_more_time_from_the_owner_only_ever_adds_to_the_grace(given_days: int | None, lasts: int) -> None:
    until = None if given_days is None else at(JUNE, given_days)
    charge = replace(june(ChargeState.FAILED), failed_at=at(JUNE, 2), grace_until=until)
    assert only(Source.GRACE, member(may(), charge)) == Cover(Source.GRACE, at(JUNE), at(JUNE, lasts))


def test_money_taken_back_has_its_own_shorter_grace() -> None:
    charge = replace(june(ChargeState.FAILED), failed_at=at(JUNE, 2), taken_back=True)
    assert only(Source.REVERSAL_GRACE, member(may(), charge)).until == at(JUNE, 5)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_period_that_was_not_asked_for_yet_is_our_delay_whatever_running_debits_give(keeps: bool) -> None:
    policy = replace(POLICY, keep_access_while_debit_runs=keeps)
    waits = june(ChargeState.SCHEDULED)
    assert only(Source.COLLECTION, member(may(), waits, policy=policy)).until == at(JUNE, 7)
    running = member(may(), replace(june(), debit_running=True), policy=policy)
    assert len(given_by(Source.COLLECTION, running)) == len(given_by(Source.DEBIT_RUNNING, running)) == keeps


@pytest.mark.parametrize(("asked_days", "lasts"), [(0, 7), (5, 12)])
def test_the_days_of_our_delay_count_from_when_we_asked_at_last(asked_days: int, lasts: int) -> None:
    charge = replace(june(ChargeState.SCHEDULED), asked_at=at(JUNE, asked_days))
    assert only(Source.COLLECTION, member(may(), charge)).until == at(JUNE, lasts)


# The next period, which nobody has raised yet.


def next_one(*charges: ChargeFacts, policy: Policy = POLICY) -> SubscriptionFacts:
    return replace(member(*charges, policy=policy), next_due_on=JUNE)


def test_the_next_period_waits_from_when_the_latest_before_it_was_paid() -> None:
    early, late = replace(may(), paid_at=at(MAY)), replace(may(), index=-1, paid_at=at(JUNE, 4))
    assert only(Source.COLLECTION, next_one(early, late)) == Cover(Source.COLLECTION, at(JUNE), at(JUNE, 11))
    assert only(Source.COLLECTION, next_one(late, early)).until == at(JUNE, 11)
    assert only(Source.COLLECTION, next_one(may())).until == at(JUNE, 7)


@pytest.mark.parametrize(("keeps", "lasts"), [(True, 14), (False, 7)])
def test_a_debit_that_runs_is_given_a_week_before_the_next_is_late(keeps: bool, lasts: int) -> None:
    running = replace(
        may(ChargeState.COLLECTING, UNPAID), index=1, debit_running=True, asked_at=at(JUNE), paid_at=None
    )
    policy = replace(POLICY, keep_access_while_debit_runs=keeps)
    waits = given_by(Source.COLLECTION, next_one(running, policy=policy))
    assert max(cover.until for cover in waits if cover.until) == at(JUNE, lasts)


@pytest.mark.parametrize("state", [SubscriptionState.ACTIVE, SubscriptionState.CANCELING])
@pytest.mark.parametrize(("of_may", "waits"), [(ChargeState.FAILED, False), (ChargeState.WRITTEN_OFF, True)])
def test_behind_a_period_that_failed_and_is_owed_the_next_waits_for_her_and_not_for_us(
    state: SubscriptionState, of_may: ChargeState, waits: bool
) -> None:
    bounced = replace(may(of_may, UNPAID), failed_at=at(MAY, 2))
    world = replace(next_one(bounced), state=state, cancel_on=JULY)
    assert bool(given_by(Source.COLLECTION, world)) is waits


@pytest.mark.parametrize(("wait_days", "paid_days", "lasts"), [(0, 0, 7), (6, 0, 13), (6, 20, 27)])
def test_a_period_that_waits_for_its_notice_keeps_the_member_in(
    wait_days: int, paid_days: int, lasts: int
) -> None:
    told = replace(
        next_one(replace(may(), paid_at=at(JUNE, paid_days))), not_before_on=JUNE + timedelta(days=wait_days)
    )
    assert only(Source.COLLECTION, told) == Cover(Source.COLLECTION, at(JUNE), at(JUNE, lasts))


def test_who_is_trusted_is_in_from_when_she_agreed_and_who_has_paid_from_the_day_it_is_due() -> None:
    trusted = replace(next_one(), on_trust=True)
    assert only(Source.COLLECTION, trusted).starts_at < at(JUNE, -365)
    assert only(Source.COLLECTION, replace(next_one(may()), on_trust=True)).starts_at == at(JUNE)


# Money that went back, and courses.


@pytest.mark.parametrize(
    ("money", "is_bought"),
    [
        (ChargeMoney(0, 0), True),  # a month that cost nothing
        (ChargeMoney(1, 1, refunded_cents=1), False),
        (ChargeMoney(5000, 5000, refunded_cents=4999), True),
        (ChargeMoney(5000, 5000, refunded_cents=5000), False),
    ],
)
def test_what_was_bought_ends_with_the_last_cent_of_it(money: ChargeMoney, is_bought: bool) -> None:
    assert bool(covers(member(may(money=money)), ZONE)) is is_bought


@pytest.mark.parametrize(("last_paid", "is_hers"), [(5000, True), (4999, False)])
def test_a_course_is_hers_for_ever_from_its_first_day_once_the_last_cent_is_in(
    last_paid: int, is_hers: bool
) -> None:
    terms = Terms(PlanKind.INSTALMENTS, Money(5000), Interval(Unit.MONTH), 2)
    state = ChargeState.PAID if is_hers else ChargeState.COLLECTING
    charges = [may(), june(state, ChargeMoney(5000, last_paid))]
    world = replace(member(*charges), terms=terms)
    assert given_by(Source.COMPLETED, world) == [Cover(Source.COMPLETED, at(MAY), None)] * is_hers
    assert given_by(Source.COMPLETED, replace(world, charges=charges[::-1])) == [
        Cover(Source.COMPLETED, at(MAY), None)
    ] * is_hers  # fmt: skip
