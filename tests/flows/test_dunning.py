"""What follows a failed collection, step by step: who is asked what, when, and what money then does."""

from datetime import timedelta

from linkpay.domain.charge import ChargeState
from linkpay.domain.snapshots import PaymentStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import charges
from linkpay.store.tables import Site
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, reach_debit
from tests.flows.test_money_back import charge_back
from tests.flows.weather import in_between


def policy(stage: Stage, **values: object) -> None:
    """The owner's choices, for every plan of the site."""
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        site.policy = {**site.policy, **values}


# Faults that were found --------------------------------------------------------------------------------


def test_an_old_view_of_a_debit_that_was_paid_does_not_undo_its_bounce(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "paid")
    stage.deliver()

    def meanwhile() -> None:
        stage.pass_time(timedelta(hours=1))
        stage.bank(debit, "failed", "AM04")
        stage.work()

    in_between(stage, "payments", "fetch_payment", after=meanwhile)
    stage.work()
    charge = stage.charges(ANNA)[1]
    with stage.database.read() as tx:
        (payment,) = charges.payments(tx, charge.id)
    assert payment.status is PaymentStatus.FAILED
    assert (charge.state, charge.paid_cents) == (ChargeState.FAILED, 0)
    truth.check(stage)


def owe_two(stage: Stage) -> None:
    """The second month is taken back while the third one's debit has bounced."""
    reach_debit(stage)
    stage.advance(days=31)
    second, third = (stage.mollie_ids(charge.id)[0] for charge in stage.charges(ANNA)[1:])
    stage.bank(third, "failed", "AM04")
    stage.work()
    charge_back(stage, second)
    stage.work()
    assert [charge.state for charge in stage.charges(ANNA)[1:]] == [ChargeState.FAILED] * 2


def test_paying_one_of_two_owed_periods_does_not_make_a_member_one_who_owes_nothing(stage: Stage) -> None:
    owe_two(stage)
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    stage.pay_by_link(stage.charges(ANNA)[2])
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def test_after_grace_both_owed_periods_are_paid_before_the_next_is_charged(stage: Stage) -> None:
    owe_two(stage)
    stage.advance(days=40)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    stage.pay_by_link(stage.charges(ANNA)[2])
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert stage.has_access(ANNA), "what is paid is given"
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    before = len(stage.charges(ANNA))
    stage.advance(days=25)
    assert len(stage.charges(ANNA)) == before, "a whole month was bought by the last payment"
    truth.check(stage)
