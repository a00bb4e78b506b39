"""With Kajabi's public API connected: reading back, the nightly comparison, ids and tags."""

from datetime import timedelta
from typing import Any

import pytest

from linkpay.services import drift, gifts
from linkpay.services.drift import Report
from linkpay.store import sites
from linkpay.store.tables import Member, Offer, Site
from linkpay.store.tables.people import Access
from tests.flows import truth
from tests.flows.connected import ANNA, EVA, at_kajabi, connect, make_drift
from tests.flows.shelf import Shelf
from tests.flows.stage import Stage
from tests.flows.test_access import grant_row, take_all_money_back
from tests.flows.test_attention import know_her_otherwise, press, waiting
from tests.flows.test_gifts import give
from tests.flows.weather import in_between
from workers import jobs


def night(stage: Stage) -> Report:
    """The next nightly comparison, and what it reports."""
    stage.advance(days=1, minutes=10)
    with stage.database.read() as tx:
        (report,) = drift.reports(tx, stage.shop.site_id)
    assert report.finished_at is not None
    return report


def verified(stage: Stage, email: str = ANNA) -> bool:
    grant = stage.grant(email)
    assert grant is not None
    return grant.verified_at is not None


# Reading back ----------------------------------------------------------------------------------------


def test_a_change_is_read_back_a_little_later(stage: Stage) -> None:
    connect(stage)
    stage.work()
    stage.buy(ANNA)
    assert not verified(stage)
    stage.advance(minutes=1)
    assert verified(stage)
    truth.check(stage)


def test_what_kajabi_said_and_did_not_do_is_done_once_more(stage: Stage) -> None:
    connect(stage)
    stage.buy(ANNA)
    at_kajabi(stage, ANNA, "revoke")
    stage.advance(minutes=1)
    assert stage.has_access(ANNA)
    assert verified(stage)
    assert stage.mail_kinds() == ["welcome", "access_open"], "it is no news to her"
    truth.check(stage)


def test_what_kajabi_does_not_do_twice_is_for_a_person(stage: Stage) -> None:
    connect(stage)
    stage.buy(ANNA)
    at_kajabi(stage, ANNA, "revoke")
    stage.advance(minutes=0)
    grant = stage.grant(ANNA)
    assert grant is not None
    for _ in range(2):
        stage.advance_to(stage.clock.now().replace(second=0))
        at_kajabi(stage, ANNA, "revoke")
        stage.make_due(stage.jobs("verify_grant")[-1])
        stage.work()
    (item,) = waiting(stage)
    assert item.kind == "drift"
    assert ANNA in item.happened
    press(stage, item, "retry")
    stage.advance(minutes=1)
    assert stage.has_access(ANNA)
    assert not waiting(stage)
    truth.check(stage)


def test_a_revoke_is_read_back_too(stage: Stage) -> None:
    connect(stage)
    give(stage)
    stage.advance(minutes=1)
    stage.stop_watching()
    with stage.database.write() as tx:
        gifts.take_back(tx, sites.get(tx, stage.shop.site_id), ANNA, "members", "owner", stage.clock.now())
    stage.work()
    at_kajabi(stage, ANNA, "grant")
    stage.advance(minutes=1)
    assert not stage.has_access(ANNA)
    assert verified(stage)
    truth.check(stage)


def test_a_product_that_another_offer_closed_is_noticed(stage: Stage) -> None:
    """Nobody told which products there are until the API did."""
    connect(stage)
    shelf = Shelf(stage)
    shelf.put("one", "Yoga", "Breath")
    shelf.put("two", "Yoga", "Tai chi")
    with stage.database.write() as tx:
        for offer in sites.all_offers(tx, stage.shop.site_id):
            offer.products = []
    shelf.give("one", "two")
    stage.advance(minutes=2)
    shelf.take("one")
    stage.advance(minutes=2)
    assert shelf.open() == {"Yoga", "Tai chi"}
    truth.check(stage)


# The night -------------------------------------------------------------------------------------------


def test_a_quiet_night_finds_nothing_and_counts_strangers(stage: Stage) -> None:
    connect(stage)
    stage.buy(ANNA)
    world = stage.sandbox.world
    for number in range(30):
        stage.sandbox.call(
            "POST", "/_sandbox/kajabi/purchases",
            {"offer_id": stage.shop.kajabi_offer, "email": f"stranger{number}@example.com", "name": "S"},
        )  # fmt: skip
    report = night(stage)
    assert (report.holders, report.strangers, report.found) == (31, 30, [])
    assert sum(m.grants[stage.shop.kajabi_offer]["state"] == "granted" for m in world.books.members) == 31
    with stage.database.read() as tx:
        opens = sites.known_products(tx.get_one(Offer, stage.shop.offer_id))
    assert opens is not None
    assert len(opens) == 1


def test_differences_are_reported_and_put_right_by_a_button(stage: Stage) -> None:
    connect(stage)
    make_drift(stage)
    found = {one.email: (one.kind, one.repaired) for one in night(stage).found}
    assert found == {ANNA: ("missing", False), EVA: ("extra", False)}
    assert (stage.has_access(ANNA), stage.has_access(EVA)) == (False, True), "reported, not touched"
    (item,) = waiting(stage, "nl")
    assert "2 keer verschil" in item.happened
    press(stage, item, "repair")
    assert (stage.has_access(ANNA), stage.has_access(EVA)) == (True, False)
    assert night(stage).found == []
    truth.check(stage)


def test_differences_are_put_right_by_themselves_where_the_owner_says_so(stage: Stage) -> None:
    connect(stage, repair=True)
    make_drift(stage)
    found = {one.email: (one.kind, one.repaired) for one in night(stage).found}
    assert found == {ANNA: ("missing", True), EVA: ("extra", True)}
    assert (stage.has_access(ANNA), stage.has_access(EVA)) == (True, False)
    assert not waiting(stage)
    truth.check(stage)


def test_who_was_there_after_all_on_one_night_is_looked_for_on_another(stage: Stage) -> None:
    connect(stage, repair=True)
    stage.buy(ANNA)
    stage.advance(minutes=5)
    at_kajabi(stage, ANNA, "revoke")
    in_between(stage, "directory", "holders", after=lambda: at_kajabi(stage, ANNA, "grant"))
    assert night(stage).found == []
    at_kajabi(stage, ANNA, "revoke")
    assert [(one.kind, one.repaired) for one in night(stage).found] == [("missing", True)]
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_report_goes_away_when_the_next_night_finds_nothing(stage: Stage) -> None:
    connect(stage)
    make_drift(stage)
    night(stage)
    assert waiting(stage)
    at_kajabi(stage, ANNA, "grant")
    at_kajabi(stage, EVA, "revoke")
    night(stage)
    assert not waiting(stage)
    truth.check(stage)


@pytest.mark.parametrize("kind", ["status:429", "status:503", "timeout_after", "html"])
def test_a_night_of_bad_weather_ends_with_the_same_report(stage: Stage, kind: str) -> None:
    connect(stage)
    make_drift(stage)
    stage.disturb(kind, target="kajabi", match="/kajabi/v1/", count=4)
    stage.advance(days=1)
    stage.calm()
    found = {one.email: one.kind for one in night(stage).found}
    assert found == {ANNA: "missing", EVA: "extra"}


def test_a_refused_key_stops_nothing_that_matters(stage: Stage) -> None:
    connect(stage)
    stage.buy(ANNA)
    stage.advance(days=26)
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        right = site.kajabi_client_secret_sealed
        site.kajabi_client_secret_sealed = stage.parts.box.seal(site.id, "kajabi_client_secret", "wrong")
    stage.advance(days=3)
    assert stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == 2, "money goes on"
    (item,) = waiting(stage)
    assert item.kind == "kajabi_key"
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).kajabi_client_secret_sealed = right
    press(stage, item, "check_key")
    stage.advance(hours=2)
    assert not waiting(stage)
    assert verified(stage)


# Ids and tags ----------------------------------------------------------------------------------------


def test_an_id_that_kajabi_tells_needs_no_person(stage: Stage) -> None:
    connect(stage)
    know_her_otherwise(stage, "cart-77")
    stage.buy(ANNA)
    assert stage.has_access(ANNA)
    with stage.database.read() as tx:
        assert tx.query(Member).one().external_user_id == "cart-77"
    truth.check(stage)


TAGS = {"active": "Lid", "payment_failed": "Betaling mislukt", "cancelled": "Opgezegd"}


def tags_of(stage: Stage) -> set[str]:
    names = {tag.id: tag.name for tag in stage.sandbox.world.books.tags}
    (member,) = stage.sandbox.call("GET", f"/_sandbox/kajabi/members?email={ANNA}")
    return {names[tag] for tag in member["tags"]}


def make_tags(stage: Stage, *names: str) -> None:
    for name in names:
        body: dict[str, Any] = {"site_id": stage.shop.kajabi_site, "name": name}
        stage.sandbox.call("POST", "/_sandbox/kajabi/tags", body)


def test_tags_follow_the_subscription(stage: Stage) -> None:
    connect(stage, tags=TAGS)
    make_tags(stage, *TAGS.values(), "VIP")
    stage.buy(ANNA)
    stage.advance(minutes=2)
    assert tags_of(stage) == {"Lid"}
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.work()
    assert tags_of(stage) == {"Betaling mislukt"}
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert tags_of(stage) == {"Lid"}
    stage.stop(ANNA)
    stage.work()
    assert tags_of(stage) == {"Opgezegd"}
    truth.check(stage)


def test_a_tag_that_kajabi_has_not_is_told_once_and_set_when_it_is_made(stage: Stage) -> None:
    connect(stage, tags=TAGS)
    stage.buy(ANNA)
    stage.advance(minutes=2)
    (item,) = waiting(stage)
    assert "Lid" in item.happened
    make_tags(stage, *TAGS.values())
    press(stage, item, "retry")
    assert tags_of(stage) == {"Lid"}
    assert not waiting(stage)
    truth.check(stage)


def test_the_last_state_wins_when_kajabi_was_away(stage: Stage) -> None:
    connect(stage, tags=TAGS)
    make_tags(stage, *TAGS.values())
    stage.buy(ANNA)
    stage.advance(minutes=2)
    stage.disturb("status:503", target="kajabi", match="/kajabi/v1/", count=1000)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.work()
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.stop(ANNA)
    stage.advance(hours=1)
    assert tags_of(stage) == {"Lid"}
    stage.calm()
    stage.advance(hours=2)
    assert tags_of(stage) == {"Opgezegd"}
    grant = stage.grant(ANNA)
    assert grant is not None
    assert grant.wanted is Access.GRANTED, "what is paid stays open"


def test_a_newer_change_is_read_back_though_an_older_one_was_being_read(stage: Stage) -> None:
    connect(stage)
    stage.buy(ANNA)
    (verify,) = stage.jobs("verify_grant")
    stage.pass_time(timedelta(seconds=25))

    def revoke_and_confirm() -> None:
        take_all_money_back(stage)
        jobs.run(stage.parts, *grant_row(stage))

    in_between(stage, "directory", "find_contact", before=revoke_and_confirm)
    jobs.run(stage.parts, "outbox", verify.id)
    assert not stage.has_access(ANNA)
    looked = len(stage.sandbox_calls("/contacts"))
    stage.advance(minutes=1)
    assert len(stage.sandbox_calls("/contacts")) > looked
    grant = stage.grant(ANNA)
    assert grant is not None
    assert grant.verified_at is not None
    assert grant.applied_at is not None
    assert grant.verified_at > grant.applied_at
