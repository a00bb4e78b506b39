"""Several offers that open the same things at Kajabi, where a revoke of one closes what they share."""

from datetime import date

from linkpay.domain.coverage import Source
from linkpay.services import gifts
from linkpay.services.gifts import Present
from linkpay.store import sites
from linkpay.store.tables.people import Access
from tests.flows import truth
from tests.flows.shelf import ANNA, Shelf
from tests.flows.stage import Stage
from tests.flows.test_gifts import site_of


def test_what_another_offer_covers_whole_is_never_closed(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("small", "Yoga")
    shelf.put("big", "Yoga", "Tai chi")
    shelf.give("small", "big")
    calls = stage.kajabi_calls(ANNA)
    shelf.take("small")
    assert stage.kajabi_calls(ANNA) == calls, "nothing to close, so nothing blinks"
    assert shelf.grant("small").reason == Source.SHARED
    assert shelf.open() == {"Yoga", "Tai chi"}
    shelf.take("big")
    assert shelf.open() == set()
    assert shelf.grant("small").applied is Access.REVOKED
    truth.check(stage)


def test_what_stays_only_as_long_as_the_other_offer_ends_with_it(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("small", "Yoga")
    shelf.put("big", "Yoga", "Tai chi")
    shelf.give("big", until=date(2026, 3, 1))
    shelf.give("small")
    shelf.take("small")
    stage.advance(days=30)
    assert shelf.open() == set()
    truth.check(stage)


def test_two_small_offers_cover_a_bundle_together_until_one_ends(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("bundle", "Yoga", "Tai chi")
    shelf.put("yoga", "Yoga")
    shelf.put("taichi", "Tai chi")
    shelf.give("bundle", "yoga", "taichi")
    shelf.take("bundle")
    assert shelf.grant("bundle").reason == Source.SHARED
    shelf.take("taichi")
    assert shelf.open() == {"Yoga"}, "the bundle went, and what it closed of the other was opened anew"
    truth.check(stage)


def test_a_revoke_opens_anew_what_the_other_offers_share(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("one", "Yoga", "Breath")
    shelf.put("two", "Yoga", "Tai chi")
    shelf.put("three", "Tai chi", "Breath")
    shelf.put("other", "Dance")
    shelf.give("one", "two", "three", "other")
    before = shelf.grant("other")
    shelf.take("one")
    assert shelf.open() == {"Yoga", "Tai chi", "Breath", "Dance"}
    shelf.take("three")
    assert shelf.open() == {"Yoga", "Tai chi", "Dance"}
    assert shelf.grant("other").version == before.version, "what shares nothing is left alone"
    truth.check(stage)


def test_both_ending_at_once_close_all(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("one", "Yoga", "Breath")
    shelf.put("two", "Yoga", "Tai chi")
    shelf.give("one", "two")
    shelf.take("one", "two")
    assert shelf.open() == set()
    truth.check(stage)


def test_a_switch_to_a_bigger_offer_never_blinks(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("small", "Yoga")
    shelf.put("big", "Yoga", "Tai chi")
    shelf.give("small")
    with stage.database.write() as tx:
        site = site_of(stage, tx)
        gifts.give(tx, site, Present(ANNA, "big"), "owner", stage.clock.now())
        gifts.take_back(tx, site, ANNA, "small", "owner", stage.clock.now())
    stage.work()
    assert stage.kajabi_calls(ANNA) == ["activate 200"] * 2
    assert shelf.open() == {"Yoga", "Tai chi"}
    truth.check(stage)


def test_kajabi_away_between_closing_and_opening_anew(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("one", "Yoga", "Breath")
    shelf.put("two", "Yoga", "Tai chi")
    shelf.give("one", "two")
    stage.disturb("timeout_after", target="kajabi", match="/deactivate")
    stage.disturb("status:503", target="kajabi", match="/activate", count=3)
    shelf.take("one")
    stage.advance(minutes=2)
    assert shelf.open() == {"Yoga", "Tai chi"}
    truth.check(stage)


def test_products_nobody_told_us_of_share_nothing(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("one", "Yoga")
    shelf.put("two", "Yoga")
    with stage.database.write() as tx:
        for offer in sites.all_offers(tx, stage.shop.site_id):
            offer.products = []
    shelf.give("one", "two")
    shelf.take("one")
    assert shelf.grant("one").applied is Access.REVOKED
    assert shelf.grant("two").applied is Access.GRANTED
    truth.check(stage)
