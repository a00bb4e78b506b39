"""A rehearsal shows what will happen: its days are those of the rules that act."""

from dataclasses import replace
from datetime import date

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms, Trial
from linkpay.domain.policy import Policy
from linkpay.services.rehearsal import Kind, Moment, Scene, play

MONTHLY = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
SCENE = Scene(MONTHLY, Policy(), 2100, date(2026, 1, 31), "Europe/Amsterdam")


def of_kind(scene: Scene, kind: Kind) -> list[Moment]:
    return [moment for moment in play(scene).moments if moment.kind is kind]


def test_short_months_end_and_the_day_comes_back() -> None:
    days = [moment.on for moment in of_kind(SCENE, Kind.COLLECTED)]
    assert days[:2] == [date(2026, 2, 28), date(2026, 3, 31)]
    assert play(SCENE).total_cents == 50_000, "ten months at fifty euro"


def test_a_bounce_goes_by_the_policy_of_the_site() -> None:
    (bounced,) = of_kind(SCENE, Kind.BOUNCED)
    assert (bounced.on, bounced.until) == (date(2026, 5, 4), date(2026, 5, 18)), "fourteen days of grace"
    assert bounced.tries == (date(2026, 5, 9), date(2026, 5, 12))
    strict = replace(SCENE, policy=replace(SCENE.policy, grace_days=0, retry_days=()))
    (bounced,) = of_kind(strict, Kind.BOUNCED)
    assert (bounced.until, bounced.tries) == (date(2026, 5, 4), ())


def test_who_leaves_keeps_what_she_paid_for_and_a_minimum_term_holds_her() -> None:
    (left,) = of_kind(SCENE, Kind.LEFT)
    assert left.on == date(2026, 11, 10)
    assert of_kind(SCENE, Kind.CLOSED)[0].on == date(2026, 11, 30)
    bound = replace(SCENE, terms=replace(MONTHLY, minimum_periods=12))
    assert of_kind(bound, Kind.CLOSED)[0].on == date(2027, 1, 31)
    at_once = replace(SCENE, policy=replace(SCENE.policy, cancel_at="now"))
    assert of_kind(at_once, Kind.CLOSED)[0].on == date(2026, 11, 10)


def test_every_kind_of_plan_can_be_played() -> None:
    course = replace(SCENE, terms=Terms(PlanKind.INSTALMENTS, Money(10_000), Interval(Unit.MONTH), 3))
    assert play(course).total_cents == 30_000
    assert of_kind(course, Kind.ALL_PAID)[0].on == date(2026, 3, 31)
    once = replace(SCENE, terms=Terms(PlanKind.ONE_TIME, Money(27_500), Interval(Unit.MONTH), 1))
    assert play(once).total_cents == 27_500
    trial = replace(SCENE, terms=replace(MONTHLY, trial=Trial(14)))
    assert of_kind(trial, Kind.ORDERED)[0].cents == 0
    assert of_kind(trial, Kind.COLLECTED)[0].on == date(2026, 2, 14)
    weekly = play(replace(SCENE, terms=Terms(PlanKind.MEMBERSHIP, Money(1500), Interval(Unit.WEEK))))
    assert len(weekly.moments) < 16
    assert any(moment.kind is Kind.COLLECTED_OFTEN for moment in weekly.moments)
