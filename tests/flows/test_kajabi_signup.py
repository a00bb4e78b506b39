"""Purchases that Kajabi tells of: a hint that opens a sign-up, and never moves money nor grants."""

import json
from hashlib import md5
from typing import Any
from urllib.parse import urlencode

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.tables import Customer, Member, Subscription
from tests.adapters.kajabi_samples import CAPTURED_TEST, purchase, resources
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.test_money_back import refund_by_hand

ANNA = "anna@example.com"


def announce(stage: Stage, message: dict[str, Any]) -> None:
    stage.post(json.dumps(message))
    stage.work()


def real_purchase(stage: Stage, **changes: Any) -> dict[str, Any]:
    return purchase(**({"offer_id": int(stage.shop.kajabi_offer)} | changes))


def real_resources(stage: Stage, external_user_id: str | None) -> dict[str, Any]:
    text = json.dumps(resources(external_user_id)).replace("1234567", stage.shop.kajabi_offer)
    message: dict[str, Any] = json.loads(text)
    return message


def kajabi_knows(stage: Stage, email: str, external_user_id: str) -> None:
    """Somebody else's cart gave this person another offer, under an id of its own."""
    other = stage.sandbox.call(
        "POST", "/_sandbox/kajabi/offers", {"site_id": stage.shop.kajabi_site, "title": "Other"}
    )
    order = stage.order_at(other["activation_url"], email, external_user_id)
    assert stage.parts.access.apply(order).status == 200


def external_ids(stage: Stage, email: str) -> list[str | None]:
    members = stage.sandbox.call("GET", f"/_sandbox/kajabi/members?email={email}")
    return [member["external_user_id"] for member in members]


def subscriptions(stage: Stage) -> int:
    with stage.database.read() as tx:
        return tx.query(Subscription).count()


@pytest.mark.parametrize("shape", ["A", "B", "C"])
def test_a_purchase_in_kajabis_shop_gets_the_mandate_mail_and_nothing_else(stage: Stage, shape: str) -> None:
    stage.buy_at_kajabi(ANNA, shape)
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PENDING
    assert stage.mail_kinds() == ["mandate_wanted"]
    assert stage.grant(ANNA) is None
    assert stage.kept_cents() == 0
    assert stage.open_at_mollie() == []
    assert stage.has_access(ANNA), "Kajabi opened it by itself"


def test_the_mail_holds_the_link_that_pays(stage: Stage) -> None:
    stage.buy_at_kajabi(ANNA)
    stage.work()
    token = stage.charges(ANNA)[0].token
    assert f"https://pay.example.com/studio/pay/{token}" in stage.mailer.letters[0].text


def test_a_purchase_told_as_a_form_is_read_as_well(stage: Stage) -> None:
    payload = real_purchase(stage)["payload"]
    fields = {"event": "purchase.created"} | {f"payload[{name}]": value for name, value in payload.items()}
    stage.post(urlencode(fields), "application/x-www-form-urlencoded; charset=utf-8")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PENDING


@pytest.mark.parametrize("form", [False, True])
def test_the_captured_test_message_is_kept_and_ignored(stage: Stage, form: bool) -> None:
    if form:
        stage.post(urlencode({"event": "purchase.created", "payload": json.dumps(CAPTURED_TEST["payload"])}),
                   "application/x-www-form-urlencoded")  # fmt: skip
        stage.work()
    else:
        announce(stage, CAPTURED_TEST)
    (message,) = stage.messages()
    assert message.outcome == "ignored"
    assert message.done_at is not None
    assert subscriptions(stage) == 0
    truth.check(stage)


def test_paying_the_link_starts_the_subscription_and_leaves_kajabi_in_step(stage: Stage) -> None:
    stage.buy_at_kajabi(ANNA)
    stage.work()
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.in_step(ANNA)
    stage.advance(days=40)
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert stage.in_step(ANNA)
    truth.check(stage)


def test_who_got_everything_back_and_buys_again_in_kajabis_shop_gets_the_mandate_mail(stage: Stage) -> None:
    stage.buy(ANNA, "once")
    refund_by_hand(stage, stage.mollie_ids(stage.charges(ANNA)[0].id)[0], "275.00")
    stage.advance(days=2)
    assert not stage.has_access(ANNA)
    stage.buy_at_kajabi(ANNA)
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PENDING
    assert stage.mail_kinds()[-1] == "mandate_wanted"
    stage.pay_by_link(stage.charges(ANNA)[0])
    stage.advance(days=1)
    assert stage.has_access(ANNA)
    assert stage.in_step(ANNA)
    truth.check(stage)


def test_without_a_mandate_in_seven_days_access_ends_and_she_is_told(stage: Stage) -> None:
    stage.buy_at_kajabi(ANNA)
    stage.advance(days=6, hours=23)
    assert stage.has_access(ANNA)
    stage.advance(hours=2)
    assert not stage.has_access(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert stage.mail_kinds() == ["mandate_wanted", "signup_over"]
    assert stage.kept_cents() == 0
    truth.check(stage)


def test_who_pays_after_the_sign_up_ended_is_let_in_all_the_same(stage: Stage) -> None:
    stage.buy_at_kajabi(ANNA)
    stage.advance(days=6, hours=23)
    stage.go_pay(stage.charges(ANNA)[0])
    (payment_id,) = stage.open_at_mollie()
    stage.advance(minutes=8)
    with stage.database.write() as tx:
        tx.get_one(Subscription, stage.subscription(ANNA).id).signup_ends_at = stage.clock.now()
    for job in stage.jobs("expire_signup"):
        stage.make_due(job)
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert not stage.has_access(ANNA)
    stage.bank(payment_id, "paid")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.in_step(ANNA)
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_doubled_purchase_opens_one_sign_up_and_sends_one_mail(stage: Stage) -> None:
    for _ in range(3):
        announce(stage, real_purchase(stage))
    assert subscriptions(stage) == 1
    assert stage.mail_kinds() == ["mandate_wanted"]
    assert [message.outcome for message in stage.messages()] == [
        "opened",
        "already_running",
        "already_running",
    ]


def test_a_late_copy_of_the_purchase_changes_nothing_for_who_pays_already(stage: Stage) -> None:
    stage.buy_at_kajabi(ANNA)
    stage.work()
    stage.pay_by_link(stage.charges(ANNA)[0])
    announce(stage, real_purchase(stage))
    stage.advance(days=8)
    assert subscriptions(stage) == 1
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_forged_purchase_changes_nothing_for_a_member_who_pays(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        tx.query(Customer).one().locale = "en"
    announce(stage, real_purchase(stage, member_name="Somebody Else"))
    stage.advance(days=8)
    assert subscriptions(stage) == 1
    with stage.database.read() as tx:
        assert (tx.query(Customer).one().locale, tx.query(Customer).one().name) == ("en", "Anna de Vries")
        assert tx.query(Member).one().name == "Anna de Vries"
    assert stage.mail_kinds() == ["welcome", "access_open"]
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_forged_purchase_never_lets_a_former_member_in(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.advance(days=15)
    stage.stop(ANNA)
    assert not stage.has_access(ANNA)
    announce(stage, real_purchase(stage))
    for job in stage.jobs("review_access"):
        stage.make_due(job)
    stage.work()
    assert not stage.has_access(ANNA)
    stage.advance(days=8)
    assert not stage.has_access(ANNA)


def test_a_former_member_who_bought_again_at_kajabi_and_never_pays_loses_access_again(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.advance(days=15)
    stage.stop(ANNA)
    stage.buy_at_kajabi(ANNA)
    stage.work()
    assert stage.has_access(ANNA), "Kajabi opened it by itself"
    stage.advance(days=8)
    assert not stage.has_access(ANNA)
    assert stage.mail_kinds()[-1] == "signup_over"
    truth.check(stage)


def test_an_offer_that_nobody_mapped_is_set_aside_for_the_owner(stage: Stage) -> None:
    announce(stage, purchase(offer_id=99))
    announce(stage, purchase(offer_id=99))
    first, _ = stage.messages()
    assert first.parked_at is not None
    assert "unmapped_offer" in (first.last_error or "")
    assert stage.troubles() == ["kajabi_message"]
    assert subscriptions(stage) == 0


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b'{"event": "purchase", "payload": "\xff"}', "application/json", "unreadable"),
        (b"event=purchase.created&payload[offer_id]=5", "application/x-www-form-urlencoded", "no_email"),
        (b"event=purchase.created&payload[offer_id]=5", "application/json", "unreadable"),
        (b"", "", "unreadable"),
        (b"\x00" * 65_536, "image/png", "unreadable"),
        (json.dumps(purchase(member_email=None)).encode(), "text/plain", "no_email"),
        (
            json.dumps(purchase(member_email="a\x00b@example.com")).encode(),
            "application/json",
            "email_invalid",
        ),
        (json.dumps(resources("\ud800")).encode(), "application/json", "odd_external_id"),
    ],
)
def test_what_cannot_be_understood_is_kept_and_set_aside_with_a_reason(
    stage: Stage, body: bytes, content_type: str, reason: str
) -> None:
    stage.post_raw("kajabi", body, content_type)
    stage.work()
    (message,) = stage.messages()
    assert message.body == body
    assert (message.last_error or "").startswith(reason)
    assert message.parked_at is not None
    assert stage.troubles() == ["kajabi_message"]


@pytest.mark.parametrize(
    "changes", [{"quantity": 0}, {"quantity": 2}, {"currency": "ZZZ"}, {"amount_paid": -5}]
)
def test_amounts_in_a_message_mean_nothing_our_own_plan_counts(stage: Stage, changes: dict[str, Any]) -> None:
    announce(stage, real_purchase(stage, **changes))
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [5000]


def test_a_name_that_no_database_takes_is_cleaned(stage: Stage) -> None:
    announce(stage, real_purchase(stage, member_name="An\x00na \ud83d" + "x" * 500))
    with stage.database.read() as tx:
        assert tx.query(Member).one().name.startswith("Anna ?xxx")


def test_an_external_id_is_kept_to_the_letter_and_used_for_ever(stage: Stage) -> None:
    kajabi_knows(stage, ANNA, "Ext_042é")
    announce(stage, real_resources(stage, "Ext_042é"))
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert external_ids(stage, ANNA) == ["Ext_042é"]
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_an_external_id_that_another_member_has_opens_a_sign_up_for_that_person(stage: Stage) -> None:
    announce(stage, real_resources(stage, "Ext_042"))
    moved = real_resources(stage, "Ext_042")
    moved["payload"][2]["attributes"]["email"] = "anna.new@example.com"
    announce(stage, moved)
    assert [message.outcome for message in stage.messages()] == ["opened", "opened"]
    with stage.database.read() as tx:
        assert [member.external_user_id for member in tx.query(Member)] == ["Ext_042"]


def test_a_new_buyer_whose_address_is_anothers_external_id_gets_an_id_of_her_own(stage: Stage) -> None:
    announce(stage, real_resources(stage, "eva@example.com"))
    stage.buy("eva@example.com")
    assert stage.has_access("eva@example.com")
    assert not stage.has_access(ANNA)
    with stage.database.read() as tx:
        assert len({member.external_user_id for member in tx.query(Member)}) == 2


@pytest.mark.parametrize("known_as", [ANNA, md5(ANNA.encode(), usedforsecurity=False).hexdigest()])
def test_ids_that_other_carts_use_are_tried_when_kajabi_knows_her_by_another(
    stage: Stage, known_as: str
) -> None:
    kajabi_knows(stage, ANNA, known_as)
    announce(stage, real_resources(stage, "cst_of_a_cart_before"))
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert stage.has_access(ANNA)
    with stage.database.read() as tx:
        assert tx.query(Member).one().external_user_id == known_as
    truth.check(stage)


def test_a_member_whom_kajabi_knows_by_an_unknown_id_is_left_to_the_owner(stage: Stage) -> None:
    kajabi_knows(stage, ANNA, "only Kajabi knows")
    stage.buy(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert not stage.has_access(ANNA)
    assert stage.troubles() == ["access"]
    (job,) = stage.jobs("apply_grant")
    assert job.parked_at is not None
    stage.advance(days=3)
    # First the other cart's own; then her address, which is our id as well, and its digest, once each.
    assert stage.kajabi_calls(ANNA) == ["activate 200", "activate 422", "activate 422"]
