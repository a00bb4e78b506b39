"""``demo``: the same site however often it is made, mended when the sandbox was emptied."""

import json

from linkpay.cli import demo, demo_owner
from linkpay.store import overview, sites
from linkpay.store.db import Database
from tests.cli.conftest import Run
from tests.cli.town import Town


def counts(database: Database) -> tuple[int, int, int]:
    """Sites, offers and plans."""
    with database.read() as tx:
        found = sites.all_sites(tx)
        offers = [offer for site in found for offer in overview.offers(tx, site.id)]
        return len(found), len(offers), sum(len(sites.plans(tx, offer)) for offer in offers)


def test_demo_makes_one_site_and_finds_it_again(run_in_town: Run, town: Town) -> None:
    first = json.loads(run_in_town("demo", "--json").stdout)
    second = json.loads(run_in_town("demo", "--json").stdout)
    assert first == {
        "site": "demo",
        "offer": demo.OFFER,
        "plans": ["monthly", "yearly", "course", "once", "trial", "year-term"],
        "checkout_url": f"{town.parts.base_url}/demo/buy/{demo.OFFER}",
        "desk_url": f"{town.parts.base_url}/owner/",
        "sign_in": f"{demo_owner.EMAIL}, password: {demo_owner.PASSWORD}",
        "was": "made",
    }
    assert second == {**first, "was": "found"}
    assert counts(town.parts.database) == (1, 2, 7)


def test_an_emptied_sandbox_gives_the_offer_new_addresses(run_in_town: Run, town: Town) -> None:
    run_in_town("demo")
    before = _address(town)
    town.control("POST", "reset")
    assert json.loads(run_in_town("demo", "--json").stdout)["was"] == "repaired"
    known = town.control("GET", "kajabi/offers")
    assert isinstance(known, list)
    assert [offer["activation_url"] for offer in known] == [_address(town), _address(town, demo.EXTRA)]
    assert _address(town) != before
    assert counts(town.parts.database) == (1, 2, 7)


def test_demo_tells_where_to_buy_and_nothing_secret(run_in_town: Run, town: Town) -> None:
    result = run_in_town("demo")
    assert f"{town.parts.base_url}/demo/buy/{demo.OFFER}" in result.stdout
    for plan in demo.PLANS:
        assert plan.slug in result.stdout
    assert "test_" not in result.output
    assert _address(town) not in result.output


def test_without_a_sandbox_demo_makes_nothing(run: Run, database: Database) -> None:
    result = run("demo")
    assert result.exit_code == 1
    assert "make run" in result.stderr
    assert counts(database) == (0, 0, 0)


def _address(town: Town, slug: str = demo.OFFER) -> str:
    with town.parts.database.read() as tx:
        site = sites.by_slug(tx, demo.SITE)
        assert site is not None
        offer = sites.offer(tx, site.id, slug)
        assert offer is not None
        return sites.kajabi_url(offer, town.parts.box, grant=True) or ""
