"""One click: one purchase, on the mandate that is there, opened at once or when paid, capped while young."""

from datetime import timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, NotFound
from linkpay.services import upselling
from linkpay.store import people, sites
from linkpay.store.tables import Consent, Event, Mandate, Subscription
from tests.flows import truth
from tests.flows.plans import set_policy
from tests.flows.shelf import Shelf
from tests.flows.stage import Stage
from tests.flows.upsells import ANNA, bought, charges, click, debits, link, put_extra
from tests.flows.weather import at_once
from tests.flows.withdrawals import withdraw

S = SubscriptionState


@pytest.fixture
def shop(stage: Stage) -> Stage:
    """Anna is a member, and there is something more to buy."""
    put_extra(stage)
    stage.buy(ANNA)
    return stage


def test_one_click_charges_the_mandate_and_opens_at_once(shop: Stage) -> None:
    secret = link(shop)
    number = click(shop, secret)
    assert click(shop, secret) == number, "pressed twice"
    shop.work()
    assert Shelf(shop).open() == {"Course", "Workshop"}
    (debit,) = debits(shop)
    assert shop.status(debit) == "pending"
    assert bought(shop).state is S.ACTIVE
    shop.bank(debit, "paid")
    shop.work()
    assert bought(shop).state is S.COMPLETED
    shop.advance(days=90)
    assert len(debits(shop)) == 1
    assert Shelf(shop).open() >= {"Workshop"}
    assert shop.mail_kinds().count("upsell_agreed") == 1
    with shop.database.read() as tx:
        consent = tx.query(Consent).filter_by(kind="upsell").one()
        mandate = tx.query(Mandate).one()
        kinds = [event.kind for event in tx.query(Event).filter_by(subscription_id=number)]
    assert consent.text == "I agree to the extra"
    assert (consent.data["amount_cents"], consent.data["due_on"]) == (9700, "2026-01-31")
    assert (consent.data["account"], consent.data["reference"]) == (mandate.account_hint, mandate.reference)
    assert kinds[:2] == ["upsold", "charge_raised"]
    truth.check(shop)


def test_when_the_policy_says_so_it_opens_when_the_money_is_in(shop: Stage) -> None:
    set_policy(shop, upsell_access="when_paid")
    click(shop, link(shop))
    shop.work()
    assert Shelf(shop).open() == {"Course"}
    shop.bank(debits(shop)[0], "paid")
    shop.work()
    assert Shelf(shop).open() == {"Course", "Workshop"}
    truth.check(shop)


def test_terms_and_memberships_go_on_by_themselves(shop: Stage) -> None:
    for plan in ("extra-terms", "extra-monthly"):
        set_policy(shop, upsell_cap_cents=0)
        click(shop, link(shop, plan))
        shop.advance(days=100)
        paid = [charge.state for charge in charges(shop)]
        assert paid[:3] == [ChargeState.PAID] * 3, plan
        with shop.database.write() as tx:  # make room for the next one
            held = tx.query(Subscription).filter_by(origin="upsell").one()
            assert held.state is (S.COMPLETED if plan == "extra-terms" else S.ACTIVE)
            held.state, held.origin = S.ENDED, "import"
    truth.check(shop)


def test_a_debit_that_bounces_is_helped_like_any_other(shop: Stage) -> None:
    click(shop, link(shop))
    shop.work()
    shop.bank(debits(shop)[0], "failed", "AC04")
    shop.work()
    assert bought(shop).state is S.PAST_DUE
    assert shop.mail_kinds().count("mandate_needed") == 1
    shop.advance(days=15)
    assert Shelf(shop).open() == {"Course"}
    shop.pay_by_link(charges(shop)[0])
    assert bought(shop).state is S.COMPLETED
    assert Shelf(shop).open() >= {"Workshop"}


def refused(stage: Stage, plan: str = "extra-once") -> str:
    with pytest.raises(Conflict) as problem:
        click(stage, link(stage, plan))
    return str(problem.value.code)


def test_a_young_mandate_carries_only_so_much(shop: Stage) -> None:
    assert refused(shop, "extra-dear") == "over_cap"
    shop.advance(days=60)
    click(shop, link(shop, "extra-dear"))
    assert bought(shop).state is S.ACTIVE


def test_without_a_mandate_that_works_there_is_no_click(shop: Stage) -> None:
    with shop.database.write() as tx:
        people.distrust_mandate(tx, tx.query(Mandate).one().id, "AC04", shop.clock.now())
    assert refused(shop) == "no_mandate"


def test_what_she_has_is_not_sold_again_by_another_link(shop: Stage) -> None:
    other = link(shop, "extra-monthly")
    click(shop, link(shop))
    with pytest.raises(Conflict) as problem:
        click(shop, other)
    assert problem.value.code == "has_it"


@pytest.mark.races
def test_two_at_the_same_instant_buy_once(shop: Stage) -> None:
    secret = link(shop)
    at_once([lambda: click(shop, secret)] * 2)
    shop.work()
    assert len(debits(shop)) == 1
    truth.check(shop)


def test_a_link_grows_old_and_belongs_to_its_site(shop: Stage) -> None:
    secret = link(shop)
    other = shop.open_shop("other", "test_anothershop")
    with shop.on(other), pytest.raises(NotFound):
        click(shop, secret)
    shop.clock.advance(timedelta(days=15))
    with pytest.raises(Conflict) as problem:
        click(shop, secret)
    assert problem.value.code == "link_old"


def test_a_halted_site_sells_nothing(shop: Stage) -> None:
    with shop.database.write() as tx:
        sites.halt(tx, shop.shop.site_id, shop.clock.now())
    assert refused(shop) == "not_charged"
    with shop.database.read() as tx:
        assert tx.query(Subscription).filter_by(origin="upsell").count() == 0


def test_it_can_be_withdrawn_from_like_any_purchase(shop: Stage) -> None:
    click(shop, link(shop))
    shop.work()
    assert withdraw(shop, reference="Workshop").debit_runs
    assert shop.status(debits(shop)[0]) == "canceled"
    assert Shelf(shop).open() == {"Course"}
    assert bought(shop).state is S.ENDED
    truth.check(shop)


def test_a_mailed_link_reaches_customers_only(shop: Stage) -> None:
    with shop.database.write() as tx:
        site = sites.get(tx, shop.shop.site_id)
        plan = upselling.plan_of(tx, site, "workshop", None)
        for email in (ANNA, "nobody@example.com"):
            upselling.ask(tx, site, plan, email, "nl", "192.0.2.7", shop.clock.now())
    shop.work()
    sent = [letter for letter in shop.mailer.letters if letter.subject == "Je link voor Workshop"]
    assert [letter.to for letter in sent] == [ANNA]
    assert "/studio/upsell/" in sent[0].text
