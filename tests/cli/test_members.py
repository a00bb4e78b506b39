"""``members``: one line per subscription, readable and complete."""

import json
from datetime import date

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.plan import PlanKind
from linkpay.domain.snapshots import MandateStatus, PaymentStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Subscription
from linkpay.store.tables.people import Access
from tests import builders as make
from tests.cli.conftest import Run


def pays(tx: Tx) -> Subscription:
    """Anna: paid, granted."""
    site = make.make_site(tx, slug="yoga")
    plan = make.make_plan(tx, make.make_offer(tx, site), slug="monthly")
    subscription = make.make_subscription(tx, plan, make.make_customer(tx, site, email="anna@example.com"))
    make.make_paid_charge(tx, subscription, mollie_id="tr_annaFirst")
    make.make_grant(
        tx, subscription, applied=Access.GRANTED, applied_version=1, applied_at=make.NOW,
        until=make.later(days=38, hours=-10),
    )  # fmt: skip
    return subscription


def bounces(tx: Tx) -> Subscription:
    """Bo: his second debit failed, access runs out."""
    subscription = make.make_subscription(tx, state=SubscriptionState.PAST_DUE)
    make.make_paid_charge(tx, subscription)
    charge = make.make_charge(tx, subscription, period_index=1, state=ChargeState.FAILED)
    make.make_payment(tx, charge, status=PaymentStatus.FAILED, failure_code="AM04")
    make.make_grant(tx, subscription, reason="grace", until=make.later(days=14))
    return subscription


def only(run: Run, *words: str) -> dict[str, object]:
    """The one line that comes out."""
    result = run("members", *words, "--json")
    assert result.exit_code == 0, result.output
    (line,) = json.loads(result.stdout)
    assert isinstance(line, dict)
    return line


MORNING = "2026-03-01T09:00:00.000+00:00"
ANNA = {
    "site": "yoga",
    "zone": "Europe/Amsterdam",
    "email": "anna@example.com",
    "payer_email": "anna@example.com",
    "name": "Anna de Vries",
    "offer": "A calm back",
    "plan": "monthly",
    "kind": "membership",
    "state": "active",
    "origin": "checkout",
    "amount_cents": 5000,
    "currency": "EUR",
    "owed_cents": 0,
    "started_at": MORNING,
    "paid_until": "2026-04-01",
    "next_charge_on": "2026-04-01",
    "cancel_on": None,
    "access": {
        "wanted": "granted",
        "applied": "granted",
        "is_applied": True,
        "reason": "paid",
        "until": "2026-04-07T23:00:00.000+00:00",
        "applied_at": MORNING,
    },
    "mandate": {"method": "directdebit", "account_hint": "1234", "status": "valid"},
    "last_payment": {
        "mollie_id": "tr_annaFirst",
        "status": "paid",
        "method": None,
        "amount_cents": 5000,
        "currency": "EUR",
        "failure_code": None,
        "created_at": MORNING,
        "paid_at": MORNING,
    },
}


def test_a_paying_member_is_shown_whole(run: Run, database: Database) -> None:
    with database.write() as tx:
        subscription = pays(tx)
    assert only(run) == ANNA | {"subscription_id": subscription.id}


def test_a_bounced_member_shows_what_is_owed_and_why_there_is_access(run: Run, database: Database) -> None:
    with database.write() as tx:
        bounces(tx)
    line = only(run)
    assert (line["owed_cents"], line["paid_until"]) == (5000, "2026-04-01")
    said = run("members", COLUMNS="160").stdout
    for part in (
        "past due, owes €50.00",
        "access: grace after a failed debit",
        "until 15 Mar 2026 10:00",
        "Kajabi not told yet",
        "€50.00 failed AM04",
    ):
        assert part in said, part


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_table_fits_the_terminal(run: Run, database: Database, columns: int) -> None:
    with database.write() as tx:
        pays(tx)
        bounces(tx)
    said = run("members", COLUMNS=str(columns)).stdout
    assert max(len(line.rstrip()) for line in said.splitlines()) <= columns
    assert "2 subscriptions: 1 active, 1 past due" in said
    for part in (
        "anna@example.com",
        "monthly €50.00",
        "until 8 Apr 2026",
        "next 1 Apr 2026",
        "SEPA ··1234 valid",
    ):
        assert part in said, part


def test_one_person_is_found_as_payer_and_as_member(run: Run, database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        child = make.make_member(tx, site, email="child@example.com")
        payer = make.make_customer(tx, site, email="mother@example.com")
        make.make_subscription(tx, make.make_plan(tx, make.make_offer(tx, site)), payer, member=child)
        make.make_subscription(tx)
    assert only(run, "--email", "Child@Example.com") == only(run, "--email", "mother@example.com")
    assert "paid by mother@example.com" in " ".join(
        run("members", "--email", "child@example.com").stdout.split()
    )


def test_one_site_shows_nobody_of_another(run: Run, database: Database) -> None:
    with database.write() as tx:
        pays(tx)
        bounces(tx)
    assert only(run, "--site", "yoga")["email"] == "anna@example.com"
    refused = run("members", "--site", "elsewhere", "--json")
    assert (refused.exit_code, json.loads(refused.stderr)["error"]["code"]) == (1, "site_unknown")


@pytest.mark.parametrize(
    ("kind", "paid_until"), [(PlanKind.ONE_TIME, None), (PlanKind.INSTALMENTS, "2026-04-01")]
)
def test_a_purchase_for_ever_is_not_paid_until_a_day(
    run: Run, database: Database, kind: PlanKind, paid_until: str | None
) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx, make.make_plan(tx, kind=kind))
        make.make_paid_charge(tx, subscription)
    assert only(run)["paid_until"] == paid_until


def test_the_last_of_several_payments_is_shown(run: Run, database: Database) -> None:
    with database.write() as tx:
        subscription = pays(tx)
        make.make_paid_charge(tx, subscription, period_index=1, mollie_id="tr_annaSecond")
    line = only(run)
    assert line["last_payment"]["mollie_id"] == "tr_annaSecond"  # type: ignore[index] # JSON of a known shape
    assert line["paid_until"] == "2026-05-01"


def test_a_sign_up_without_money_has_no_access_and_no_mandate(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_subscription(tx, state=SubscriptionState.PENDING)
    line = only(run)
    assert (line["access"], line["mandate"], line["last_payment"], line["paid_until"]) == (
        None,
        None,
        None,
        None,
    )
    assert "no access yet" in run("members").stdout


def test_a_broken_mandate_and_a_coming_end_are_told(run: Run, database: Database) -> None:
    with database.write() as tx:
        mandate = make.make_mandate(tx, status=MandateStatus.INVALID, method="creditcard")
        make.make_subscription(
            tx, state=SubscriptionState.CANCELING, cancel_on=date(2026, 4, 1), mandate_id=mandate.id
        )
    said = run("members", COLUMNS="160").stdout
    assert "card ··1234 invalid" in said
    assert "ends 1 Apr 2026" in said


def test_a_name_cannot_colour_or_move_anything(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_subscription(
            tx, member=make.make_member(tx, make.make_site(tx), name="\x1b[31mred[/]\x1b[2J [bold]x[/bold]")
        )
    said = run("members").stdout
    assert "\x1b" not in said
    assert "[bold]x[/bold]" in said.replace("\n", "")


def test_an_empty_house_says_so(run: Run) -> None:
    assert "no members yet" in run("members").stdout
    assert "Nobody" in run("members", "--email", "anna@example.com").stdout
    assert run("members", "--email", "anna").exit_code == 1
