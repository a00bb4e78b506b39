"""Describing a site: checked whole, applied once or many times, and never half."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.domain.plan import PlanKind
from linkpay.errors import InputError
from linkpay.services import setup
from linkpay.services.specs import CouponSpec, PlanSpec, SiteSpec
from linkpay.store import sites
from linkpay.store.db import Database
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Bump, Offer, Plan, Site

EXAMPLE = Path(__file__).parents[2] / "config" / "site.example.toml"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOX = SecretBox([Fernet.generate_key().decode()])
# The example's host stands in the allow-list; as a test host it is not looked up.
KAJABI = KajabiOffers(["checkout.kajabi.com"], test_hosts=["checkout.kajabi.com"])


def example() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text())


def test_the_example_file_sets_up_a_site_that_can_sell(database: Database) -> None:
    spec = SiteSpec.model_validate(example())
    setup.check(spec, KAJABI)
    with database.write() as tx:
        site = setup.apply(tx, spec, BOX, NOW)
        offer = sites.offer(tx, site.id, "members")
        assert offer is not None
        assert [plan.slug for plan in sites.plans(tx, offer)] == ["monthly", "try-first", "three-terms"]
        assert sites.mollie_key(site, BOX) == "test_putyourownkeyhere"
        assert sites.kajabi_url(offer, BOX, grant=False) == example()["offers"][0]["deactivation_url"]
        assert sites.policy_of(site, {}).retry_days == (5, 8)


def test_setting_up_again_changes_what_is_named_and_makes_nothing_twice(database: Database) -> None:
    for name, cents in (("Studio Vecht", 5000), ("Studio Amstel", 6500)):
        described = example() | {"name": name}
        described["offers"][0]["plans"][0]["amount_cents"] = cents
        with database.write() as tx:
            setup.apply(tx, SiteSpec.model_validate(described), BOX, NOW)
    with database.read() as tx:
        assert (tx.query(Site).count(), tx.query(Offer).count(), tx.query(Plan).count()) == (1, 1, 3)
        assert tx.query(Site).one().name == "Studio Amstel"
        assert tx.query(Plan).filter_by(slug="monthly").one().amount_cents == 6500


def test_what_was_taken_off_sale_is_for_sale_again_where_the_file_names_it(database: Database) -> None:
    spec = SiteSpec.model_validate(example())
    with database.write() as tx:
        setup.apply(tx, spec, BOX, NOW)
        tx.query(Offer).one().archived_at = NOW
        tx.query(Plan).filter_by(slug="monthly").one().archived_at = NOW
    with database.write() as tx:
        setup.apply(tx, spec, BOX, NOW)
    with database.read() as tx:
        assert (tx.query(Offer).count(), tx.query(Plan).count()) == (1, 3)
        offer = sites.offer(tx, 1, "members")
        assert offer is not None
        assert len(sites.plans(tx, offer)) == 3


def test_the_mode_is_that_of_the_key(database: Database) -> None:
    with database.write() as tx:
        spec = SiteSpec.model_validate(example() | {"mollie_key": "live_madeupmadeup"})
        assert setup.apply(tx, spec, BOX, NOW).mode == "live"


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("mollie_key", "sk_test_123456", "mollie_key"),
        ("slug", "webhooks", "slug_taken"),
    ],
)
def test_what_cannot_work_is_refused_by_name(place: str, value: str, code: str) -> None:
    spec = SiteSpec.model_validate(example() | {place: value})
    with pytest.raises(InputError) as refused:
        setup.check(spec, KAJABI)
    assert refused.value.code == code


def test_two_addresses_of_different_offers_are_refused() -> None:
    described = example()
    described["offers"][0]["deactivation_url"] = (
        "https://checkout.kajabi.com/webhooks/offers/OTHER/2147000001/deactivate"
    )
    with pytest.raises(InputError, match=r"offers\.0\.deactivation_url: .* different offers"):
        setup.check(SiteSpec.model_validate(described), KAJABI)


@pytest.mark.parametrize("field", ["activation_url", "deactivation_url"])
def test_an_address_that_is_refused_is_told_with_its_place(field: str) -> None:
    described = example()
    described["offers"][0][field] = "https://checkout.kajabi.com/offers/members"
    with pytest.raises(InputError, match=f"^offers.0.{field}: Copy the whole address") as refused:
        setup.check(SiteSpec.model_validate(described), KAJABI)
    assert refused.value.field == f"offers.0.{field}"


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
        PlanSpec.model_validate({"slug": "monthly", "title": "Monthly", "amount_cents": 5000} | plan)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"amount_cents": None}, "give the price once"),
        ({"total_cents": 30000}, "give the price once"),
        ({"amount_cents": None, "total_cents": 30000}, "are for instalments"),
        ({"interval_count": 13}, "an interval is 1 to 12 weeks, months or years"),
        ({"interval_unit": "day"}, "an interval is 1 to 12 weeks, months or years"),
        ({"trial_cents": 500}, "say its trial_days"),
        ({"kind": "one_time", "trial_days": 7}, "cannot be tried first"),
        ({"kind": "instalments", "periods": 3, "minimum_periods": 3}, "only a membership"),
        ({"kind": "instalments"}, "in how many terms"),
        ({"amount_cents": None, "kind": "instalments", "total_cents": 2, "periods": 3}, "asks for money"),
        (
            {"amount_cents": None, "kind": "instalments", "term_cents": [5000, 2500], "periods": 3},
            "periods is 3 but term_cents lists 2",
        ),
    ],
)
def test_a_plan_that_contradicts_itself_is_told_why(plan: dict[str, Any], said: str) -> None:
    given = {"slug": "monthly", "title": "Monthly", "amount_cents": 5000} | plan
    with pytest.raises(ValidationError, match=said):
        PlanSpec.model_validate({name: value for name, value in given.items() if value is not None})


@given(st.integers(2, 60), st.integers(60, 10_000_000))
def test_a_total_is_split_to_the_cent_with_the_remainder_on_the_first(periods: int, total: int) -> None:
    spec = {"slug": "c", "title": "C", "kind": "instalments", "total_cents": total, "periods": periods}
    terms = PlanSpec.model_validate(spec).terms
    asked = [terms.price_cents(index) for index in range(periods)]
    assert sum(asked) == terms.total_cents == total
    assert len(set(asked[1:])) == 1
    assert 0 <= asked[0] - asked[-1] < periods


def test_given_terms_are_kept_as_given(database: Database) -> None:
    described = example()
    plan = {"slug": "c", "title": "C", "kind": "instalments", "term_cents": [20000, 15000, 10000]}
    described["offers"][0]["plans"] = [plan]
    with database.write() as tx:
        site = setup.apply(tx, SiteSpec.model_validate(described), BOX, NOW)
        kept = sites.plan(tx, site.id, "c")
        assert kept is not None
        assert [kept.terms.price_cents(index) for index in range(3)] == [20000, 15000, 10000]
        assert (kept.periods, kept.terms.total_cents) == (3, 45000)


def test_coupons_are_kept_in_capitals_and_brought_up_to_date(database: Database) -> None:
    for percent in ("10", "12.5"):
        described = example() | {"coupons": [{"code": "welcome10", "percent": percent, "plans": ["monthly"]}]}
        with database.write() as tx:
            site = setup.apply(tx, SiteSpec.model_validate(described), BOX, NOW)
    with database.read() as tx:
        coupon = sites.coupon(tx, site.id, "WELCOME10")
        assert coupon is not None
        assert (coupon.kind, coupon.value, coupon.plan_slugs) == ("percent", 1250, ["monthly"])


@pytest.mark.parametrize(
    ("coupon", "said"),
    [
        ({}, "give one of them"),
        ({"percent": 10, "amount_cents": 500}, "give one of them"),
        ({"percent": 101}, "at most all"),
        ({"percent": "0.001"}, "two decimals"),
        ({"amount_cents": 500, "duration": "periods"}, "for how many"),
        ({"amount_cents": 500, "periods": 3}, "for how many"),
        ({"amount_cents": 500, "code": "10 %"}, "2 to 40 letters"),
        ({"amount_cents": 500, "starts_on": "2026-02-01", "ends_on": "2026-01-01"}, "comes before"),
    ],
)
def test_a_coupon_that_cannot_be_is_told_why(coupon: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CouponSpec.model_validate({"code": "TEN"} | coupon)


def with_workbook(**bump: str) -> dict[str, Any]:
    """The example with a second offer, which the first one offers beside itself."""
    described = example()
    workbook = described["offers"][0] | {"slug": "workbook", "kajabi_offer_id": "2147000002"}
    workbook["plans"] = [{"slug": "workbook", "title": "Workbook", "kind": "one_time", "amount_cents": 2700}]
    described["offers"][0]["bumps"] = [{"plan": "workbook", "title": "Add the workbook"} | bump]
    described["offers"].append(workbook)
    return described


def test_bumps_are_those_of_the_file_and_stay_where_it_names_none(database: Database) -> None:
    described = with_workbook()

    def offered() -> list[str]:
        with database.write() as tx:
            site = setup.apply(tx, SiteSpec.model_validate(described), BOX, NOW)
            offer = sites.offer(tx, site.id, "members")
            assert offer is not None
            return [plan.slug for _, plan in sites.bumps(tx, offer)]

    assert offered() == ["workbook"]
    bumps = described["offers"][0].pop("bumps")
    assert offered() == ["workbook"]
    described["offers"][0]["bumps"] = []
    assert offered() == []
    described["offers"][0]["bumps"] = bumps
    assert offered() == ["workbook"]
    with database.read() as tx:
        assert tx.query(Bump).count() == 1


@pytest.mark.parametrize(
    ("plan", "said"),
    [("nothing", "there is no plan"), ("monthly", "of this very offer")],
)
def test_a_bump_that_cannot_be_is_told_with_its_place(database: Database, plan: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused, database.write() as tx:
        setup.apply(tx, SiteSpec.model_validate(with_workbook(plan=plan)), BOX, NOW)
    assert refused.value.field == "offers.0.bumps.0.plan"


def test_names_that_stand_twice_in_a_file_are_refused() -> None:
    described = example()
    described["offers"][0]["plans"].append(described["offers"][0]["plans"][0])
    with pytest.raises(InputError, match="monthly stands there twice"):
        setup.check(SiteSpec.model_validate(described), KAJABI)
