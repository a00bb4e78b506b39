"""``doctor``: finds what is wrong, says what to do, and never a secret."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from config import checks
from linkpay.cli.doctor import closing
from linkpay.cli.findings import bad, ok, warn
from linkpay.clock import SystemClock
from linkpay.services import measuring
from linkpay.store import owners, progress, sites
from linkpay.store.db import Database
from tests import builders as make
from tests.cli.conftest import Run, run_with
from tests.cli.town import Town, environ

HOOK = "http://127.0.0.1:9/webhooks/offers/madeuptoken77/77"


def findings(run: Run, **changed: str) -> dict[str, dict[str, Any]]:
    """By check; where one check has several lines, the worst-looking last one."""
    result = run("doctor", "--json", **changed)
    document = json.loads(result.stdout)
    bad = [finding for finding in document["findings"] if finding["level"] == "bad"]
    assert result.exit_code == (1 if bad else 0)
    assert document["ok"] is not bool(bad)
    assert all(finding["mend"] for finding in document["findings"] if finding["level"] != "ok")
    return {finding["check"]: finding for finding in document["findings"]}


def test_without_settings_there_is_one_line_that_names_them(database_url: str) -> None:
    found = findings(run_with(environ(database_url, ENCRYPTION_KEYS="", BASE_URL="nowhere")))
    assert list(found) == ["settings"]
    assert "ENCRYPTION_KEYS" in found["settings"]["said"]
    assert "BASE_URL" in found["settings"]["said"]


def test_a_recipe_for_a_key_can_be_copied(database_url: str) -> None:
    said = run_with(environ(database_url, ENCRYPTION_KEYS=""))("doctor", COLUMNS="60").stdout
    assert f"{checks.MAKE_FERNET}\n" in said


def test_a_database_without_tables_is_bad_and_nothing_else_of_it_is_asked(empty_database_url: str) -> None:
    found = findings(run_with(environ(empty_database_url)))
    assert found["database"]["level"] == "bad"
    assert "migrate" in found["database"]["mend"]
    assert "encryption" not in found


def test_a_mistyped_file_of_a_database_is_named_and_not_made(tmp_path: Path) -> None:
    run = run_with(environ(f"sqlite:///{tmp_path}/lnikpay.db"))
    assert findings(run)["database"]["said"] == f"there is no file {tmp_path}/lnikpay.db"
    assert "Run `python -m linkpay migrate` first" in run("members").stderr
    assert list(tmp_path.iterdir()) == []


def test_everything_that_is_away_is_named_with_what_to_do(run: Run) -> None:
    found = findings(run)
    levels = {check: finding["level"] for check, finding in found.items()}
    assert levels == {
        "settings": "ok",
        "database": "ok",
        "redis": "bad",
        "clock": "bad",
        "encryption": "ok",
        "work": "ok",
        "mollie": "warn",
        "base url": "bad",
        "mail": "warn",
        "time": "warn",
    }
    assert "Until then work waits" in found["redis"]["mend"]


def test_a_clock_process_that_fell_silent_is_bad(run: Run, database: Database) -> None:
    never = findings(run)["clock"]
    assert never["level"] == "bad"
    assert "ever heard" in never["said"]
    now = SystemClock().now()
    with database.write() as tx:
        progress.put(tx, measuring.CLOCK, 0, now, now)
    assert findings(run)["clock"]["level"] == "ok"
    with database.write() as tx:
        progress.put(tx, measuring.CLOCK, 0, now, now - timedelta(minutes=5))
    silent = findings(run)["clock"]
    assert (silent["level"], silent["mend"]) == ("bad", "Start: python -m workers.clock")
    assert "heard for 5 min" in silent["said"]


def test_a_warning_is_not_counted_as_passed() -> None:
    fine, thought, broken = ok("a", "is"), warn("b", "may be", "Look."), bad("c", "is not", "Mend.")
    assert closing([fine, fine]).plain == "\nAll 2 checks are passed."
    assert closing([fine, thought, fine]).plain == "\n2 checks passed, 1 warning."
    assert closing([fine, thought, broken]).plain == "\n1 of 3 checks found trouble."


def test_keys_that_do_not_open_a_secret_are_found(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_offer(tx, make.make_site(tx, slug="yoga"))
    assert findings(run)["encryption"]["level"] == "ok"
    assert "3 sealed values" in findings(run)["encryption"]["said"]
    found = findings(run, ENCRYPTION_KEYS=Fernet.generate_key().decode())
    assert found["encryption"]["level"] == "bad"
    assert "mollie_key of yoga" in found["encryption"]["said"]
    assert found["mollie yoga"]["level"] == "bad"


def test_keys_that_do_not_open_an_owners_second_factor_are_found(run: Run, database: Database) -> None:
    with database.write() as tx:
        owner = owners.owner_for(tx, "owner@example.com", make.NOW)
        owner.totp_sealed = make.BOX.seal(owner.id, "owner_totp", "a seed")
    assert "1 sealed value" in findings(run)["encryption"]["said"]
    found = findings(run, ENCRYPTION_KEYS=Fernet.generate_key().decode())["encryption"]
    assert found["level"] == "bad"
    assert f"the second factor of owner {owner.id}" in found["said"]


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        ((f"{HOOK}/activate", f"{HOOK}/deactivate"), "right shape"),
        ((f"{HOOK}/deactivate", f"{HOOK}/activate"), "must end in"),
        ((f"{HOOK}/activate", f"{HOOK}8/deactivate"), "different offers"),
        (("https://elsewhere.test/webhooks/offers/madeuptoken77/77/activate", None), "missing"),
        ((None, None), "missing"),
    ],
)
def test_kajabi_addresses_are_judged_without_being_shown(
    run: Run, database: Database, addresses: tuple[str | None, str | None], said: str
) -> None:
    with database.write() as tx:
        site = make.make_site(tx, slug="yoga")
        offer = make.make_offer(tx, site, slug="back")
        for column, address in zip(("activation_url", "deactivation_url"), addresses, strict=True):
            setattr(offer, f"{column}_sealed", address and make.BOX.seal(site.id, column, address))
    found = findings(run)["kajabi yoga/back"]
    assert said in found["said"]
    assert found["level"] == ("ok" if said == "right shape" else "bad")
    assert "madeuptoken" not in run("doctor").output


def test_a_key_of_the_wrong_mode_is_bad(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx, slug="yoga", mode="live")
    found = findings(run)["mollie yoga"]
    assert found["level"] == "bad"
    assert "live mode" in found["said"]
    assert make.MOLLIE_KEY not in run("doctor").output


def test_late_and_parked_work_is_shown(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_outbox(tx, run_at=make.later(hours=-1))
        row = make.make_inbox(tx, parked_at=make.NOW, last_error="cannot be read")
    found = findings(run)
    assert found["work"]["level"] == "bad"
    assert f"replay inbox:{row.id}" in found["parked"]["mend"]


def test_a_running_linkpay_is_healthy_but_for_what_it_lacks(run_in_town: Run, town: Town) -> None:
    assert run_in_town("demo").exit_code == 0
    found = findings(run_in_town)
    for check in (
        "settings",
        "database",
        "encryption",
        "mollie demo",
        "kajabi demo/thuis-oefenen",
        "base url",
    ):
        assert found[check]["level"] == "ok", found[check]
    assert found["time"]["level"] == "ok", found["time"]
    assert found["redis"]["level"] == "bad"
    assert "ideal" in found["mollie demo"]["said"]


def test_an_account_without_methods_cannot_start_mandates(run_in_town: Run, town: Town) -> None:
    assert run_in_town("demo").exit_code == 0
    key = _demo_key(town)
    town.control("POST", f"organizations/{key}", {"disabled_methods": ["directdebit"]})
    assert "SEPA direct debit is not active" in findings(run_in_town)["mollie demo"]["said"]
    methods = ["ideal", "creditcard", "bancontact", "paypal", "applepay", "belfius", "kbc", "eps", "mybank"]
    town.control("POST", f"organizations/{key}", {"disabled_methods": methods})
    assert "no method can start a mandate" in findings(run_in_town)["mollie demo"]["said"]
    town.control("POST", f"organizations/{key}", {"disabled_methods": []})
    assert key not in run_in_town("doctor").output


def _demo_key(town: Town) -> str:
    with town.parts.database.read() as tx:
        site = sites.by_slug(tx, "demo")
        assert site is not None
        return sites.mollie_key(site, town.parts.box) or ""
