"""What an owner gives, takes back, and forbids."""

from datetime import date

import pytest

from linkpay.domain.coverage import Source
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import blocks, gifts
from linkpay.services.gifts import Present
from linkpay.store import people, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Event, Member, Site
from tests.flows import truth
from tests.flows.stage import Stage

ANNA = "anna@example.com"


def site_of(stage: Stage, tx: Tx) -> Site:
    return sites.get(tx, stage.shop.site_id)


def give(stage: Stage, until: date | None = None, email: str = ANNA) -> None:
    with stage.database.write() as tx:
        present = Present(email, "members", until, "Anna", "a winner")
        gifts.give(tx, site_of(stage, tx), present, "owner:eva", stage.clock.now())
    stage.work()


def take_back(stage: Stage) -> None:
    with stage.database.write() as tx:
        gifts.take_back(tx, site_of(stage, tx), ANNA, "members", "owner:eva", stage.clock.now())
    stage.work()


def member(stage: Stage, tx: Tx, email: str = ANNA) -> Member:
    found = people.by_email(tx, stage.shop.site_id, email)
    assert found is not None
    return found


def block(stage: Stage, *, stop_billing: bool = True) -> None:
    with stage.database.write() as tx:
        blocks.block(
            tx, member(stage, tx).id, "rude", "owner:eva", stage.clock.now(), stop_billing=stop_billing
        )
    stage.work()


def unblock(stage: Stage) -> None:
    with stage.database.write() as tx:
        blocks.unblock(tx, member(stage, tx).id, "owner:eva", stage.clock.now())
    stage.work()


def events(stage: Stage) -> list[str]:
    with stage.database.read() as tx:
        return [event.kind for event in tx.query(Event).order_by(Event.id)]


def test_a_gift_lets_in_who_never_bought_until_its_day(stage: Stage) -> None:
    give(stage, date(2026, 3, 1))
    grant = stage.grant(ANNA)
    assert grant is not None
    assert (grant.reason, stage.has_access(ANNA)) == (Source.GIFT, True)
    stage.advance_to(stage.clock.now().replace(month=2, day=28, hour=22))
    assert stage.has_access(ANNA)
    stage.advance(hours=2)
    assert not stage.has_access(ANNA)
    assert events(stage) == ["gift_given", "access_granted", "access_revoked"]
    assert stage.mail_kinds() == ["gift_open", "gift_over"]
    truth.check(stage)


def test_a_gift_for_ever_stays_until_it_is_taken_back(stage: Stage) -> None:
    give(stage)
    stage.advance(days=800)
    assert stage.has_access(ANNA)
    take_back(stage)
    assert not stage.has_access(ANNA)
    with stage.database.write() as tx, pytest.raises(NotFound):
        gifts.take_back(tx, site_of(stage, tx), ANNA, "members", "owner:eva", stage.clock.now())
    truth.check(stage)


def test_giving_twice_changes_the_day_and_gives_once(stage: Stage) -> None:
    give(stage, date(2026, 3, 1))
    give(stage, date(2026, 3, 1))
    give(stage, date(2026, 4, 1))
    stage.advance(days=40)
    assert stage.has_access(ANNA)
    assert stage.kajabi_calls(ANNA) == ["activate 200"]
    assert events(stage).count("gift_given") == 2


def test_a_gift_bridges_what_a_bounce_would_end(stage: Stage) -> None:
    stage.buy(ANNA)
    give(stage, date(2026, 6, 1))
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.advance(days=15)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert stage.has_access(ANNA)
    take_back(stage)
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_taking_a_gift_back_leaves_what_was_bought(stage: Stage) -> None:
    stage.buy(ANNA)
    give(stage)
    take_back(stage)
    assert stage.has_access(ANNA)
    assert stage.kajabi_calls(ANNA) == ["activate 200"]
    truth.check(stage)


@pytest.mark.parametrize(
    ("present", "error", "code"),
    [
        (Present(ANNA, "members", date(2026, 1, 31)), InputError, "gift_until_past"),
        (Present(ANNA, "nothing"), NotFound, "offer_unknown"),
        (Present("no address", "members"), InputError, "email_invalid"),
    ],
)
def test_a_gift_that_cannot_be_is_refused_in_words(
    stage: Stage, present: Present, error: type[InputError], code: str
) -> None:
    with stage.database.write() as tx, pytest.raises(error) as refusal:
        gifts.give(tx, site_of(stage, tx), present, "owner:eva", stage.clock.now())
    assert refusal.value.code == code


# Blocked ---------------------------------------------------------------------------------------------


def test_a_blocked_member_loses_what_she_paid_for_and_is_charged_no_more(stage: Stage) -> None:
    stage.buy(ANNA)
    give(stage)
    block(stage)
    grant = stage.grant(ANNA)
    assert grant is not None
    assert (grant.reason, stage.has_access(ANNA)) == ("blocked", False)
    stage.advance(days=70)
    assert stage.kept_cents() == 5000
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_who_is_blocked_without_stopping_pays_on_and_stays_out(stage: Stage) -> None:
    stage.buy(ANNA)
    block(stage, stop_billing=False)
    stage.advance(days=40)
    assert len(stage.charges(ANNA)) == 2
    assert not stage.has_access(ANNA)
    unblock(stage)
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_nothing_can_be_given_to_a_blocked_member(stage: Stage) -> None:
    stage.buy(ANNA)
    block(stage)
    with pytest.raises(Conflict):
        give(stage)
    assert not stage.has_access(ANNA)


def test_a_blocked_member_cannot_order_and_is_told_by_mail(stage: Stage) -> None:
    stage.buy(ANNA)
    block(stage)
    with stage.database.write() as tx, pytest.raises(Conflict):
        stage.begin_in(tx, ANNA, "monthly")
    stage.work()
    assert stage.mail_kinds()[-1] == "cannot_order"
    assert len(stage.open_at_mollie()) == 0


def test_unblocking_brings_back_the_days_that_were_paid(stage: Stage) -> None:
    stage.buy(ANNA)
    block(stage)
    block(stage)
    unblock(stage)
    unblock(stage)
    assert stage.has_access(ANNA)
    stage.advance(days=30)
    assert not stage.has_access(ANNA), "nothing was collected for the days that followed"
    assert events(stage).count("member_blocked") == events(stage).count("member_unblocked") == 1
    truth.check(stage)
