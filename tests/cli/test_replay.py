"""``replay``: a row is due again, once, and only when that makes sense."""

import json
from typing import Any

import pytest

from linkpay.store import due, journal
from linkpay.store.db import Database
from linkpay.store.overview import attention
from linkpay.store.tables import Inbox, Outbox
from tests import builders as make
from tests.cli.conftest import Run

QUICK = ("--wait", "0")


def inbox_row(database: Database, **values: Any) -> int:
    with database.write() as tx:
        return make.make_inbox(tx, **values).id


@pytest.mark.parametrize(
    ("values", "was"),
    [
        ({"done_at": make.NOW, "outcome": "booked"}, "handled"),
        ({"parked_at": make.NOW, "last_error": "no such offer"}, "parked"),
        ({"attempts": 3, "last_error": "timed out"}, "waiting"),
        ({"done_at": make.NOW, "lease": "x", "leased_until": make.later(days=9999)}, "handled"),
    ],
)
def test_a_message_is_due_again(run: Run, database: Database, values: dict[str, Any], was: str) -> None:
    row_id = inbox_row(database, **values)
    result = run("replay", str(row_id), *QUICK, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "row": f"inbox:{row_id}",
        "ref": "tr_madeup",
        "was": was,
        "is": "waiting",
        "outcome": None,
    }
    with database.read() as tx:
        row = tx.get_one(Inbox, row_id)
        assert (row.done_at, row.parked_at, row.attempts, row.lease) == (None, None, 0, None)
        assert row_id in due.ids(tx, Inbox, make.later(days=9999), 10)


def test_a_message_that_is_being_handled_is_left_alone(run: Run, database: Database) -> None:
    row_id = inbox_row(database, lease="x", leased_until=make.later(days=9999))
    result = run("replay", str(row_id), *QUICK)
    assert result.exit_code == 1
    assert "right now" in result.stderr


def test_a_parked_piece_of_work_goes_on_and_its_trouble_is_closed(run: Run, database: Database) -> None:
    with database.write() as tx:
        row = make.make_outbox(tx, parked_at=make.NOW, attempts=5, last_error="refused")
        journal.need_attention(
            tx, site_id=row.site_id, kind="parked", subject=f"outbox:{row.id}", detail="refused", now=make.NOW
        )
    assert run("replay", f"outbox:{row.id}", *QUICK).exit_code == 0
    with database.read() as tx:
        assert tx.get_one(Outbox, row.id).parked_at is None
        assert attention(tx) == []


@pytest.mark.parametrize("values", [{"done_at": make.NOW}, {}])
def test_work_that_is_not_parked_is_not_done_again(
    run: Run, database: Database, values: dict[str, Any]
) -> None:
    with database.write() as tx:
        row = make.make_outbox(tx, **values)
    result = run("replay", f"outbox:{row.id}", *QUICK, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["code"] == "not_parked"


@pytest.mark.parametrize("row", ["4711", "inbox:4711", "outbox:4711"])
def test_a_row_that_is_not_there_is_said(run: Run, row: str) -> None:
    result = run("replay", row, *QUICK)
    assert result.exit_code == 1
    assert "no inbox row" in result.stderr or "no outbox row" in result.stderr


def test_a_handled_webhook_is_handled_again_and_nothing_is_booked_twice(run_in_town: Run) -> None:
    assert run_in_town("demo").exit_code == 0
    said = json.loads(run_in_town("buy", "--plan", "once", "--email", "anna@example.test", "--json").stdout)
    (arrived,) = [moment for moment in said["timeline"] if moment["what"] == "webhook_arrived"]
    again = json.loads(run_in_town("replay", str(arrived["data"]["inbox"]), "--json").stdout)
    assert (again["was"], again["is"], again["outcome"]) == ("handled", "handled", "nothing_new")
    money = json.loads(run_in_town("timeline", "anna@example.test", "--json").stdout)["money"]
    assert money[0]["paid_cents"] == 27_500
