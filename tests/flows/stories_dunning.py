"""Stories of failed payments, money that goes back, and time in which nothing of ours ran; see
`tests.flows.stories`."""

from datetime import timedelta

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import debts, refunds
from linkpay.store import charges
from tests.flows.stage import Stage
from tests.flows.story import Story

ANNA = "anna@example.com"


def buy(stage: Stage) -> None:
    stage.buy(ANNA)


def buy_and_wait(stage: Stage) -> None:
    """Until the evening before the second period."""
    stage.buy(ANNA)
    stage.advance(days=27, hours=12)


def buy_and_reach_debit(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)


def second_debit(stage: Stage) -> str:
    """The newest payment of the second period at Mollie."""
    return stage.mollie_ids(stage.charges(ANNA)[1].id)[-1]


def bank_pays(stage: Stage) -> None:
    stage.bank(second_debit(stage), "paid")
    stage.work()


def bounce(stage: Stage) -> None:
    """The second month's debit fails for good."""
    buy_and_reach_debit(stage)
    stage.bank(second_debit(stage), "failed", "MD01")
    stage.work()


def bounce_softly(stage: Stage) -> None:
    buy_and_reach_debit(stage)
    stage.bank(second_debit(stage), "failed", "AM04")
    stage.work()


def try_again_and_let_go(stage: Stage) -> None:
    """The owner has it debited once more, then asks no more for it; that debit bounces, too."""

    def press() -> None:
        with stage.database.write() as tx:
            charge = stage.charges(ANNA)[1]
            if charges.open_payment(tx, charge.id) is None:
                debts.retry(tx, charge.id, "owner", stage.clock.now())

    def let_go() -> None:
        with stage.database.write() as tx:
            debts.write_off(tx, stage.charges(ANNA)[1].id, "owner", stage.clock.now(), ends=False)

    stage.insist(press)
    stage.work()
    stage.insist(let_go)
    stage.bank(second_debit(stage), "failed", "AM04")
    stage.work()
    stage.advance(hours=1)


def goes_on(stage: Stage) -> None:
    assert stage.charges(ANNA)[1].state is ChargeState.WRITTEN_OFF
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)


def pay_outside_while_a_debit_runs(stage: Stage) -> None:
    """She brings the money herself; the debit that runs is paid all the same."""

    def act() -> None:
        with stage.database.write() as tx:
            # Whoever presses twice finds that nothing is owed any more.
            if stage.charges(ANNA)[1].asked_cents:
                charge_id = stage.charges(ANNA)[1].id
                debts.paid_outside(tx, charge_id, None, "in cash", "owner", stage.clock.now())

    stage.insist(act)
    bank_pays(stage)
    stage.advance(hours=2)


def paid_once(stage: Stage) -> None:
    charge = stage.charges(ANNA)[1]
    assert (charge.money.kept_cents, charge.refunded_cents) == (5000, 5000)
    assert stage.mail_kinds().count("paid_twice") == 1
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)


def send_two_parts_back(stage: Stage) -> None:
    for cents in (1000, 1500):

        def act(amount: int = cents) -> None:
            with stage.database.write() as tx:
                charge_id = stage.charges(ANNA)[0].id
                refunds.order(tx, charge_id, amount, f"part of {amount}", "owner", stage.clock.now())

        stage.insist(act)
        stage.work()
    stage.advance(hours=2)


def two_parts_went_back(stage: Stage) -> None:
    assert stage.charges(ANNA)[0].refunded_cents == 2500
    assert stage.kept_cents() == 2500
    assert stage.mail_kinds().count("refunded") == 2
    assert stage.has_access(ANNA)


def bounce_and_wait(stage: Stage) -> None:
    """Six days of the fourteen have passed."""
    bounce(stage)
    stage.advance(days=6)


def be_down_over_the_end_of_grace(stage: Stage) -> None:
    stage.sandbox.advance(timedelta(days=10))
    stage.work()
    stage.advance(days=1)


def still_in_grace(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.has_access(ANNA)
    assert "access_ended" not in stage.mail_kinds()


def be_down_on_the_day(stage: Stage) -> None:
    """Nothing runs from the evening before the second month on, for three days."""
    stage.sandbox.advance(timedelta(days=3))
    stage.work()
    stage.advance(minutes=5)
    bank_pays(stage)


def caught_up(stage: Stage) -> None:
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
    assert stage.mail_kinds().count("caught_up") == 1
    assert stage.has_access(ANNA)


STORIES = {
    "an owner lets go of a month": Story(bounce_softly, try_again_and_let_go, goes_on),
    "paid outside while a debit runs": Story(buy_and_reach_debit, pay_outside_while_a_debit_runs, paid_once),
    "two parts of a payment go back": Story(buy, send_two_parts_back, two_parts_went_back),
    "down over the end of grace": Story(bounce_and_wait, be_down_over_the_end_of_grace, still_in_grace),
    "down on the day of a debit": Story(buy_and_wait, be_down_on_the_day, caught_up),
}
