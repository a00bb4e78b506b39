"""Stories that are told again and again: plain, with every message doubled or reordered, and killed
at every boundary. Each has a beginning that is not disturbed and a part that is."""

from collections.abc import Callable
from dataclasses import dataclass

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from tests.flows.stage import Stage

ANNA = "anna@example.com"


@dataclass(frozen=True)
class Story:
    """`begin` sets the scene, `go_on` is disturbed, `check` says how it must end."""

    begin: Callable[[Stage], None]
    go_on: Callable[[Stage], None]
    check: Callable[[Stage], None]


def nothing(_stage: Stage) -> None:
    """An empty scene."""


def buy(stage: Stage) -> None:
    stage.buy(ANNA)


def bought(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    assert stage.mail_kinds().count("access_open") == 1


def renew(stage: Stage) -> None:
    stage.advance(days=40)


def renewed(stage: Stage) -> None:
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert stage.has_access(ANNA)


def buy_and_reach_debit(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING


def bounce(stage: Stage) -> None:
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "failed", "MD01")
    stage.advance(days=15)


def bounced(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert not stage.has_access(ANNA)


def buy_and_bounce(stage: Stage) -> None:
    buy_and_reach_debit(stage)
    bounce(stage)


def pay_again(stage: Stage) -> None:
    stage.pay_by_link(stage.charges(ANNA)[1])


def back(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)


def take_back(stage: Stage) -> None:
    payment_id = stage.mollie_ids(stage.charges(ANNA)[1].id)[0]
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/chargebacks", {"reason": "MD06"})
    stage.advance(days=4)


def buy_and_renew(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=40)


def sign_up_two_plans(stage: Stage) -> None:
    """Two tabs with two plans, both taken to the bank."""
    for plan in ("monthly", "weekly"):
        charge = stage.begin(ANNA, plan)
        stage.go_pay(charge)


def pay_both(stage: Stage) -> None:
    for payment_id in stage.open_at_mollie():
        stage.bank(payment_id, "paid")
        stage.work()
    stage.advance(hours=3)


def one_sent_back(stage: Stage) -> None:
    assert stage.has_access(ANNA)
    assert stage.mail_kinds().count("paid_twice") == 1
    assert stage.kept_cents() in (5000, 1500)


STORIES = {
    "a purchase": Story(nothing, buy, bought),
    "a renewal": Story(buy, renew, renewed),
    "a bounce until access ends": Story(buy_and_reach_debit, bounce, bounced),
    "paying again after access ended": Story(buy_and_bounce, pay_again, back),
    "money taken back": Story(buy_and_renew, take_back, bounced),
    "two plans in two tabs, both paid": Story(sign_up_two_plans, pay_both, one_sent_back),
}
