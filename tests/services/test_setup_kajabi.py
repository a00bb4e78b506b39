"""Connecting a site to Kajabi's public API, and naming what offers open, in its owner's file."""

from typing import Any

import pytest
from pydantic import ValidationError

from linkpay.ports import DirectoryKey
from linkpay.services import setup
from linkpay.services.specs import SiteSpec
from linkpay.store import sites, work
from linkpay.store.db import Database
from linkpay.store.tables import Offer, Site
from tests.services.test_setup import BOX, NOW, example

KAJABI = {"site_id": "123456", "client_id": "client", "client_secret": "very secret"}


def described(kajabi: dict[str, Any] | None = None, products: list[str] | None = None) -> SiteSpec:
    found = example()
    if products:
        found["offers"][0]["products"] = products
    return SiteSpec.model_validate(found | ({"kajabi": kajabi} if kajabi else {}))


def apply(database: Database, spec: SiteSpec) -> Site:
    with database.write() as tx:
        return setup.apply(tx, spec, BOX, NOW)


def test_the_key_is_sealed_and_looked_with_at_once(database: Database) -> None:
    site = apply(database, described(KAJABI | {"tags": {"active": "Lid"}}))
    assert "very secret" not in (site.kajabi_client_secret_sealed or "")
    assert sites.directory_key(site, BOX) == DirectoryKey("123456", "client", "very secret")
    assert site.kajabi_tags == {"active": "Lid"}
    with database.read() as tx:
        assert work.exists(tx, "watch_kajabi", f"site:{site.id}")


def test_a_file_without_the_section_leaves_the_connection(database: Database) -> None:
    apply(database, described(KAJABI))
    assert sites.is_connected(apply(database, described()))


def test_products_of_the_file_count_until_the_api_tells(database: Database) -> None:
    apply(database, described(products=["Yoga", "Breath", "Yoga"]))
    with database.write() as tx:
        offer = tx.query(Offer).first()
        assert offer is not None
        assert offer.products == ["Breath", "Yoga"]
        assert sites.known_products(offer) is None
        sites.note_products(offer, ["2", "1"])
        assert sites.known_products(offer) == frozenset({"1", "2"})
    apply(database, described(KAJABI, ["Yoga"]))
    with database.read() as tx:
        offer = tx.query(Offer).first()
        assert offer is not None
        assert sites.known_products(offer) == frozenset({"1", "2"}), (
            "what the API told is not mixed with names"
        )


@pytest.mark.parametrize(
    "wrong", [{"site_id": "../1"}, {"client_id": ""}, {"client_secret": ""}, {"tags": {"vip": "VIP"}}]
)
def test_a_connection_that_cannot_be_is_refused_without_its_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refusal:
        described(KAJABI | wrong)
    assert "very secret" not in str(refusal.value)
