"""Stories that are told again and again: plain, with every message doubled or reordered, and killed
at every boundary. Each has a beginning that is not disturbed and a part that is."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from tests.flows import (
    stories_access,
    stories_dunning,
    stories_law,
    stories_leaving,
    stories_portal,
    stories_selling,
    stories_takeover,
    stories_telling,
)
from tests.flows.stage import Stage
from tests.flows.story import Story

ANNA = "anna@example.com"


def nothing(_stage: Stage) -> None:
    """An empty scene."""


def buy(stage: Stage) -> None:
    stage.buy(ANNA)


def bought(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    assert stage.mail_kinds().count("access_open") == 1


def buy_and_wait(stage: Stage) -> None:
    """Until the evening before the second period."""
    stage.buy(ANNA)
    stage.advance(days=27, hours=12)


def renew(stage: Stage) -> None:
    stage.advance(hours=2)
    bank_pays(stage)


def bank_pays(stage: Stage) -> None:
    stage.bank(second_debit(stage), "paid")
    stage.work()


def second_debit(stage: Stage) -> str:
    """The newest payment of the second period at Mollie."""
    return stage.mollie_ids(stage.charges(ANNA)[1].id)[-1]


def renewed(stage: Stage) -> None:
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
    assert stage.has_access(ANNA)


def buy_and_reach_debit(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING


def buy_and_bounce(stage: Stage) -> None:
    """Until the last day of grace."""
    buy_and_reach_debit(stage)
    stage.bank(second_debit(stage), "failed", "MD01")
    stage.advance(days=13, hours=12)


def let_grace_end(stage: Stage) -> None:
    stage.advance(days=1)


def bounced(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert not stage.has_access(ANNA)


def buy_and_lose_access(stage: Stage) -> None:
    buy_and_bounce(stage)
    let_grace_end(stage)


def pay_again(stage: Stage) -> None:
    stage.pay_by_link(stage.charges(ANNA)[1])


def back(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)


def bounce_softly_and_twice_more(stage: Stage) -> None:
    """An empty account, and both later debits refused as well."""
    bank_fails(stage)
    stage.advance(days=5, minutes=10)
    bank_fails(stage)
    stage.advance(days=3)
    bank_fails(stage)


def bank_fails(stage: Stage) -> None:
    """The newest debit bounces; without webhooks it is made only when the last bounce was found."""
    while stage.status(second_debit(stage)) != "pending":
        stage.advance(hours=6)
    stage.bank(second_debit(stage), "failed", "AM04")
    stage.work()


def in_grace_after_three(stage: Stage) -> None:
    charge = stage.charges(ANNA)[1]
    assert [stage.status(one) for one in stage.mollie_ids(charge.id)] == ["failed"] * 3
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.mail_kinds().count("payment_failed") == 3
    assert stage.has_access(ANNA)


def take_back(stage: Stage) -> None:
    body = {"reason": "MD06"}
    stage.sandbox.call("POST", f"/_sandbox/payments/{second_debit(stage)}/chargebacks", body)
    stage.advance(days=4)


def buy_and_renew(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=40)


def renew_without_an_answer(stage: Stage) -> None:
    """The debit is made, its answer lost."""
    stage.disturb("timeout_after", match="/v2/payments")
    stage.advance(hours=2)
    stage.advance(minutes=5)
    bank_pays(stage)


def sign_up_two_plans(stage: Stage) -> None:
    """Two tabs with two plans, both taken to the bank."""
    for plan in ("monthly", "weekly"):
        charge = stage.begin(ANNA, plan)
        stage.go_pay(charge)


def pay_both(stage: Stage) -> None:
    for payment_id in stage.open_at_mollie():
        stage.bank(payment_id, "paid")
        stage.work()
    stage.advance(hours=1)


def pay_one_of_two(stage: Stage) -> None:
    sign_up_two_plans(stage)
    stage.bank(stage.open_at_mollie()[0], "paid")
    stage.work()
    stage.disturb("timeout_after", match="/refunds")


def one_sent_back(stage: Stage) -> None:
    assert stage.has_access(ANNA)
    assert stage.mail_kinds().count("paid_twice") == 1
    assert stage.kept_cents() in (5000, 1500)


def buy_at_kajabi(stage: Stage) -> None:
    """Anna buys in Kajabi's own shop, which lets her in and tells us."""
    stage.buy_at_kajabi(ANNA)


def sign_up_and_never_pay(stage: Stage) -> None:
    stage.work()
    stage.advance(days=7, minutes=5)


def signed_off(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert stage.mail_kinds() == ["mandate_wanted", "signup_over"]
    assert not stage.has_access(ANNA)
    assert stage.kept_cents() == 0


def sign_up_and_pay(stage: Stage) -> None:
    stage.work()
    stage.pay_by_link(stage.charges(ANNA)[0])


STORIES = {
    "a purchase": Story(nothing, buy, bought),
    "a renewal": Story(buy_and_wait, renew, renewed),
    "a renewal whose answer is lost": Story(buy_and_wait, renew_without_an_answer, renewed),
    "a bounce until access ends": Story(buy_and_bounce, let_grace_end, bounced),
    "a soft bounce and two more debits": Story(
        buy_and_reach_debit, bounce_softly_and_twice_more, in_grace_after_three
    ),
    "paying again after access ended": Story(buy_and_lose_access, pay_again, back),
    "money taken back": Story(buy_and_renew, take_back, bounced),
    "two plans in two tabs, both paid": Story(sign_up_two_plans, pay_both, one_sent_back),
    "both paid, and the refund's answer lost": Story(pay_one_of_two, pay_both, one_sent_back),
    "a sign-up at Kajabi that is never paid": Story(buy_at_kajabi, sign_up_and_never_pay, signed_off),
    "a sign-up at Kajabi that is paid": Story(buy_at_kajabi, sign_up_and_pay, bought),
    **stories_access.STORIES,
    **stories_dunning.STORIES,
    **stories_leaving.STORIES,
    **stories_selling.STORIES,
    **stories_takeover.STORIES,
    **stories_portal.STORIES,
    **stories_law.STORIES,
    **stories_telling.STORIES,
}
