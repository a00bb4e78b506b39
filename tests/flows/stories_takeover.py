"""Stories of taking over from Mollie: the bank's books say that each month was asked for once."""

from datetime import date

from linkpay.domain.subscription import SubscriptionState
from tests.flows.old_cart import MARK, let_in_before, member_of_before, plan_all, states, take_all
from tests.flows.stage import Stage
from tests.flows.story import Story

ANNA = "anna@example.com"


def run_elsewhere(stage: Stage) -> None:
    """Anna pays on the 10th by Mollie's own subscription, and is inside."""
    member_of_before(stage, ANNA)
    let_in_before(stage, ANNA)
    stage.advance(days=20)


def taken_over(stage: Stage) -> None:
    """Ours, without a word to her; Mollie asked for February, and we go on in March."""
    assert states(stage) == ["taken"]
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    assert not {"welcome", "access_open", "access_back"} & set(stage.mail_kinds())
    assert stage.subscription(ANNA).next_charge_on == date(2026, 3, 10)
    (anna,) = [one for one in stage.sandbox.world.books.customers if one.metadata == MARK]
    (old,) = stage.sandbox.world.books.subscriptions.where("customer_id", anna.id)
    assert old.status == "canceled"
    assert len(stage.sandbox.world.books.payments.where("customer_id", anna.id)) == 1


def plan_and_lose_an_answer(stage: Stage) -> None:
    """Planned; the cancellation is done, its answer lost."""
    run_elsewhere(stage)
    plan_all(stage)
    stage.disturb("timeout_after", match="/subscriptions/")


def a_few_minutes(stage: Stage) -> None:
    stage.work()
    stage.advance(minutes=5)


def run_until_the_day(stage: Stage) -> None:
    """Planned on the evening before Mollie charges: too near to be outrun."""
    member_of_before(stage, ANNA)
    let_in_before(stage, ANNA)
    stage.advance(days=9, hours=10)


def let_the_day_pass(stage: Stage) -> None:
    take_all(stage)
    stage.advance(days=1)


STORIES = {
    "a take-over": Story(run_elsewhere, take_all, taken_over),
    "a take-over whose cancellation has no answer": Story(plan_and_lose_an_answer, a_few_minutes, taken_over),
    "a take-over on the day before a charge": Story(run_until_the_day, let_the_day_pass, taken_over),
}
