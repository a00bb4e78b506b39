"""Access at Kajabi through its bad hours: late, lost, crossed, refused, and shared by two purchases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import OutcomeUnknown
from linkpay.ports import AccessAnswer, AccessOrder
from linkpay.services import errands, replay
from linkpay.store import grants
from linkpay.store.tables import Customer, Member, Offer, Plan, Subscription
from linkpay.store.tables.people import Access
from tests.builders import make_paid_charge, make_subscription
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.weather import at_once, in_between, kajabi_shows_a_login
from workers import jobs

ANNA = "anna@example.com"


def lose_access(stage: Stage) -> None:
    """Bought, bounced for good, grace over."""
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.advance(days=15)
    assert not stage.has_access(ANNA)


def grant_row(stage: Stage) -> tuple[str, int]:
    """The newest piece of work that tells Kajabi something."""
    return ("outbox", stage.jobs("apply_grant")[-1].id)


def pay_without_telling_kajabi(stage: Stage) -> None:
    """Paid and booked; what is owed to Kajabi waits."""
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    stage.bank(stage.newest_at_mollie(), "paid")
    stage.deliver()
    for kind, row_id in stage.due():
        if kind == "inbox":
            jobs.run(stage.parts, kind, row_id)


def take_all_money_back(stage: Stage) -> None:
    """Refunded whole and booked; what is owed to Kajabi waits."""
    payment_id = stage.newest_at_mollie()
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/refunds", {})
    stage.post(payment_id)
    for kind, row_id in stage.due():
        if kind == "inbox":
            jobs.run(stage.parts, kind, row_id)


# Kajabi's bad hours (37, 38, 44, 45) -----------------------------------------------------------------

BAD = ["status:429", "status:500", "status:502", "status:503", "timeout_before", "reset_before", "html"]


@pytest.mark.parametrize("kind", BAD)
def test_when_kajabi_answers_again_access_comes_within_two_minutes(stage: Stage, kind: str) -> None:
    minutes = 60 if kind == "status:503" else 10
    stage.disturb(kind, target="kajabi", count=1000)
    stage.buy(ANNA)
    stage.advance(minutes=minutes)
    assert not stage.has_access(ANNA)
    tries = len(stage.sandbox_calls("/activate"))
    assert minutes <= tries <= 1.5 * minutes + 8, "at most a minute apart, and not hammered"
    stage.calm()
    stage.advance(minutes=2)
    assert stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "html_after", "accepted_202"])
def test_what_kajabi_did_without_saying_so_counts_as_done(stage: Stage, kind: str) -> None:
    stage.disturb(kind, target="kajabi")
    stage.buy(ANNA)
    stage.advance(minutes=2)
    assert stage.in_step(ANNA)
    assert stage.has_access(ANNA)
    assert stage.mail_kinds() == ["welcome", "access_open"]
    assert stage.kajabi_mails(ANNA) <= 1
    truth.check(stage)


def test_many_members_get_in_after_an_outage_and_none_is_forgotten(stage: Stage) -> None:
    stage.disturb("status:503", target="kajabi", count=10_000)
    members = [f"member{number}@example.com" for number in range(6)]
    for email in members:
        stage.buy(email)
    stage.advance(minutes=10)
    stage.calm()
    stage.advance(minutes=2)
    assert all(stage.has_access(email) for email in members)
    truth.check(stage)


# Crossing (39, 46) -----------------------------------------------------------------------------------


def test_a_grant_that_slept_sends_nothing_after_a_newer_revoke(stage: Stage) -> None:
    pay_without_telling_kajabi(stage)
    row = grant_row(stage)

    def end_and_revoke() -> None:
        stage.pass_time(timedelta(seconds=30))
        take_all_money_back(stage)
        jobs.run(stage.parts, *grant_row(stage))

    stage.boundaries.after_commits(1, end_and_revoke)
    jobs.run(stage.parts, *row)
    stage.advance(minutes=5)
    grant = stage.grant(ANNA)
    assert grant is not None
    assert grant.wanted is Access.REVOKED
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_a_grant_that_lands_after_a_newer_revoke_is_set_right(stage: Stage) -> None:
    pay_without_telling_kajabi(stage)
    row = grant_row(stage)
    inner = stage.parts.access

    def end_and_revoke() -> None:
        stage.replace_part("access", inner)
        stage.pass_time(timedelta(seconds=30))
        take_all_money_back(stage)
        jobs.run(stage.parts, *grant_row(stage))

    in_between(stage, "access", "apply", before=end_and_revoke)
    jobs.run(stage.parts, *row)
    assert stage.has_access(ANNA), "for a moment"
    stage.advance(minutes=5)
    assert not stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.races
def test_a_grant_and_a_revoke_at_the_same_instant_end_right(stage: Stage) -> None:
    pay_without_telling_kajabi(stage)
    first = grant_row(stage)
    take_all_money_back(stage)
    second = grant_row(stage)
    parts = stage.parts
    at_once([lambda: jobs.run(parts, *first), lambda: jobs.run(parts, *second)] * 2)
    stage.advance(minutes=5)
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_nobody_talks_to_kajabi_about_a_member_while_somebody_does(stage: Stage) -> None:
    pay_without_telling_kajabi(stage)
    grant = stage.grant(ANNA)
    assert grant is not None
    with stage.database.write() as tx:
        assert grants.take_lease(tx, grant.id, stage.clock.now()) is not None
    stage.work()
    assert stage.kajabi_calls(ANNA) == []
    stage.advance(minutes=1)
    assert stage.kajabi_calls(ANNA) == ["activate 200"]
    truth.check(stage)


class Calls:
    """Kajabi, whose calls go as a test says."""

    def __init__(self, apply: Callable[[AccessOrder], AccessAnswer]) -> None:
        self.apply = apply


def pay_again_without_telling_kajabi(stage: Stage) -> None:
    """Out after a bounce, and paid by the link; what is owed to Kajabi waits."""
    lose_access(stage)
    stage.go_pay(stage.charges(ANNA)[1])
    stage.bank(stage.newest_at_mollie(), "paid")
    stage.deliver()
    for kind, row_id in stage.due():
        if kind == "inbox":
            jobs.run(stage.parts, kind, row_id)


@pytest.mark.parametrize("answered", [True, False])
def test_an_errand_of_slow_calls_that_another_worker_comes_across_leaves_nobody_out(
    stage: Stage, answered: bool
) -> None:
    """Grant, revoke, grant, nine seconds each; the row is free again before the second call ends."""
    pay_again_without_telling_kajabi(stage)
    row, inner, orders = grant_row(stage), stage.parts.access, list[AccessOrder]()

    def apply(order: AccessOrder) -> AccessAnswer:
        orders.append(order)
        stage.pass_time(timedelta(seconds=8))
        if len(orders) == 2:
            slow = stage.parts.access
            stage.replace_part("access", inner)
            jobs.run(stage.parts, *row)
            stage.replace_part("access", slow)
        stage.pass_time(timedelta(seconds=1))
        if len(orders) == 3 and not answered:
            raise OutcomeUnknown("Kajabi: no answer in time")
        return replace(inner.apply(order), was_so_already=len(orders) == 1)

    stage.replace_part("access", Calls(apply))
    jobs.run(stage.parts, *row)
    assert [order.grant for order in orders] == [True, False, True]
    assert stage.in_step(ANNA) is answered
    stage.replace_part("access", inner)
    stage.advance(days=2)
    assert stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.parametrize("answered", [True, False])
def test_whose_word_came_last_is_unknown_to_both_whose_errands_crossed(stage: Stage, answered: bool) -> None:
    pay_without_telling_kajabi(stage)
    grant = stage.grant(ANNA)
    assert grant is not None
    now, later, answer = stage.clock.now(), stage.clock.now() + grants.LEASE, AccessAnswer(200, "", False)
    with stage.database.write() as tx:
        first = errands.claim(tx, grant.id, stage.parts.box, now)
        second = errands.claim(tx, grant.id, stage.parts.box, later)
        assert isinstance(first, errands.Errand)
        assert isinstance(second, errands.Errand)
        if answered:
            errands.confirm(tx, first, answer, "anna", later)
        else:
            errands.leave(tx, first, later, on_its_way=True)
        errands.confirm(tx, second, answer, "anna", later)
        assert grants.get(tx, grant.id).applied is Access.UNKNOWN
    stage.advance(minutes=2)
    assert stage.in_step(ANNA)
    truth.check(stage)


def test_a_grant_without_an_answer_that_lands_late_does_not_outlive_a_revoke(stage: Stage) -> None:
    pay_without_telling_kajabi(stage)
    row, inner, on_its_way = grant_row(stage), stage.parts.access, list[AccessOrder]()

    def apply(order: AccessOrder) -> AccessAnswer:
        on_its_way.append(order)
        stage.pass_time(timedelta(seconds=8))
        raise OutcomeUnknown("Kajabi: no answer in time")

    stage.replace_part("access", Calls(apply))
    jobs.run(stage.parts, *row)
    stage.replace_part("access", inner)
    take_all_money_back(stage)
    jobs.run(stage.parts, *grant_row(stage))
    assert stage.kajabi_calls(ANNA) == [], "what is on its way comes first"
    inner.apply(on_its_way[0])
    stage.advance(minutes=2)
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_already_granted_is_not_believed_after_a_revoke_without_an_answer(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.disturb("timeout_after", target="kajabi")
    take_all_money_back(stage)
    jobs.run(stage.parts, *grant_row(stage))
    grant = stage.grant(ANNA)
    assert grant is not None
    assert grant.doubted_version == grant.version > grant.applied_version


# What Kajabi answers to a second grant ---------------------------------------------------------------


def test_a_member_who_pays_again_is_granted_again(stage: Stage) -> None:
    lose_access(stage)
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.has_access(ANNA)
    assert stage.mail_kinds()[-1] == "access_back"
    truth.check(stage)


def test_already_granted_after_our_own_revoke_is_not_believed(stage: Stage) -> None:
    path = f"/_sandbox/kajabi/sites/{stage.shop.kajabi_site}"
    lose_access(stage)
    stage.sandbox.call("POST", path, {"regrant_refused": True})
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert not stage.has_access(ANNA)
    assert stage.troubles() == ["access"]
    assert "access_back" not in stage.mail_kinds()
    stage.sandbox.call("POST", path, {"regrant_refused": False})
    replay_parked(stage)
    assert stage.has_access(ANNA)
    assert stage.mail_kinds()[-1] == "access_back"
    truth.check(stage)


# A wrong address (41, 45) ----------------------------------------------------------------------------


def readdress(stage: Stage, change: str, to: str) -> None:
    """Paste another activation address into the offer."""
    with stage.database.write() as tx:
        offer = tx.get_one(Offer, stage.shop.offer_id)
        assert offer.activation_url_sealed is not None
        url = stage.parts.box.open(stage.shop.site_id, "activation_url", offer.activation_url_sealed)
        mended = url.replace(change, to)
        offer.activation_url_sealed = stage.parts.box.seal(stage.shop.site_id, "activation_url", mended)


def replay_parked(stage: Stage) -> None:
    """Press the button beside what is parked."""
    for job in stage.jobs("apply_grant"):
        if job.parked_at is not None:
            with stage.database.write() as tx:
                replay.work(tx, job.id, stage.clock.now())
    stage.work()


def test_a_wrong_address_is_the_owners_to_mend_and_money_is_not_touched(stage: Stage) -> None:
    right = stage.shop.kajabi_offer
    readdress(stage, right, "1" + right)
    stage.buy(ANNA)
    assert stage.troubles() == ["access"]
    assert not stage.has_access(ANNA)
    stage.advance(days=33)
    assert [charge.paid_cents for charge in stage.charges(ANNA)] == [5000, 5000]
    assert len(stage.sandbox_calls("/activate")) == 1, "the address is not tried again by itself"
    readdress(stage, "1" + right, right)
    replay_parked(stage)
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_an_offer_without_addresses_waits_for_its_owner(stage: Stage) -> None:
    with stage.database.write() as tx:
        offer = tx.get_one(Offer, stage.shop.offer_id)
        kept, offer.activation_url_sealed = offer.activation_url_sealed, None
    stage.buy(ANNA)
    assert stage.troubles() == ["parked"]
    with stage.database.write() as tx:
        tx.get_one(Offer, stage.shop.offer_id).activation_url_sealed = kept
    replay_parked(stage)
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_page_to_log_in_is_no_success(stage: Stage) -> None:
    with kajabi_shows_a_login(stage):
        stage.buy(ANNA)
        stage.advance(minutes=5)
    grant = stage.grant(ANNA)
    assert grant is not None
    assert grant.applied is Access.UNKNOWN
    assert stage.mail_kinds() == ["welcome"]
    stage.advance(minutes=2)
    assert stage.has_access(ANNA)
    truth.check(stage)


# Two purchases of one offer (42) ---------------------------------------------------------------------


def test_a_member_with_two_purchases_stays_in_when_one_ends(stage: Stage) -> None:
    stage.buy(ANNA)
    bought = stage.subscription(ANNA)
    with stage.database.write() as tx:
        once = tx.query(Plan).filter_by(slug="once").one()
        customer, member = tx.get_one(Customer, bought.customer_id), tx.get_one(Member, bought.member_id)
        state = SubscriptionState.COMPLETED
        other = make_subscription(tx, once, customer, member=member, state=state, anchor_on=bought.anchor_on)
        make_paid_charge(tx, other)
    stage.advance(days=28)
    stage.bank(stage.newest_at_mollie(), "failed", "MD01")
    stage.advance(days=15)
    with stage.database.read() as tx:
        assert tx.get_one(Subscription, bought.id).state is SubscriptionState.SUSPENDED
    assert stage.has_access(ANNA)
    assert stage.kajabi_calls(ANNA) == ["activate 200"]
