"""Mollie's JSON becomes snapshots, or `Malformed`, and nothing in between."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpay.adapters.mollie_fields import (
    Malformed,
    account_hint,
    checked_id,
    is_id,
    optional_money,
    read_metadata,
)
from linkpay.adapters.mollie_reading import (
    misses_chargebacks,
    misses_refunds,
    read_chargeback,
    read_customer_id,
    read_mandate,
    read_method,
    read_page,
    read_payment,
    read_refund,
)
from linkpay.adapters.mollie_subscriptions import read_customer, read_subscription
from linkpay.domain.money import Money, amount_string
from linkpay.domain.snapshots import MandateStatus, PaymentStatus, Sequence
from linkpay.errors import Permanent
from tests.adapters.mollie_samples import (
    CHARGEBACK,
    CUSTOMER,
    MANDATE,
    PAYMENT,
    PAYMENT_ID,
    REFUND,
    SUBSCRIPTION,
    page,
    without,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
READERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "payment": (read_payment, PAYMENT),
    "refund": (read_refund, REFUND),
    "chargeback": (read_chargeback, CHARGEBACK),
    "mandate": (read_mandate, MANDATE),
    "customer": (read_customer_id, CUSTOMER),
    "person": (read_customer, CUSTOMER),
    "subscription": (read_subscription, SUBSCRIPTION),
    "method": (read_method, {"id": "ideal", "description": "iDEAL", "minimumAmount": None}),
    "page": (lambda body: read_page(body, "refunds", read_refund), page("refunds", [REFUND], "re_abc")),
}


def test_a_pending_debit_is_read_whole() -> None:
    payment = read_payment(PAYMENT)
    assert (payment.id, payment.status, payment.sequence) == (
        PAYMENT_ID,
        PaymentStatus.PENDING,
        Sequence.RECURRING,
    )
    assert payment.amount == Money(5000, "EUR")
    assert payment.created_at == datetime(2026, 1, 4, 12, 44, 39, tzinfo=UTC)
    assert payment.due_on == date(2026, 1, 5)
    assert (payment.customer_id, payment.mandate_id) == ("cst_tKt44u85MM", "mdt_uDPFVsxjR4")
    assert payment.metadata == {"payment": "17", "attempt": "2"}
    assert (payment.failure_code, payment.account_hint) == ("AM04", "1234")
    assert payment.checkout_url == "https://pay.example.com/checkout/abc"
    assert (payment.refunded_cents, payment.charged_back_cents, payment.paid_at) == (0, 0, None)


def test_money_that_went_back_is_read_from_amounts_and_embeds() -> None:
    payment = read_payment(
        PAYMENT
        | {
            "status": "paid",
            "paidAt": "2026-01-08T00:00:00+00:00",
            "amountRefunded": {"value": "5.95", "currency": "EUR"},
            "amountChargedBack": {"value": "50.00", "currency": "EUR"},
            "_embedded": {"refunds": [REFUND], "chargebacks": [CHARGEBACK]},
        }
    )
    assert (payment.refunded_cents, payment.charged_back_cents) == (595, 5000)
    assert payment.refunds[0].metadata == {"bookkeeping_id": "12345"}
    assert payment.chargebacks[0].reason_code == "MD06"
    assert payment.chargebacks[0].reversed_at is None
    assert not misses_refunds(payment)
    assert not misses_chargebacks(payment)


def test_failed_refunds_do_not_explain_money_that_is_gone() -> None:
    payment = read_payment(
        PAYMENT
        | {
            "amountRefunded": {"value": "5.95", "currency": "EUR"},
            "amountChargedBack": {"value": "0.01", "currency": "EUR"},
            "_embedded": {"refunds": [REFUND | {"status": "failed"}]},
        }
    )
    assert misses_refunds(payment)
    assert misses_chargebacks(payment)


def test_a_status_of_tomorrow_is_unknown_and_not_an_error() -> None:
    assert read_payment(PAYMENT | {"status": "quantum"}).status is PaymentStatus.UNKNOWN


def test_a_mandate_is_read_with_only_the_last_digits_of_its_account() -> None:
    mandate = read_mandate(MANDATE)
    assert (mandate.status, mandate.account_hint) == (MandateStatus.VALID, "5678")
    assert (mandate.reference, mandate.signed_on) == ("EXAMPLE-MD13804", date(2026, 5, 7))


@pytest.mark.parametrize(
    ("details", "hint"),
    [
        ({"cardNumber": "6787"}, "6787"),
        ({"cardNumber": "•••• 6787"}, "6787"),
        ({"consumerAccount": "payer@example.com"}, None),
        ({"cardNumber": None, "consumerAccount": None}, None),
        ({"cardNumber": 6787}, None),
        ({}, None),
    ],
)
def test_the_hint_is_four_digits_or_nothing(details: dict[str, object], hint: str | None) -> None:
    assert account_hint(details) == hint


@pytest.mark.parametrize("metadata", [None, "", "plain", "[1]", "[" * 100_000, 7, True, ["a"], '"x"'])
def test_metadata_that_is_not_ours_is_empty(metadata: object) -> None:
    assert read_metadata({"metadata": metadata}) == {}


def test_texts_lose_what_databases_refuse() -> None:
    odd = json.loads('"a\\u0000b\\ud800c"')
    payment = read_payment(PAYMENT | {"description": odd, "metadata": {odd: odd}})
    assert payment.description == "ab?c"
    assert payment.metadata == {"ab?c": "ab?c"}


@pytest.mark.parametrize("name", ["id", "status", "mode", "amount", "sequenceType", "createdAt"])
def test_a_payment_without_a_required_field_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        read_payment(without(PAYMENT, name))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "tr_x/../../customers"},
        {"id": 5},
        {"amount": {"value": 50.0, "currency": "EUR"}},
        {"amount": {"value": "50", "currency": "EUR"}},
        {"amount": {"value": "-50.00", "currency": "EUR"}},
        {"amount": {"value": "50.00"}},
        {"amount": "50.00"},
        {"amountRefunded": {"value": "1.00", "currency": "USD"}},
        {"createdAt": "yesterday"},
        {"createdAt": "2026-01-04T13:44:39"},
        {"createdAt": "0001-01-01T00:00:00+23:59"},
        {"createdAt": 1767530679},
        {"paidAt": []},
        {"status": ""},
        {"sequenceType": "sometimes"},
        {"customerId": "mdt_uDPFVsxjR4"},
        {"mode": None},
        {"description": ["x"]},
        {"_embedded": {"refunds": {}}},
        {"_embedded": {"refunds": [None]}},
        {"_embedded": {"chargebacks": [{"id": "chb_1"}]}},
    ],
)
def test_a_payment_with_an_odd_field_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_payment(PAYMENT | change)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.example", "", None, 7, {"a": 1}])
def test_a_checkout_link_is_a_web_address_or_nothing(address: object) -> None:
    assert read_payment(PAYMENT | {"_links": {"checkout": {"href": address}}}).checkout_url is None


@pytest.mark.parametrize(
    "following",
    [
        {},
        "x",
        {"href": 3},
        {"href": "http://["},
        {"href": "http://h/?from=x/../y"},
        {"href": "http://h/?limit=5"},
        [],
    ],
)
def test_a_next_page_without_a_readable_cursor_is_malformed(following: object) -> None:
    with pytest.raises(Malformed):
        read_page(page("refunds", [REFUND]) | {"_links": {"next": following}}, "refunds", read_refund)


@pytest.mark.parametrize(
    "body", [{}, {"_embedded": None}, {"_embedded": {"refunds": None}}, {"_embedded": []}]
)
def test_a_list_that_is_not_there_is_never_an_empty_list(body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_page(body, "refunds", read_refund)


@pytest.mark.parametrize("kind", ["tr", "cst", "mdt", "re", "chb", "sub"])
def test_ids_are_letters_and_digits_only(kind: str) -> None:
    for good in (f"{kind}_7UhSN1zuXS", f"{kind}_a", f"{kind}_" + "Z" * 64):
        assert checked_id(kind, good) == good
    tails = ["", "a/../b", "a?x=1", "a#b", "a b", "a\n", "a%2e", "é", "a" * 65, "a_b", "a.b", "١", "a\0"]
    for bad in [f"{kind}_{tail}" for tail in tails] + ["", kind, f"x{kind}_a", f"{kind.upper()}_a"]:
        with pytest.raises(Permanent):
            checked_id(kind, bad)
        assert not is_id(kind, bad)
    assert not is_id(kind, None)


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("name", READERS)
@given(junk=st.dictionaries(st.text(), JSON, max_size=6))
def test_junk_is_malformed_and_nothing_else(name: str, junk: dict[str, Any]) -> None:
    read, _ = READERS[name]
    try:
        read(junk)
    except Malformed:
        return
    assert name == "method", "junk without an id passed for something"


@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_a_sound_object_with_some_junk_is_read_or_malformed(name: str, data: st.DataObject) -> None:
    read, sound = READERS[name]
    keys = st.sampled_from([*sound, "metadata", "details", "_embedded", "amountRefunded", "paidAt"])
    change = data.draw(st.dictionaries(keys, JSON, min_size=1, max_size=3))
    with suppress(Malformed):  # anything else that is raised fails the test
        read(sound | change)


@settings(deadline=None)
@given(cents=st.integers(0, 10**12 - 1), currency=st.sampled_from(["EUR", "USD", "ISK", "JPY"]))
def test_amounts_survive_the_way_there_and_back(cents: int, currency: str) -> None:
    money = Money(cents, currency)
    body = {"amount": {"value": amount_string(money), "currency": currency}}
    assert optional_money(body, "amount") == money


@settings(deadline=None)
@given(value=JSON, currency=JSON)
def test_an_amount_is_exact_or_malformed(value: Any, currency: Any) -> None:
    try:
        money = optional_money({"amount": {"value": value, "currency": currency}}, "amount")
    except Malformed:
        return
    assert money is not None
    assert amount_string(money).lstrip("0") == value.lstrip("0")
