"""``price-rise``: seen first, told, listed, taken back."""

import json

from linkpay.store.db import Database
from linkpay.store.tables import Mail, Plan, PriceChange, Site
from tests import builders as make
from tests.cli.conftest import Run


def member(database: Database) -> tuple[str, str]:
    """(plan, site) of somebody who runs on a membership of 50.00."""
    with database.write() as tx:
        subscription = make.make_subscription(tx, started_at=make.NOW)
        plan, site = tx.get_one(Plan, subscription.plan_id), tx.get_one(Site, subscription.site_id)
        return plan.slug, site.slug


def test_a_new_price_is_seen_told_listed_and_taken_back(run: Run, database: Database) -> None:
    plan, _ = member(database)
    shown = run("price-rise", "set", plan, "--cents", "6000", "--dry-run")
    assert "To be told: 1." in shown.stdout
    with database.read() as tx:
        assert tx.query(PriceChange).count() == 0
    done = json.loads(run("price-rise", "set", plan, "--cents", "6000", "--json").stdout)
    (found,) = done["members"]
    assert (found["old_cents"], found["new_cents"], found["left_out"]) == (5000, 6000, None)
    with database.read() as tx:
        assert tx.query(Mail).filter_by(kind="price_change").count() == 1
    listed = run("price-rise", "list").stdout
    assert f"Decision {done['batch']}\n" in listed, "whole, to be copied"
    assert "mail on its way" in " ".join(listed.split())
    taken = json.loads(run("price-rise", "withdraw", done["batch"], "--json").stdout)
    assert taken["withdrawn"] == 1
    (line,) = json.loads(run("price-rise", "list", "--json").stdout)
    assert (line["state"], line["told_at"]) == ("withdrawn", None)


def test_another_sites_plan_is_not_there(run: Run, database: Database) -> None:
    plan, _ = member(database)
    with database.write() as tx:
        other = make.make_site(tx).slug
    result = run("price-rise", "set", plan, "--cents", "6000", "--site", other, "--json")
    assert json.loads(result.stderr)["error"]["code"] == "plan_unknown"
