"""A new bank account or card: moved when it is valid and not before, the old one revoked, none mixed up."""

from datetime import timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import checkout, mandate_renewal
from linkpay.store import agreements, charges, mandates
from linkpay.store.tables import Charge, Mandate, Outbox, Subscription
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.renewing import (
    ask,
    at_mollie,
    go_to_bank,
    mandate_of,
    mandates_debited,
    renew,
    renewals,
)
from tests.flows.shelf import ANNA
from tests.flows.stage import Stage


def all_mandates(stage: Stage) -> list[Mandate]:
    with stage.database.read() as tx:
        return tx.query(Mandate).order_by(Mandate.id).all()


def second_purchase(stage: Stage, plan: str = "weekly") -> Subscription:
    """Another running purchase of hers, collected from the same account."""
    stage.buy(ANNA)
    first = stage.subscription(ANNA)
    with stage.database.write() as tx:
        copied = tx.get_one(Subscription, first.id)
        values = {c.name: getattr(copied, c.name) for c in Subscription.__table__.columns if c.name != "id"}
        other = Subscription(**values | {"token": "t" * 32, "next_charge_on": None})
        tx.add(other)
        tx.flush()
        return other


@pytest.mark.parametrize(("method", "cents"), [("ideal", 1), ("bancontact", 2), ("creditcard", 0)])
def test_an_account_is_proven_by_the_least_that_its_method_takes(
    stage: Stage, method: str, cents: int
) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    payment = stage.bank_view.fetch_payment(KEY, renew(stage, method))
    assert (payment.amount.cents, payment.method) == (cents, method)
    new = mandate_of(stage)
    assert new.id != old.id
    assert at_mollie(stage, old) is MandateStatus.REVOKED
    assert at_mollie(stage, new) is MandateStatus.VALID
    truth.check(stage)
    stage.advance(days=40)
    (_, second) = stage.charges(ANNA)
    assert second.state is ChargeState.PAID
    assert second.amount_cents == 5000 - cents, "the cent is hers"
    assert mandates_debited(stage, second) == [new.id]
    truth.check(stage)


def test_a_check_is_no_period(stage: Stage) -> None:
    stage.buy(ANNA)
    before = stage.subscription(ANNA)
    until = stage.grant(ANNA)
    renew(stage)
    after, then = stage.subscription(ANNA), stage.grant(ANNA)
    assert (after.next_index, after.next_charge_on, after.state) == (
        before.next_index, before.next_charge_on, before.state,
    )  # fmt: skip
    assert len(stage.charges(ANNA)) == 1
    assert until is not None
    assert then is not None
    assert (then.until, then.version) == (until.until, until.version)
    with stage.database.read() as tx:
        assert not charges.has_unsettled(tx, after.id)
        assert agreements.credit_cents(tx, after.id) == 1


def test_nothing_moves_until_the_new_account_is_valid(stage: Stage) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    renew(stage, mandate_after_hours=30)
    stage.advance(hours=29)
    assert mandate_of(stage).id == old.id
    assert at_mollie(stage, old) is MandateStatus.VALID
    assert renewals(stage) == [None]
    stage.advance(hours=2)
    assert mandate_of(stage).id != old.id
    assert at_mollie(stage, old) is MandateStatus.REVOKED
    truth.check(stage)


def test_while_the_new_account_is_not_valid_the_old_one_is_collected_from(stage: Stage) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    stage.advance(days=27)
    renew(stage, mandate_after_hours=60)
    stage.advance(days=2)
    second = stage.charges(ANNA)[1]
    assert mandates_debited(stage, second) == [old.id]
    stage.advance(days=8)
    assert mandates_debited(stage, second) == [old.id], "finished where it began"
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert at_mollie(stage, old) is MandateStatus.REVOKED
    truth.check(stage)


def test_an_account_that_never_becomes_valid_changes_nothing_and_is_told(stage: Stage) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    renew(stage, mandate_after_hours=24 * 100)
    stage.advance(days=15)
    assert mandate_of(stage).id == old.id
    assert at_mollie(stage, old) is MandateStatus.VALID
    assert renewals(stage) == ["never_valid"]
    assert stage.mail_kinds()[-1] == "renewal_failed"
    truth.check(stage)


def test_the_old_account_waits_for_the_debit_that_runs_on_it(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    old = mandate_of(stage)
    renew(stage)
    assert mandate_of(stage).id != old.id
    stage.advance(hours=13)
    assert at_mollie(stage, old) is MandateStatus.VALID
    stage.advance(days=6)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert at_mollie(stage, old) is MandateStatus.REVOKED
    truth.check(stage)


def test_a_debit_that_bounces_on_the_old_account_is_tried_again_on_the_new(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    old = mandate_of(stage)
    renew(stage)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "AM04")
    stage.advance(days=6)
    assert mandates_debited(stage, stage.charges(ANNA)[1]) == [old.id, mandate_of(stage).id]
    stage.advance(days=8)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert at_mollie(stage, old) is MandateStatus.REVOKED
    truth.check(stage)


def test_all_that_used_the_old_account_moves_along(stage: Stage) -> None:
    other = second_purchase(stage)
    renew(stage)
    with stage.database.read() as tx:
        assert tx.get_one(Subscription, other.id).mandate_id == mandate_of(stage).id
    assert [at_mollie(stage, one).value for one in all_mandates(stage)] == ["revoked", "valid"]


def test_with_one_alone_the_others_stay_and_the_old_account_is_kept_for_them(stage: Stage) -> None:
    other = second_purchase(stage)
    renew(stage, for_all=False)
    with stage.database.read() as tx:
        kept = tx.get_one(Subscription, other.id)
        assert stage.subscription(ANNA).id == kept.id, "the newest is the one that was renewed"
        held = {one.mandate_id for one in tx.query(Subscription)}
    assert len(held) == 2
    assert [at_mollie(stage, one).value for one in all_mandates(stage)] == ["valid", "valid"]
    the_last_one_leaves_it(stage)


def the_last_one_leaves_it(stage: Stage) -> None:
    """When the last purchase moves to another account, the old one is revoked."""
    with stage.database.write() as tx:
        first = tx.query(Subscription).order_by(Subscription.id).first()
        assert first is not None
        old = first.mandate_id
        check = mandate_renewal.begin(tx, first.id, "ideal", for_all=False, now=stage.clock.now())
    stage.bank(go_to_bank(stage, check), "paid")
    stage.work()
    with stage.database.read() as tx:
        assert old is not None
        assert at_mollie(stage, tx.get_one(Mandate, old)) is MandateStatus.REVOKED


def test_a_pay_link_replaces_the_account_too(stage: Stage) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.work()
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert mandate_of(stage).id != old.id
    assert at_mollie(stage, old) is MandateStatus.REVOKED
    truth.check(stage)


def test_looking_at_an_old_payment_again_does_not_bring_its_account_back(stage: Stage) -> None:
    stage.buy(ANNA)
    first = stage.mollie_ids(stage.charges(ANNA)[0].id)[0]
    renew(stage)
    new = mandate_of(stage)
    body = {"amount": {"currency": "EUR", "value": "10.00"}}
    stage.sandbox.call("POST", f"/_sandbox/payments/{first}/refunds", body)
    stage.advance(days=2)
    stage.post(first)
    stage.work()
    assert stage.charges(ANNA)[0].refunded_cents == 1000
    assert mandate_of(stage).id == new.id
    truth.check(stage)


@pytest.mark.parametrize("first_seen", [0, 1])
def test_the_account_that_was_given_last_wins_in_whatever_order_it_is_seen(
    stage: Stage, first_seen: int
) -> None:
    stage.buy(ANNA)
    checks = [ask(stage, "ideal"), ask(stage, "creditcard")]
    paid = []
    for check in checks:
        payment = go_to_bank(stage, check)
        stage.bank(payment, "paid")
        paid.append(payment)
        stage.sandbox.advance(timedelta(minutes=1))
    stage.deliveries = lambda posted: sorted(posted, key=lambda one: one.message != paid[first_seen])
    stage.work()
    assert mandate_of(stage).method == "creditcard"
    valid = [one for one in all_mandates(stage) if at_mollie(stage, one) is MandateStatus.VALID]
    assert [one.method for one in valid] == ["creditcard"]
    truth.check(stage)


def test_asking_twice_is_one_check_and_paying_it_twice_is_impossible(stage: Stage) -> None:
    stage.buy(ANNA)
    check = ask(stage)
    assert ask(stage).id == check.id
    payment = go_to_bank(stage, check)
    assert go_to_bank(stage, ask(stage)) == payment
    stage.bank(payment, "paid")
    stage.work()
    assert isinstance(stage.go_pay(check), checkout.NothingOwed)
    assert ask(stage).id != check.id, "another time is another check"


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_a_check_that_comes_to_nothing_can_be_tried_again_and_worries_nobody(
    stage: Stage, status: str
) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    check = ask(stage)
    stage.bank(go_to_bank(stage, check), status)
    stage.work()
    held = stage.subscription(ANNA)
    assert (held.state, held.mandate_id) == (SubscriptionState.ACTIVE, old.id)
    assert stage.troubles() == []
    stage.bank(go_to_bank(stage, ask(stage)), "paid")
    stage.work()
    assert mandate_of(stage).id != old.id
    truth.check(stage)


def test_a_refused_way_of_paying_is_said(stage: Stage) -> None:
    stage.buy(ANNA)
    with pytest.raises(InputError, match="ways of paying"):
        ask(stage, "banktransfer")


def test_what_is_over_needs_no_account(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.stop(ANNA)
    with pytest.raises(Conflict, match="Nothing is collected"):
        ask(stage)


def test_who_owes_is_led_to_paying_instead(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "AM04")
    stage.work()
    with pytest.raises(Conflict, match="open amount"):
        ask(stage)


def test_a_mandate_that_is_gone_at_mollie_already_is_revoked_all_the_same(stage: Stage) -> None:
    stage.buy(ANNA)
    old = mandate_of(stage)
    payment = go_to_bank(stage, ask(stage))
    (first,) = [p for p in stage.bank_view_list() if p.id != payment]
    assert first.customer_id is not None
    stage.bank_view.revoke_mandate(KEY, first.customer_id, old.mollie_id)
    stage.bank(payment, "paid")
    stage.work()
    with stage.database.read() as tx:
        assert mandates.get(tx, old.id).status is MandateStatus.REVOKED
        assert tx.query(Outbox).filter_by(kind="revoke_mandate").one().done_at is not None
    truth.check(stage)


def test_a_cent_taken_back_starts_no_ladder(stage: Stage) -> None:
    stage.buy(ANNA)
    payment = renew(stage)
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment}/chargebacks", {"reason": "MD06"})
    stage.advance(days=2)
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    with stage.database.read() as tx:
        check = tx.query(Charge).filter(Charge.period < -1).one()
    assert check.charged_back_cents == 1
    assert check.failed_at is None
