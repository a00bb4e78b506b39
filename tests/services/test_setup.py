"""Describing a site: checked whole, applied once or many times, and never half."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.domain.plan import PlanKind
from linkpay.errors import InputError
from linkpay.services import setup
from linkpay.store import sites
from linkpay.store.db import Database
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Offer, Plan, Site

EXAMPLE = Path(__file__).parents[2] / "config" / "site.example.toml"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOX = SecretBox([Fernet.generate_key().decode()])
# The example's host stands in the allow-list; as a test host it is not looked up.
KAJABI = KajabiOffers(["checkout.kajabi.com"], test_hosts=["checkout.kajabi.com"])


def example() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text())


def test_the_example_file_sets_up_a_site_that_can_sell(database: Database) -> None:
    spec = setup.SiteSpec.model_validate(example())
    setup.check(spec, KAJABI)
    with database.write() as tx:
        site = setup.apply(tx, spec, BOX, NOW)
        offer = sites.offer(tx, site.id, "members")
        assert offer is not None
        assert [plan.slug for plan in sites.plans(tx, offer)] == ["monthly", "three-terms"]
        assert sites.mollie_key(site, BOX) == "test_putyourownkeyhere"
        assert sites.kajabi_url(offer, BOX, grant=False) == example()["offers"][0]["deactivation_url"]
        assert sites.policy_of(site, {}).retry_days == (5, 8)


def test_setting_up_again_changes_what_is_named_and_makes_nothing_twice(database: Database) -> None:
    for name, cents in (("Studio Vecht", 5000), ("Studio Amstel", 6500)):
        described = example() | {"name": name}
        described["offers"][0]["plans"][0]["amount_cents"] = cents
        with database.write() as tx:
            setup.apply(tx, setup.SiteSpec.model_validate(described), BOX, NOW)
    with database.read() as tx:
        assert (tx.query(Site).count(), tx.query(Offer).count(), tx.query(Plan).count()) == (1, 1, 2)
        assert tx.query(Site).one().name == "Studio Amstel"
        assert tx.query(Plan).filter_by(slug="monthly").one().amount_cents == 6500


def test_the_mode_is_that_of_the_key(database: Database) -> None:
    with database.write() as tx:
        spec = setup.SiteSpec.model_validate(example() | {"mollie_key": "live_madeupmadeup"})
        assert setup.apply(tx, spec, BOX, NOW).mode == "live"


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("mollie_key", "sk_test_123456", "mollie_key"),
        ("slug", "webhooks", "slug_taken"),
    ],
)
def test_what_cannot_work_is_refused_by_name(place: str, value: str, code: str) -> None:
    spec = setup.SiteSpec.model_validate(example() | {place: value})
    with pytest.raises(InputError) as refused:
        setup.check(spec, KAJABI)
    assert refused.value.code == code


def test_two_addresses_of_different_offers_are_refused() -> None:
    described = example()
    described["offers"][0]["deactivation_url"] = (
        "https://checkout.kajabi.com/webhooks/offers/OTHER/2147000001/deactivate"
    )
    with pytest.raises(InputError, match="different offers"):
        setup.check(setup.SiteSpec.model_validate(described), KAJABI)


@pytest.mark.parametrize(
    "plan",
    [
        {"amount_cents": 0},
        {"kind": PlanKind.INSTALMENTS},
        {"kind": PlanKind.MEMBERSHIP, "periods": 3},
        {"policy": {"grace_days": -1}},
        {"policy": {"grace": 3}},
        {"slug": "Per Month"},
        {"price": 3},
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        setup.PlanSpec.model_validate({"slug": "monthly", "title": "Monthly", "amount_cents": 5000} | plan)
