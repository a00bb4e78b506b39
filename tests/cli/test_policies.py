"""The policies in words, on a terminal and for machines."""

import json

from linkpay.services import policy_page
from linkpay.store.db import Database
from tests import builders as make
from tests.cli.conftest import Run


def test_a_plan_shows_its_own_value_and_the_sites(run: Run, database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx, slug="yoga", policy={"grace_days": 7, "mail_days": [0]})
        offer = make.make_offer(tx, site)
        make.make_plan(tx, offer, slug="monthly", policy={"grace_days": 21})
    told = json.loads(run("policies", "--plan", "monthly", "--json").stdout)
    found = {one["name"]: (one["value"], one["source"]) for one in told["policies"]}
    assert found["grace_days"] == ("21 dagen", "plan")
    assert found["mail_days"] == ("0 dagen", "site")
    assert found["retry_days"] == ("5 en 8 dagen", "default")
    shown = run("policies", "--lang", "en", COLUMNS="120").stdout
    assert "When a payment fails, access stays for 7 days more." in " ".join(shown.split())


def test_a_plan_that_there_is_not_is_named(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx)
    failed = run("policies", "--plan", "yearly")
    assert failed.exit_code == 1
    assert "no plan 'yearly'" in failed.stderr


def test_the_page_needs_no_database(run: Run) -> None:
    assert run("policies", "--markdown", DATABASE_URL="").stdout == policy_page.markdown()
