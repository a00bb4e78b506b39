"""A request that arrives after its key's hour makes a second payment at Mollie: nobody is out of pocket."""

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import debits
from linkpay.store.tables import Event, Payment
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, reach_debit


def late_request(stage: Stage) -> tuple[str, str]:
    """The second month is asked for, and two hours later a held-up copy of that request arrives. Both ids."""
    first = reach_debit(stage)
    stage.advance(hours=2)
    with stage.database.read() as tx:
        payment = tx.query(Payment).filter_by(mollie_id=first).one()
        order = debits.reading(tx, payment, KEY, stage.parts.base_url, stage.clock.now()).order
    second = stage.parts.payments.create_payment(KEY, order).id
    assert second != first
    return first, second


def as_it_should_be(stage: Stage) -> None:
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert [charge.money.kept_cents for charge in stage.charges(ANNA)] == [5000] * 2
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_it_is_stopped_where_mollie_still_can(stage: Stage) -> None:
    _, second = late_request(stage)
    stage.post(second)
    stage.work()
    assert stage.status(second) == "canceled"
    with stage.database.read() as tx:
        assert tx.query(Event).filter_by(kind="second_payment").count() == 1
    stage.advance(days=9)
    as_it_should_be(stage)
    assert "paid_twice" not in stage.mail_kinds()


@pytest.mark.parametrize("times", [1, 2])
def test_what_it_brings_in_goes_back_and_is_told_once(stage: Stage, times: int) -> None:
    first, second = late_request(stage)
    stage.bank(second, "paid")
    for _ in range(times):
        stage.post(second)
    stage.work()
    stage.bank(first, "paid")
    stage.advance(days=9)
    as_it_should_be(stage)
    assert stage.mail_kinds().count("paid_twice") == 1


def test_it_counts_where_the_first_one_fails(stage: Stage) -> None:
    first, second = late_request(stage)
    stage.bank(second, "paid")
    stage.post(second)
    stage.bank(first, "failed", "AM04")
    stage.advance(days=9)
    as_it_should_be(stage)
    assert "payment_failed" not in stage.mail_kinds()


def test_its_failure_begins_no_ladder(stage: Stage) -> None:
    _, second = late_request(stage)
    stage.bank(second, "failed", "AM04")
    stage.post(second)
    stage.work()
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING
    assert "payment_failed" not in stage.mail_kinds()
    stage.advance(days=9)
    as_it_should_be(stage)
