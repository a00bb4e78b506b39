"""The pages of one click: what they say, where they lead, and what a button does once."""

from collections.abc import Callable

import pytest

from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.store import people
from linkpay.store.tables import Consent, Mandate, Member, Subscription
from tests.flows.plans import set_policy
from tests.flows.stage import Stage
from tests.flows.upsells import bought, click, link, put_extra
from tests.web.members import ANNA
from tests.web.portal.guests import newest_link, sign_in
from tests.web.visitor import Visitor, form_of, words_of

ADD = "/studio/offer/workshop/add"


@pytest.fixture
def shop(stage: Stage) -> Stage:
    put_extra(stage)
    stage.buy(ANNA)
    return stage


def page_of(stage: Stage, plan: str = "extra-once") -> str:
    return f"/studio/upsell/{link(stage, plan)}"


def hint(stage: Stage) -> str:
    with stage.database.read() as tx:
        return tx.query(Mandate).one().account_hint or ""


def test_the_page_says_what_how_much_when_from_where_and_how_to_stop(visitor: Visitor, shop: Stage) -> None:
    words = words_of(visitor.look(page_of(shop, "extra-monthly")))
    with shop.database.read() as tx:
        reference = tx.query(Mandate).one().reference
    for said in (
        "Workshop erbij bestellen", "mag elke maand € 25,00 afschrijven, tot ik stop.",
        f"vandaag, wordt € 25,00 afgeschreven van je rekening die eindigt op {hint(shop)}",
        f"machtiging {reference}", "Je kunt op elk moment stoppen", "binnen 8 weken",
        "Bestelling met betaalverplichting", "Je toegang gaat meteen open.",
    ):  # fmt: skip
        assert said in words, said


def test_one_click_buys_once_and_keeps_what_was_read(visitor: Visitor, shop: Stage) -> None:
    url = page_of(shop)
    page = visitor.look(url)
    unticked = visitor.press(page)
    assert unticked.status_code == 422
    done = visitor.press(unticked, agree="yes", start="yes")
    again = visitor.press(page, agree="yes")
    assert (done.status_code, done.headers["Location"]) == (303, again.headers["Location"])
    assert visitor.look(url).headers["Location"] == done.headers["Location"]
    shop.work()
    assert "Je toegang is open" in words_of(visitor.look(done.headers["Location"]))
    with shop.database.read() as tx:
        kept = {one.kind: one for one in tx.query(Consent).filter_by(subscription_id=bought(shop).id)}
    assert "Ja, Studio Vecht mag één keer € 97,00 afschrijven" in kept["upsell"].text.replace("\xa0", " ")
    assert "Workshop" in kept["upsell"].text
    assert kept["start_at_once"].data["refund"] == "pro_rata"


def test_what_changed_meanwhile_is_shown_anew(visitor: Visitor, shop: Stage) -> None:
    page = visitor.look(page_of(shop))
    shop.advance(days=1)
    late = visitor.press(page, agree="yes")
    assert late.status_code == 409
    assert "Op 1 februari 2026, vandaag," in words_of(late)
    assert visitor.press(late, agree="yes").status_code == 303


@pytest.mark.parametrize("why", ["dear", "no mandate"])
def test_what_cannot_be_clicked_leads_to_the_checkout_filled_in(
    visitor: Visitor, shop: Stage, why: str
) -> None:
    if why == "no mandate":
        with shop.database.write() as tx:
            people.distrust_mandate(tx, tx.query(Mandate).one().id, "AC04", shop.clock.now())
    plan = "extra-dear" if why == "dear" else "extra-once"
    sent_on = visitor.look(page_of(shop, plan))
    assert sent_on.status_code == 303
    checkout = visitor.look(sent_on.headers["Location"])
    fields = form_of(checkout).fields
    assert (fields["email"], fields["name"], fields["plan"]) == (ANNA, "Anna de Vries", plan)


def test_what_she_has_and_who_is_blocked_are_told(visitor: Visitor, shop: Stage) -> None:
    url = page_of(shop, "extra-monthly")
    click(shop, link(shop))
    assert "Dit heb je al" in words_of(visitor.look(url))
    with shop.database.write() as tx:
        tx.query(Member).one().blocked_at = shop.clock.now()
    assert "Dit kun je hier niet bestellen" in words_of(visitor.look(url))


def test_the_browser_that_ordered_is_known_for_a_day(
    visitor: Visitor, new_visitor: Callable[[], Visitor], stage: Stage
) -> None:
    put_extra(stage)
    visitor.order()
    stage.bank(stage.open_at_mollie()[0], "paid")
    stage.work()
    token = stage.subscription(ANNA).token
    onward = visitor.look(ADD)
    assert onward.status_code == 303
    assert "Workshop erbij bestellen" in words_of(visitor.look(onward.headers["Location"]))
    stranger = new_visitor()
    stranger.look(f"/studio/order/{token}")
    stranger.client.set_cookie("linkpay-order-studio", token)
    assert stranger.look(ADD).status_code == 200, "an order's address alone makes nobody known"


def test_others_have_the_link_mailed_and_hear_the_same(
    visitor: Visitor, new_visitor: Callable[[], Visitor], shop: Stage
) -> None:
    said = []
    for email in ("nobody@example.com", ANNA):
        someone = new_visitor()
        said.append(words_of(someone.press(someone.look(ADD), email=email)).replace(email, "…"))
        shop.work()
    assert said[0] == said[1]
    assert shop.mailer.letters[-1].to == ANNA
    page = visitor.look(newest_link(shop))
    assert visitor.press(page, agree="yes").status_code == 303
    assert bought(shop).state is S.ACTIVE


def test_a_member_who_is_signed_in_goes_straight_on(visitor: Visitor, shop: Stage) -> None:
    sign_in(visitor, shop)
    assert "/studio/upsell/" in visitor.look(f"{ADD}?plan=extra-terms").headers["Location"]


def test_forms_from_elsewhere_and_unknown_links_buy_nothing(visitor: Visitor, shop: Stage) -> None:
    url = page_of(shop)
    assert visitor.client.post(url, data={"agree": "yes", "form_token": "made-up"}).status_code == 403
    assert visitor.client.post(ADD, data={"email": ANNA, "form_token": "made-up"}).status_code == 403
    assert visitor.look(f"/studio/upsell/{'a' * 43}").status_code == 404
    assert visitor.look("/studio/offer/nothing/add").status_code == 404
    assert visitor.look(f"{ADD}?plan=monthly").status_code == 404
    assert visitor.press(visitor.look(ADD), email="?").status_code == 422
    with shop.database.read() as tx:
        assert tx.query(Subscription).filter_by(origin="upsell").count() == 0


def test_it_speaks_english_and_says_when_it_opens(visitor: Visitor, shop: Stage) -> None:
    set_policy(shop, upsell_access="when_paid")
    words = words_of(visitor.look(page_of(shop, "extra-terms") + "?lang=en"))
    assert "Yes, Studio Vecht may collect €40.00 every month, 3 times in all." in words
    assert "Your access opens when the money is in" in words


@pytest.mark.parametrize("pays", [False, True])
def test_whoever_orders_in_her_name_is_led_to_no_account_of_hers(
    new_visitor: Callable[[], Visitor], shop: Stage, pays: bool
) -> None:
    with shop.database.read() as tx:
        hers = tx.query(Mandate).one().id
    stranger = new_visitor()  # knows her address and nothing else
    assert stranger.order("/studio/buy/solo", name="Mallory", email=ANNA).status_code == 303
    if pays:
        shop.bank(shop.open_at_mollie()[0], "paid")
        shop.work()
    onward = stranger.look(ADD)
    if pays:  # by an account of her own, or to the checkout
        page = stranger.look(onward.headers["Location"])
        assert "Anna de Vries" not in page.text
        assert "Anna" not in onward.headers["Location"]
        stranger.press(page, agree="yes")
        shop.work()
    else:
        assert onward.status_code == 200
    with shop.database.read() as tx:
        assert not tx.query(Subscription).filter_by(origin="upsell", mandate_id=hers).all()


def test_of_two_browsers_that_make_one_order_none_is_known(
    visitor: Visitor, new_visitor: Callable[[], Visitor], stage: Stage
) -> None:
    put_extra(stage)
    stranger = new_visitor()
    stranger.order(email=ANNA)
    visitor.order(email=ANNA)
    visitor.order(email=ANNA)
    stage.bank(stage.open_at_mollie()[0], "paid")
    stage.work()
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert stranger.look(ADD).status_code == 200
    assert visitor.look(ADD).status_code == 200


def test_a_link_made_after_an_order_charges_what_that_order_signed_and_nothing_newer(
    visitor: Visitor, stage: Stage
) -> None:
    put_extra(stage)
    visitor.order()
    stage.bank(stage.open_at_mollie()[0], "paid")
    stage.work()
    address = visitor.look(ADD).headers["Location"]
    with stage.database.write() as tx:
        mandate = tx.query(Mandate).one()
        mandate.status = MandateStatus.INVALID
        newer = Mandate(
            site_id=mandate.site_id, customer_id=mandate.customer_id, mollie_id="mdt_newer",
            method="directdebit", status=MandateStatus.VALID, created_at=stage.clock.now(),
        )  # fmt: skip
        tx.add(newer)
    onward = visitor.look(address)
    assert "/studio/buy/workshop" in onward.headers["Location"]
    assert "Anna" not in onward.headers["Location"]
