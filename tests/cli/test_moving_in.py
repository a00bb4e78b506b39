"""Moving in and out: from Mollie's own subscriptions, and by files."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mollie.api.client import Client

from linkpay.cli import demo
from linkpay.sandbox.moments import local_day
from linkpay.store import sites, takeovers
from linkpay.store.db import Database
from linkpay.store.tables import Site
from tests import builders as make
from tests.cli.conftest import Run
from tests.cli.town import Town
from tests.waiting import eventually

FILES = (
    "members", "mandates", "coupons", "subscriptions", "prices", "consents", "notices", "withdrawals",
    "charges", "payments", "refunds", "ledger", "grants", "gifts", "events",
)  # fmt: skip


def demo_site(town: Town) -> tuple[Site, str]:
    with town.parts.database.read() as tx:
        site = sites.by_slug(tx, demo.SITE)
        assert site is not None
        return site, sites.mollie_key(site, town.parts.box) or ""


def runs_at_mollie(town: Town, email: str, value: str = "50.00") -> str:
    """A subscription that another cart made at the demo's Mollie account."""
    mollie = Client(api_endpoint=town.sandbox_url)
    mollie.set_api_key(demo_site(town)[1])
    customer = mollie.customers.create({"name": "Anna de Vries", "email": email})
    customer.mandates.create(
        {"method": "directdebit", "consumerName": "A. de Vries", "consumerAccount": "NL91ABNA0417164300"}
    )
    start_on = local_day(town.parts.clock.now() + timedelta(days=12))
    made = customer.subscriptions.create(
        {
            "amount": {"currency": "EUR", "value": value}, "interval": "1 month", "description": email,
            "startDate": start_on.isoformat(),
        }
    )  # fmt: skip
    return str(made["id"])


def told(run: Run, *words: str) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_dry_run_tells_and_the_real_one_does(run_in_town: Run, town: Town, tmp_path: Path) -> None:
    run_in_town("demo")
    number = runs_at_mollie(town, "anna@example.com")
    runs_at_mollie(town, "dear@example.com", "51.00")
    contacts = tmp_path / "kajabi.csv"
    contacts.write_text("Name,Email,External User ID\nAnna,ANNA@example.com,kajabi-1\n", encoding="utf-8-sig")
    words = ("import-mollie", "--site", "demo", "--contacts", str(contacts))
    dry = told(run_in_town, *words, "--dry-run")
    decided = {one["email"]: one for one in dry["decisions"]}
    assert decided["anna@example.com"]["verdict"] == "take"
    assert decided["anna@example.com"]["external_user_id"] == "kajabi-1"
    assert decided["dear@example.com"]["verdict"] == "unknown_plan"
    assert (dry["owed"], dry["dry_run"]) == (0, True)
    said = run_in_town(*words, "--dry-run", COLUMNS="160").stdout
    assert "no plan fits" in said
    assert "Nothing was changed" in said
    assert told(run_in_town, *words)["owed"] == 1

    def taken() -> bool:
        with town.parts.database.read() as tx:
            row = takeovers.find(tx, demo_site(town)[0].id, number)
            return row is not None and row.state == "taken"

    eventually(taken)
    assert "taken over from Mollie" in run_in_town("timeline", "anna@example.com").stdout


def test_a_map_names_the_plan_of_another_price(run_in_town: Run, town: Town, tmp_path: Path) -> None:
    run_in_town("demo")
    runs_at_mollie(town, "old@example.com", "39.00")
    table = tmp_path / "map.csv"
    table.write_text("plan;description;amount;interval\nmonthly;old*;39,00;1 month\n")
    found = told(run_in_town, "import-mollie", "--plan-map", str(table), "--dry-run")
    verdicts = {one["email"]: one["verdict"] for one in found["decisions"]}
    assert verdicts["old@example.com"] == "take"
    assert told(run_in_town, "import-mollie", "--plan", "monthly", "--dry-run")["owed"] == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "map_header"),
        ("plan,colour\nmonthly,red\n", "map_header"),
        ("plan\n", "map_empty"),
        ("plan,amount\nmonthly,much\n", "map_amount"),
        ("plan,interval\nmonthly,often\n", "map_interval"),
        ("plan,interval\n,1 month\n", "map_plan"),
        ("plan\nweekly\n", "plan_unknown"),
    ],
)
def test_a_map_that_cannot_be_read_is_named(
    run_in_town: Run, town: Town, tmp_path: Path, text: str, code: str
) -> None:
    run_in_town("demo")
    table = tmp_path / "map.csv"
    table.write_text(text)
    failed = run_in_town("import-mollie", "--plan-map", str(table), "--dry-run", "--json")
    assert failed.exit_code == 1
    assert json.loads(failed.stderr)["error"]["code"] == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"name\nAnna\n", "contacts_header"),
        (b"email\nnobody\n", "contacts_email"),
        (b"email\n\xff\n", "contacts_text"),
    ],
)
def test_contacts_that_cannot_be_read_are_named(run: Run, tmp_path: Path, raw: bytes, code: str) -> None:
    file = tmp_path / "kajabi.csv"
    file.write_bytes(raw)
    failed = run("import-mollie", "--contacts", str(file), "--json")
    assert json.loads(failed.stderr)["error"]["code"] == code


def test_a_map_and_a_plan_are_one_too_many(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "map.csv"
    table.write_text("plan\nmonthly\n")
    assert run("import-mollie", "--plan-map", str(table), "--plan", "monthly").exit_code == 1


def test_everything_goes_out_and_nothing_comes_in_twice(run_in_town: Run, town: Town, tmp_path: Path) -> None:
    run_in_town("demo")
    run_in_town("buy", "--plan", "monthly", "--email", "out@example.com")
    out = told(run_in_town, "export", "--site", "demo", "--to", str(tmp_path / "out"))
    assert sorted(out["rows"]) == sorted(FILES)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.csv" for name in FILES}
    text = (tmp_path / "out" / "members.csv").read_text(encoding="utf-8")
    assert "out@example.com" in text
    again = told(run_in_town, "import-csv", "--site", "demo", str(tmp_path / "out"), "--dry-run")
    fates = {one["payer_email"]: one["fate"] for one in again["subscriptions"]}
    assert fates["out@example.com"] == "already_here"
    done = run_in_town("import-csv", "--site", "demo", str(tmp_path / "out"))
    assert "already here" in done.stdout


def test_files_are_for_nobody_else(run: Run, database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        make.make_paid_charge(tx)
    assert run("export", "--to", str(tmp_path)).exit_code == 0
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_folder_that_cannot_be_written_is_named(run: Run, database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        make.make_site(tx)
    (tmp_path / "file").write_text("")
    failed = run("export", "--to", str(tmp_path / "file" / "in"))
    assert failed.exit_code == 1
    assert "Traceback" not in failed.output


def test_a_folder_without_files_is_named(run: Run, tmp_path: Path) -> None:
    failed = run("import-csv", str(tmp_path), "--json")
    assert json.loads(failed.stderr)["error"]["code"] == "file_missing"
