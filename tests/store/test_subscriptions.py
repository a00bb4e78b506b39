"""Finding whose next period has come: by the day it is where the site is."""

from datetime import date, timedelta

import pytest

from linkpay.store import sites, subscriptions
from linkpay.store.db import Database
from tests import builders as make

DUE = date(2026, 4, 1)
EVE = DUE - timedelta(days=1)


@pytest.mark.parametrize(
    ("today", "is_due"),
    [
        ({"Europe/Amsterdam": DUE}, True),
        ({"Europe/Amsterdam": DUE + timedelta(days=9)}, True),
        ({"Europe/Amsterdam": EVE}, False),
        ({"Europe/Amsterdam": EVE, "Pacific/Auckland": DUE}, False),
        ({"Pacific/Auckland": DUE}, False),
        ({}, False),
    ],
    ids=str,
)
def test_nobody_is_due_before_her_own_day_begins(
    database: Database, today: dict[str, date], is_due: bool
) -> None:
    with database.write() as tx:
        due = make.make_subscription(tx, next_charge_on=DUE)
        found = subscriptions.due_ids(tx, today, None, 10)
    assert found == ([(DUE, due.id)] if is_due else [])


def test_every_zone_is_named_once(database: Database) -> None:
    with database.write() as tx:
        for zone in ("Europe/Amsterdam", "Europe/Lisbon", "Europe/Amsterdam"):
            make.make_site(tx, zone=zone)
        assert sorted(sites.zones(tx)) == ["Europe/Amsterdam", "Europe/Lisbon"]
