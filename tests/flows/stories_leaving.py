"""Stories of members who leave, stay, pause, change plan and come back; see `tests.flows.stories`."""

from collections.abc import Callable
from datetime import date

from linkpay.domain.subscription import SubscriptionState
from tests.flows.plans import YEAR, add_plan, cancel, pause, plan_id, reactivate, switch, undo
from tests.flows.stage import Stage
from tests.flows.story import Story

ANNA = "anna@example.com"
S = SubscriptionState


def press(stage: Stage, act: Callable[[], object], *, done: Callable[[], bool]) -> None:
    """Whoever presses again sees first whether it was done."""
    stage.insist(lambda: None if done() else act())
    stage.work()


def state(stage: Stage) -> SubscriptionState:
    return stage.subscription(ANNA).state


def buy(stage: Stage) -> None:
    """Bought on 31 January; there is a year's plan beside it."""
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)


def leave(stage: Stage) -> None:
    press(stage, lambda: cancel(stage, ANNA), done=lambda: state(stage) is S.CANCELING)
    stage.advance(days=40)


def is_gone(stage: Stage) -> None:
    assert state(stage) is S.ENDED
    assert not stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == 1
    assert stage.mail_kinds() == ["welcome", "access_open", "cancel_confirmed", "access_ended"]


def leave_and_stay(stage: Stage) -> None:
    press(stage, lambda: cancel(stage, ANNA), done=lambda: state(stage) is S.CANCELING)
    stage.advance(days=3)
    press(stage, lambda: undo(stage, ANNA), done=lambda: state(stage) is S.ACTIVE)
    stage.advance(days=35)


def has_stayed(stage: Stage) -> None:
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == 2
    kinds = stage.mail_kinds()
    assert (kinds.count("cancel_confirmed"), kinds.count("cancel_undone")) == (1, 1)


def take_a_pause(stage: Stage) -> None:
    """From 28 February, when what is paid is over, until 10 March."""
    press(
        stage, lambda: pause(stage, ANNA, date(2026, 3, 10)),
        done=lambda: stage.subscription(ANNA).pause_on is not None,
    )  # fmt: skip
    stage.advance(days=32)
    assert not stage.has_access(ANNA)
    stage.advance(days=12)


def goes_on_after_it(stage: Stage) -> None:
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    assert [str(charge.starts_on) for charge in stage.charges(ANNA)] == ["2026-01-31", "2026-03-10"]


def take_the_year(stage: Stage) -> None:
    """At once, with credit for the days of the month that are left."""
    stage.advance(days=10)
    yearly = plan_id(stage, "yearly")
    press(
        stage, lambda: switch(stage, ANNA, "yearly", at_once=True),
        done=lambda: stage.subscription(ANNA).plan_id == yearly,
    )  # fmt: skip
    stage.advance(days=30)


def has_the_year(stage: Stage) -> None:
    first, second = stage.charges(ANNA)
    assert first.paid_cents == 5000
    assert 45_000 < second.amount_cents < 50_000, "a year less the credit"
    assert second.paid_cents == second.amount_cents
    assert stage.has_access(ANNA)
    assert stage.mail_kinds().count("switched") == 1


def buy_and_be_gone(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)
    stage.advance(days=38)


def come_back(stage: Stage) -> None:
    press(stage, lambda: reactivate(stage, ANNA), done=lambda: state(stage) is S.ACTIVE)
    stage.advance(days=12)


def is_back(stage: Stage) -> None:
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    assert [charge.paid_cents for charge in stage.charges(ANNA)] == [5000, 5000]


STORIES = {
    "leaving": Story(buy, leave, is_gone),
    "leaving and staying after all": Story(buy, leave_and_stay, has_stayed),
    "a pause": Story(buy, take_a_pause, goes_on_after_it),
    "a year instead of a month": Story(buy, take_the_year, has_the_year),
    "coming back after leaving": Story(buy_and_be_gone, come_back, is_back),
}
