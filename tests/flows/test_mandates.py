"""Debits that cannot be: mandates that end, banks that refuse, keys that stop working."""

from datetime import timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import people
from linkpay.store.tables import Charge, Mandate, Site, Subscription
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, debits, evening_before, midnight, reach_debit
from tests.flows.test_money_back import refund_by_hand
from workers import sweep


def mandate(stage: Stage) -> tuple[str, str]:
    """(customer, mandate) at Mollie."""
    (payment,) = stage.bank_view_list()
    assert payment.customer_id is not None
    assert payment.mandate_id is not None
    return payment.customer_id, payment.mandate_id


def asked_for_a_new_mandate(stage: Stage) -> None:
    assert debits(stage) == 0
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.mail_kinds()[-1] == "mandate_needed"
    assert stage.has_access(ANNA), "grace"
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    stage.advance(days=40)
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 3
    assert debits(stage) == 1
    truth.check(stage)


def test_a_mandate_revoked_at_mollie_is_asked_for_again_and_never_debited(stage: Stage) -> None:
    evening_before(stage)
    stage.bank_view.revoke_mandate(KEY, *mandate(stage))
    midnight(stage)
    asked_for_a_new_mandate(stage)


@pytest.mark.parametrize("status", ["invalid", "revoked"])
def test_a_mandate_known_to_have_ended_is_not_even_tried(stage: Stage, status: str) -> None:
    evening_before(stage)
    with stage.database.write() as tx:
        tx.query(Mandate).update({"status": status})
    midnight(stage)
    asked_for_a_new_mandate(stage)


@pytest.mark.parametrize(("code", "status"), [("AC04", "invalid"), ("AM04", "valid")])
def test_a_failed_debit_shows_at_once_what_became_of_its_mandate(
    stage: Stage, code: str, status: str
) -> None:
    stage.bank(reach_debit(stage), "failed", code)
    stage.work()
    with stage.database.read() as tx:
        assert tx.query(Mandate).one().status == status
    stage.pay_by_link(stage.charges(ANNA)[1])
    truth.check(stage)


def test_a_debit_that_fails_after_its_mandate_was_revoked_is_still_booked(stage: Stage) -> None:
    evening_before(stage)
    known = mandate(stage)
    midnight(stage)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.bank_view.revoke_mandate(KEY, *known)
    stage.work()
    assert stage.charges(ANNA)[1].state is ChargeState.FAILED
    assert stage.mail_kinds()[-1] == "mandate_needed"


def test_what_was_known_of_a_mandate_that_is_gone_still_proves_its_debits(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.read() as tx:
        before = tx.query(Mandate).one()
    stage.bank_view.revoke_mandate(KEY, *mandate(stage))
    refund_by_hand(stage, stage.mollie_ids(stage.charges(ANNA)[0].id)[0], "10.00")
    stage.advance(days=2)
    with stage.database.read() as tx:
        after = tx.query(Mandate).one()
    assert after.status == "revoked"
    for name in ("method", "account_hint", "reference", "signed_on"):
        assert getattr(after, name) == getattr(before, name) is not None
    truth.check(stage)


def test_a_mandate_that_is_still_pending_is_waited_for(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    (payment_id,) = stage.open_at_mollie()
    stage.bank(payment_id, "paid", mandate_after_hours=28 * 24)
    stage.work()
    stage.advance(days=27, hours=15)
    assert debits(stage) == 0
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING
    stage.advance(days=1)
    assert debits(stage) == 1
    stage.advance(days=8)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    truth.check(stage)


def test_a_mandate_that_stays_pending_is_given_up_after_a_fortnight_and_asked_for_anew(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    stage.bank(stage.mollie_ids(charge.id)[0], "paid", mandate_after_hours=24 * 365)
    stage.work()
    stage.advance(days=41)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING
    assert "mandate_needed" not in stage.mail_kinds()
    stage.advance(days=1)
    asked_for_a_new_mandate(stage)


def test_an_empty_account_and_then_an_objection_stops_the_debits_and_is_told_at_once(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.advance(days=5, minutes=10)
    first, second = stage.mollie_ids(stage.charges(ANNA)[1].id)
    stage.bank(second, "failed", "MD06")
    stage.work()
    assert stage.mail_kinds()[-1] == "mandate_needed"
    stage.advance(days=20)
    assert stage.mollie_ids(stage.charges(ANNA)[1].id) == [first, second]
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert not stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.parametrize("code", ["MD01", "AC04", "MD06", "MS02"])
def test_a_refusal_for_good_is_told_at_once_and_never_debited_again(stage: Stage, code: str) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "failed", code)
    stage.work()
    assert stage.mail_kinds()[-1] == "mandate_needed"
    stage.advance(days=15)
    assert stage.mollie_ids(stage.charges(ANNA)[1].id) == [debit]
    truth.check(stage)


def test_a_debit_that_bounces_after_it_was_paid_starts_the_help_from_then(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "paid")
    stage.advance(days=3)
    stage.bank(debit, "failed", "AM04")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.charges(ANNA)[1].paid_cents == 0
    stage.advance(days=9)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    truth.check(stage)


# The site's key (34) ---------------------------------------------------------------------------------


def suspend(stage: Stage, key: str) -> None:
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        site.mollie_key_sealed = stage.parts.box.seal(site.id, "mollie_key", key)


def is_halted(stage: Stage) -> bool:
    with stage.database.read() as tx:
        return tx.get_one(Site, stage.shop.site_id).halted_at is not None


def test_a_refused_key_halts_the_site_and_loses_nothing(stage: Stage) -> None:
    evening_before(stage)
    suspend(stage, "test_")
    midnight(stage)
    assert is_halted(stage)
    assert stage.troubles() == ["mollie_key"]
    stage.advance(hours=3)
    assert debits(stage) == 0
    assert stage.has_access(ANNA)
    suspend(stage, KEY)
    stage.advance(minutes=11)
    assert not is_halted(stage)
    assert stage.troubles() == []
    assert debits(stage) == 1
    stage.advance(days=9)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    truth.check(stage)


def test_a_halted_site_is_charged_again_though_only_the_daily_watch_looked(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=26, hours=23)
    suspend(stage, "test_")
    stage.advance(hours=2)
    assert is_halted(stage)
    stage.advance(hours=15)
    assert len(stage.charges(ANNA)) == 1
    suspend(stage, KEY)
    stage.advance(minutes=11)
    assert not is_halted(stage)
    assert debits(stage) == 1
    truth.check(stage)


def test_other_sites_go_on_while_one_is_halted(stage: Stage) -> None:
    other, eva = stage.open_shop("other", "test_anotheraccount"), "eva@example.com"
    stage.buy(ANNA)
    with stage.on(other):
        charge = stage.begin(eva)
        stage.go_pay(charge)
        stage.bank(stage.newest_at_mollie(), "paid")
        stage.work()
    stage.advance(days=27, hours=12)
    suspend(stage, "test_")
    stage.advance(hours=2)
    assert is_halted(stage)
    with stage.on(other):
        assert not is_halted(stage)
        assert len(stage.mollie_ids(stage.charges(eva)[1].id)) == 1
        assert stage.has_access(eva)


def test_work_of_a_site_without_a_key_waits_until_it_is_connected(stage: Stage) -> None:
    debit = reach_debit(stage)
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).mollie_key_sealed = None
    stage.bank(debit, "paid")
    stage.advance(hours=2)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING
    suspend(stage, KEY)
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    truth.check(stage)


@pytest.mark.parametrize("code", ["MD06", "MS02", "SL01", "AC04"])
def test_a_mandate_that_was_refused_once_is_not_debited_for_later_periods_either(
    stage: Stage, code: str
) -> None:
    """The owner lets go of the month, and Mollie goes on calling the mandate valid."""
    debit = reach_debit(stage)
    stage.bank(debit, "failed", code)
    stage.work()
    with stage.database.write() as tx:
        tx.query(Mandate).update({"status": "valid"})
        forgiven = tx.get_one(Charge, stage.charges(ANNA)[1].id)
        forgiven.state, forgiven.failed_at = ChargeState.WRITTEN_OFF, None
        tx.get_one(Subscription, stage.subscription(ANNA).id).state = SubscriptionState.ACTIVE
    stage.advance(days=32)
    assert debits(stage) == 1
    assert stage.charges(ANNA)[2].state is ChargeState.FAILED
    assert stage.mail_kinds()[-1] == "mandate_needed"
    stage.pay_by_link(stage.charges(ANNA)[2])
    stage.advance(days=35)
    assert debits(stage) == 2, "the new mandate is debited"


def test_a_debit_that_waits_to_be_sent_is_not_sent_on_a_mandate_refused_meanwhile(stage: Stage) -> None:
    evening_before(stage)
    stage.clock.advance(timedelta(hours=2))
    sweep.turn(stage.parts)
    with stage.database.write() as tx:
        mandate = tx.query(Mandate).one()
        people.distrust_mandate(tx, mandate.id, "MD06", stage.clock.now())
    stage.work()
    asked_for_a_new_mandate(stage)
