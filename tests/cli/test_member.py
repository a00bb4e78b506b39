"""``member``: decided on a terminal, seen before it is done."""

import json
from datetime import date, timedelta
from typing import Any

from linkpay.domain.calendar import add_months
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Database
from linkpay.store.tables import Subscription
from tests import builders as make
from tests.cli.conftest import Run

ANNA = "anna@example.com"


def running(database: Database) -> date:
    """Anna paid for a month from today; the first day that is not paid."""
    today = make.NOW.date()
    with database.write() as tx:
        site = make.make_site(tx)
        plan = make.make_plan(tx, make.make_offer(tx, site))
        held = make.make_subscription(tx, plan, make.make_customer(tx, site, email=ANNA))
        held.state, held.started_at = SubscriptionState.ACTIVE, make.NOW
        held.anchor_on, held.next_index, held.next_charge_on = today, 1, add_months(today, 1)
    return add_months(today, 1)


def held(database: Database) -> Subscription:
    with database.read() as tx:
        return tx.query(Subscription).one()


def told(run: Run, *words: str) -> dict[str, Any]:
    result = run("member", *words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_dry_run_shows_what_would_come_and_changes_nothing(run: Run, database: Database) -> None:
    ends_on = running(database)
    would = told(run, "cancel", ANNA, "--dry-run")
    assert not would["done"]
    assert (
        would["forecast"]["items"][0] | {"on": ends_on.isoformat(), "kind": "ends"}
        == would["forecast"]["items"][0]
    )
    assert held(database).state is SubscriptionState.ACTIVE
    assert told(run, "cancel", ANNA, "--reason", "asked by phone")["done"]
    assert (held(database).state, held(database).cancel_on) == (SubscriptionState.CANCELING, ends_on)
    assert (held(database).canceled_by or "").startswith("owner:")
    told(run, "undo", ANNA)
    assert held(database).state is SubscriptionState.ACTIVE


def test_pausing_and_going_on(run: Run, database: Database) -> None:
    first = running(database)
    until = first + timedelta(days=20)
    told(run, "pause", ANNA, "--until", until.isoformat(), "--keep-access")
    assert (held(database).pause_on, held(database).resume_on) == (first, until)
    assert held(database).pause_keeps_access
    told(run, "resume", ANNA)
    assert held(database).pause_on is None


def test_what_cannot_be_is_refused_with_its_code(run: Run, database: Database) -> None:
    running(database)
    for words, code in (
        (("switch", ANNA, "--plan", "none"), "plan_unknown"),
        (("undo", ANNA), "subscription_unknown"),
        (("cancel", "nobody@example.com"), "subscription_unknown"),
        (("cancel", ANNA, "--subscription", "99"), "subscription_unknown"),
        (("cancel", ANNA, "--mode", "date"), "no_date"),
    ):
        result = run("member", *words, "--json")
        assert result.exit_code == 1, result.output
        assert json.loads(result.stderr)["error"]["code"] == code
