"""``timeline``: what happened to a person or a payment, in order, and the money."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from linkpay.domain.ledger import EntryKind
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.store import journal
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Payment, Site, Subscription
from tests import builders as make
from tests.cli.conftest import Run


def after(milliseconds: int = 0, **parts: float) -> datetime:
    return make.later(**parts) + timedelta(milliseconds=milliseconds)


def record(tx: Tx, kind: str, at: datetime, subscription: Subscription, **data: Any) -> None:
    journal.record(tx, kind, "worker", at, subscription=subscription, **data)


@pytest.fixture
def anna(database: Database) -> str:
    """She paid, was let in, had her second debit charged back, and a third one fails."""
    with database.write() as tx:
        site = make.make_site(tx)
        customer = make.make_customer(tx, site, email="anna@example.com")
        plan = make.make_plan(tx, make.make_offer(tx, site))
        subscription = make.make_subscription(tx, plan, customer)
        record(tx, "signed_up", after(), subscription, plan="monthly")
        _first_month(tx, site, subscription)
        _second_month(tx, subscription)
    return "anna@example.com"


def _paid(tx: Tx, payment: Payment, subscription: Subscription, at: datetime) -> None:
    make.make_entry(tx, payment, created_at=at, occurred_at=at)
    journal.record(
        tx, "payment", "mollie", at, subscription=subscription, payment=payment, ref=payment.mollie_id,
        amount_cents=5000,
    )  # fmt: skip


def _first_month(tx: Tx, site: Site, subscription: Subscription) -> None:
    payment = make.make_payment(
        tx, make.make_charge(tx, subscription), status=PaymentStatus.PAID, sequence=Sequence.FIRST,
        mollie_id="tr_first", created_at=after(20), key_used_at=after(30),
    )  # fmt: skip
    make.make_inbox(tx, site, ref="tr_first", created_at=after(100), done_at=after(141), outcome="booked")
    _paid(tx, payment, subscription, after(141))
    record(tx, "access_granted", after(203), subscription, reason="paid", status=200, milliseconds=62)


def _second_month(tx: Tx, subscription: Subscription) -> None:
    charge = make.make_charge(tx, subscription, period_index=1)
    second = make.make_payment(
        tx, charge, status=PaymentStatus.PAID, mollie_id="tr_second", created_at=after(days=31),
        key_used_at=after(5, days=31),
    )  # fmt: skip
    _paid(tx, second, subscription, after(days=34))
    entry = make.make_entry(tx, second, kind=EntryKind.CHARGEBACK, created_at=after(days=50))
    journal.record(
        tx, "chargeback", "linkpay", after(days=50), subscription=subscription, payment=second,
        ref=entry.ref, amount_cents=-5000,
    )  # fmt: skip
    make.make_payment(
        tx, charge, status=PaymentStatus.FAILED, mollie_id="tr_third", created_at=after(days=60),
        key_used_at=None, failure_code="AM04",
    )  # fmt: skip


def story(run: Run, subject: str) -> dict[str, Any]:
    result = run("timeline", subject, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_persons_story_is_in_order_and_sums_up_the_money(run: Run, anna: str) -> None:
    found = story(run, anna)
    instants = [moment["at"] for moment in found["moments"]]
    assert instants == sorted(instants)
    assert [moment["what"] for moment in found["moments"]][:7] == [
        "signed_up",
        "payment_made",
        "payment_asked",
        "webhook_arrived",
        "payment",
        "webhook_handled",
        "access_granted",
    ]
    assert found["money"] == [
        {
            "currency": "EUR",
            "paid_cents": 10_000,
            "refunded_cents": 0,
            "charged_back_cents": 5_000,
            "outside_cents": 0,
        }
    ]


def test_a_payment_is_told_from_its_making_until_the_next_one(run: Run, anna: str) -> None:
    found = story(run, "tr_first")
    assert {moment["payment"] for moment in found["moments"]} == {"tr_first", None}
    whats = [moment["what"] for moment in found["moments"]]
    assert "access_granted" in whats
    assert "signed_up" not in whats
    assert "chargeback" not in whats
    assert found["money"][0]["paid_cents"] == 5_000


def test_the_way_from_webhook_to_access_shows_its_milliseconds(run: Run, anna: str) -> None:
    said = run("timeline", "tr_first", COLUMNS="160").stdout
    assert "10:00:00.100" in said
    assert "10:00:00.203" in said
    assert "+41 ms" in said
    assert "62 ms after it was wanted" in said
    assert "kept €50.00" in said


def test_money_that_went_back_and_a_debit_that_failed_are_told(run: Run, anna: str) -> None:
    said = run("timeline", anna, COLUMNS="160").stdout
    for part in ("charged back", "-€50.00", "charged back €50.00, kept €50.00", "came to failed AM04"):
        assert part in said, part


@pytest.mark.parametrize("subject", ["nobody@example.com", "tr_unknown", "not an address"])
def test_who_is_not_known_is_said_in_one_sentence(run: Run, anna: str, subject: str) -> None:
    result = run("timeline", subject)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")


def test_nobody_elses_story_is_mixed_in(run: Run, anna: str, database: Database) -> None:
    with database.write() as tx:
        other = make.make_subscription(tx)
        record(tx, "signed_up", after(15), other, plan="other")
    assert all(moment["data"].get("plan") != "other" for moment in story(run, anna)["moments"])
    assert len(story(run, "tr_first")["moments"]) == 6
