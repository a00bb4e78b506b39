"""``forecast``: of one member, and of a site."""

import json

from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Database
from tests import builders as make
from tests.cli.conftest import Run

ANNA = "anna@example.com"


def running(database: Database) -> None:
    today = make.NOW.date()
    with database.write() as tx:
        site = make.make_site(tx)
        plan = make.make_plan(tx, make.make_offer(tx, site))
        subscription = make.make_subscription(tx, plan, make.make_customer(tx, site, email=ANNA))
        subscription.state = SubscriptionState.ACTIVE
        subscription.started_at, subscription.anchor_on = make.NOW, today
        subscription.next_index, subscription.next_charge_on = 0, today


def test_a_member_is_told_in_words_and_as_data(run: Run, database: Database) -> None:
    running(database)
    said = run("forecast", ANNA)
    assert said.exit_code == 0, said.output
    assert "€50.00" in said.stdout
    (known,) = json.loads(run("forecast", ANNA, "--json").stdout)
    assert {"on", "kind", "cents", "only_if", "if_it_fails"} <= known["items"][0].keys()
    assert [item["cents"] for item in known["items"]][:2] == [5000, 5000]


def test_nobody_of_that_name_is_an_error(run: Run, database: Database) -> None:
    running(database)
    result = run("forecast", "nobody@example.com", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["code"] == "person_unknown"


def test_a_site_is_told_its_weeks_and_its_growth(run: Run, database: Database) -> None:
    running(database)
    known = json.loads(run("forecast", "--months", "3", "--json").stdout)
    assert known["weeks"][0]["cents"] == 5000
    assert [month["number"] for month in known["growth"]] == [1, 2, 3]
    assert known["pace"]["price_cents"] == 5000
    assert "Cash expected" in run("forecast").stdout


def test_growth_follows_from_what_is_supposed(run: Run) -> None:
    supposed = ("--new", "10", "--price", "50", "--leaving", "20", "--months", "3")
    months = json.loads(run("forecast", *supposed, "--json").stdout)
    assert [month["members"] for month in months] == [10, 18, 25]
    assert [month["cents"] for month in months] == [50_000, 90_000, 125_000]
    assert "€1250.00" in run("forecast", *supposed).stdout
    assert run("forecast", "--new", "10").exit_code == 1
