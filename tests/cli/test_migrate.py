"""``migrate``."""

import json

from linkpay.store import schema
from linkpay.store.db import Database
from tests.cli.conftest import run_with
from tests.cli.town import environ


def test_migrate_applies_everything_once_and_then_nothing(empty_database_url: str) -> None:
    run = run_with(environ(empty_database_url))
    first, second = run("migrate", "--json"), run("migrate", "--json")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert len(json.loads(first.stdout)["applied"]) >= 1
    assert json.loads(second.stdout) == {"applied": []}
    database = Database(empty_database_url)
    assert schema.missing(database) == []
    database.dispose()


def test_migrate_says_what_it_did(empty_database_url: str) -> None:
    run = run_with(environ(empty_database_url))
    assert "up to date" in run("migrate").stdout
    assert "Nothing to do" in run("migrate").stdout
