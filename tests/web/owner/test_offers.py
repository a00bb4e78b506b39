"""Offers, plans, policies and coupons at the desk: made and changed there, bought at the checkout."""

from typing import Any

import pytest

from linkpay.domain.roles import Role
from linkpay.store.tables import Offer, Plan, Subscription
from tests.flows.shop import BOX
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.owner.desk import acts, send
from tests.web.visitor import forms_of, words_of

OFFERS = "/owner/studio/offers"
COUPONS = "/owner/studio/coupons"


@pytest.fixture
def kajabi(stage: Stage) -> dict[str, Any]:
    """One more offer at Kajabi, with its addresses."""
    made: dict[str, Any] = stage.sandbox.call(
        "POST", "/_sandbox/kajabi/offers",
        {"site_id": stage.shop.kajabi_site, "title": "Breath", "products": ["Breath"]},
    )  # fmt: skip
    return made


def plan(stage: Stage, slug: str) -> Plan:
    with stage.database.read() as tx:
        return tx.query(Plan).filter_by(slug=slug).one()


def test_an_offer_made_at_the_desk_is_bought_and_opens_at_kajabi(
    team: Team, stage: Stage, kajabi: dict[str, Any]
) -> None:
    owner = team.signed_in()
    made = send(
        owner, f"{OFFERS}/new", title="Adem in één keer", activation_url=kajabi["activation_url"],
        deactivation_url=kajabi["deactivation_url"],
    )  # fmt: skip
    assert made.status_code == 303, words_of(made)
    kept = send(owner, made.headers["Location"], title="Per maand", amount="12,50", trial_days="")
    assert kept.status_code == 303, words_of(kept)
    buyer = team.new_visitor()
    paid = buyer.order("/studio/buy/adem-in-een-keer")
    assert paid.status_code == 303
    stage.bank(stage.newest_at_mollie(), "paid")
    stage.work()
    (anna,) = stage.sandbox.call("GET", "/_sandbox/kajabi/members?email=anna@example.com")
    assert [offer["title"] for offer in anna["offers"]] == ["Breath"]
    with stage.database.read() as tx:
        subscription = tx.query(Subscription).one()
        assert (subscription.amount_cents, tx.get_one(Plan, subscription.plan_id).slug) == (1250, "per-maand")
    assert acts(stage) == ["offer_made", "plan_made"]


def test_addresses_are_sealed_and_never_shown_and_stay_when_left_empty(
    team: Team, stage: Stage, kajabi: dict[str, Any]
) -> None:
    owner, page = team.signed_in(), f"{OFFERS}/{stage.shop.offer_id}"
    shown = owner.look(f"{page}/edit").text + owner.look(page).text
    with stage.database.read() as tx:
        sealed = tx.get_one(Offer, stage.shop.offer_id).activation_url_sealed
        assert sealed is not None
    before = BOX.open(stage.shop.site_id, "activation_url", sealed)
    assert before not in shown
    assert before.split("/")[-3] not in shown
    assert send(owner, f"{page}/edit", title="New name").status_code == 303
    with stage.database.read() as tx:
        offer = tx.get_one(Offer, stage.shop.offer_id)
        assert offer.title == "New name"
        assert offer.activation_url_sealed is not None
        assert BOX.open(stage.shop.site_id, "activation_url", offer.activation_url_sealed) == before
    mixed = send(owner, f"{page}/edit", activation_url=kajabi["activation_url"])
    assert mixed.status_code == 422
    assert "different offers" in words_of(mixed)


def test_a_changed_plan_counts_for_new_orders_only(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    owner, number = team.signed_in(), plan(stage, "monthly").id
    page = f"/owner/studio/plans/{number}"
    assert "One member pays by this plan" in words_of(owner.look(page))
    assert send(owner, page, amount="60").status_code == 303
    assert plan(stage, "monthly").amount_cents == 6000
    assert stage.subscription("anna@example.com").amount_cents == 5000


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "free"}, "amount in euro"),
        ({"title": ""}, "Give it a title"),
        ({"trial_price": "5"}, "how many days"),
        ({"vat": "121"}, "percentage"),
        ({"kind": "instalments", "terms": "100 + x"}, "plus signs"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_is_kept(
    team: Team, stage: Stage, typed: dict[str, str], said: str
) -> None:
    page = f"{OFFERS}/{stage.shop.offer_id}/plans/new"
    refused = send(team.signed_in(), page, **{"title": "Mine", "amount": "10", **typed})
    assert refused.status_code == 422
    assert said in words_of(refused)
    for value in typed.values():
        assert f'value="{value}"' in refused.text


def test_copies_wait_until_they_are_put_on_sale_and_archived_plans_cannot_be_chosen(
    team: Team, stage: Stage
) -> None:
    owner, monthly = team.signed_in(), plan(stage, "monthly").id
    offer = f"{OFFERS}/{stage.shop.offer_id}"
    assert send(owner, offer, f"/owner/studio/plans/{monthly}/copy").status_code == 303
    assert plan(stage, "monthly-copy").archived_at is not None
    assert send(owner, offer, f"/owner/studio/plans/{monthly}/archive").status_code == 303
    assert owner.look("/studio/buy/members?plan=monthly").status_code == 422
    assert send(owner, offer, f"/owner/studio/plans/{monthly}/restore").status_code == 303
    assert owner.look("/studio/buy/members?plan=monthly").status_code == 200
    copied = send(owner, offer, f"{offer}/copy")
    number = int(copied.headers["Location"].split("/")[-2])
    refused = send(owner, f"{OFFERS}/{number}", f"{OFFERS}/{number}/restore")
    assert refused.status_code == 409, "two offers with one address would close each other's access"


def test_the_link_the_qr_code_and_a_thing_beside_it(team: Team, stage: Stage) -> None:
    owner, page = team.signed_in(), f"{OFFERS}/{stage.shop.offer_id}"
    link = "https://pay.example.com/studio/buy/members?plan=weekly&amp;coupon=HI"
    assert link in owner.look(f"{page}?plan=weekly&coupon=HI").text
    assert owner.look(f"{page}/qr.svg?plan=weekly").data.startswith(b"<?xml")
    refused = send(owner, f"{OFFERS}/2", f"{OFFERS}/2/bumps", plan=str(plan(stage, "monthly").id))
    assert refused.status_code == 409
    once = send(owner, f"{OFFERS}/2", f"{OFFERS}/2/bumps", plan=str(plan(stage, "once").id), title="Extra")
    assert once.status_code == 303
    assert "Extra" in words_of(team.new_visitor().look("/studio/buy/solo"))
    changed = send(owner, f"/owner/studio/plans/{plan(stage, 'once').id}", kind="membership", amount="10")
    assert changed.status_code == 422, "what is sold beside an offer is paid once"


def test_a_policy_is_shown_with_its_days_before_it_is_kept(team: Team, stage: Stage) -> None:
    owner, page = team.signed_in(), "/owner/studio/policies"
    tried = send(owner, page, grace_days="3", **{"try": "yes"})
    assert "access ends on 3 February 2026" in words_of(tried), "three days from 31 January"
    assert "access ends on 14 February 2026" in words_of(owner.look(page)), "nothing was kept"
    assert send(owner, page, grace_days="3").status_code == 303
    assert "access ends on 3 February 2026" in words_of(owner.look(page))
    assert acts(stage) == ["policy_changed"]
    wrong = send(owner, page, retry_days="8, 5", pause_days="9999")
    assert wrong.status_code == 422
    assert "rising order" in words_of(wrong)


def test_a_plan_may_differ_from_its_site(team: Team, stage: Stage) -> None:
    owner, number = team.signed_in(), plan(stage, "weekly").id
    page = f"/owner/studio/plans/{number}/policies"
    assert send(owner, page, drift="repair", card_retry_days="-").status_code == 303
    assert plan(stage, "weekly").policy == {"drift": "repair", "card_retry_days": []}
    assert plan(stage, "monthly").policy == {}
    changed = send(owner, f"/owner/studio/plans/{number}", amount="20")
    assert changed.status_code == 303
    assert plan(stage, "weekly").policy == {"drift": "repair", "card_retry_days": []}


def test_a_coupon_of_the_desk_counts_at_the_checkout_until_it_is_withdrawn(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    made = send(owner, f"{COUPONS}/new", code="half", percent="50", **{"plan-monthly": "yes"})
    assert made.status_code == 303, words_of(made)
    buyer = team.new_visitor()
    assert "€25.00" in words_of(buyer.look("/studio/buy/members?plan=monthly&coupon=HALF&lang=en"))
    assert buyer.look("/studio/buy/members?plan=weekly&coupon=HALF").status_code == 422
    assert send(owner, f"{COUPONS}/new", code="HALF", percent="50").status_code == 422
    assert send(owner, f"{COUPONS}/1", kind="amount", amount="10").status_code == 303
    assert "€40.00" in words_of(buyer.look("/studio/buy/members?plan=monthly&coupon=HALF&lang=en"))
    assert send(owner, COUPONS, f"{COUPONS}/1/archive").status_code == 303
    assert buyer.look("/studio/buy/members?plan=monthly&coupon=HALF").status_code == 422
    assert acts(stage) == ["coupon_made", "coupon_changed", "coupon_archived"]


def test_who_only_helps_or_sees_gets_no_buttons(team: Team, stage: Stage) -> None:
    for role in (Role.SUPPORT, Role.READ_ONLY):
        visitor = team.signed_in(role)
        for page in (OFFERS, f"{OFFERS}/{stage.shop.offer_id}", COUPONS, "/owner/studio/policies"):
            shown = visitor.look(page)
            assert shown.status_code == 200
            assert {form.action for form in forms_of(shown)} <= {"/owner/sign-out", "#reach"}, page
