"""``clock``: time moves as far as asked, nothing due is skipped, and it returns when all is done."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from linkpay.cli.advance import Advance, Tally
from linkpay.cli.output import CommandFailed
from linkpay.cli.sandbox import Sandbox
from linkpay.services import overview
from linkpay.services.overview import MemberLine
from linkpay.store import journal
from tests.cli.conftest import Run
from tests.cli.town import Town


@pytest.fixture(autouse=True)
def demo_site(run_in_town: Run) -> None:
    assert run_in_town("demo").exit_code == 0


def buy(run: Run, email: str, plan: str = "monthly") -> None:
    result = run("buy", "--plan", plan, "--email", email)
    assert result.exit_code == 0, result.output


def advance(run: Run, *words: str) -> dict[str, Any]:
    result = run("clock", "advance", *words, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def member(town: Town, email: str) -> MemberLine:
    with town.parts.database.read() as tx:
        (line,) = overview.members(tx, email=email)
        return line


def test_time_moves_as_far_as_asked_and_both_clocks_agree(run_in_town: Run, town: Town) -> None:
    document = advance(run_in_town, "--days", "2", "--hours", "6")
    passed = datetime.fromisoformat(document["to"]) - datetime.fromisoformat(document["from"])
    assert timedelta(days=2, hours=6) <= passed < timedelta(days=2, hours=6, minutes=5)
    said = json.loads(run_in_town("clock", "now", "--json").stdout)
    apart = datetime.fromisoformat(said["now"]) - datetime.fromisoformat(said["sandbox"])
    assert abs(apart) < timedelta(seconds=5)


def test_a_month_raises_a_debit_and_its_answer_is_booked(run_in_town: Run, town: Town) -> None:
    buy(run_in_town, "anna@example.test")
    first = member(town, "anna@example.test")
    happened = advance(run_in_town, "--days", "45")["happened"]
    assert [happened[what] for what in ("raised", "debited", "paid", "failed")] == [1, 1, 1, 0]
    now = member(town, "anna@example.test")
    assert first.next_charge_on is not None
    assert now.paid_until is not None
    assert now.paid_until > first.next_charge_on
    assert now.last_payment is not None
    # Raised at the start of the day that it is due, not whenever somebody looked.
    raised_at = now.last_payment.created_at
    assert (raised_at + timedelta(hours=2)).date() == first.next_charge_on
    assert raised_at - raised_at.replace(minute=0, second=0, microsecond=0) < timedelta(minutes=1)


def test_a_debit_that_bounces_ends_in_revoked_access(run_in_town: Run, town: Town) -> None:
    buy(run_in_town, "bo@example.test")
    advance(run_in_town, "--days", "31")
    debit = member(town, "bo@example.test").last_payment
    assert debit is not None
    assert debit.status == "pending"
    town.control("POST", f"payments/{debit.mollie_id}", {"status": "failed", "reason": "AC04"})
    happened = advance(run_in_town, "--days", "15")["happened"]
    assert happened["failed"] + happened["revoked"] >= 1
    line = member(town, "bo@example.test")
    assert (line.state, line.owed_cents) == ("suspended", 5000)
    assert line.access is not None
    assert (line.access.wanted, line.access.applied) == ("revoked", "revoked")


def test_a_second_debit_is_told_although_nothing_new_is_raised(run_in_town: Run, town: Town) -> None:
    buy(run_in_town, "dora@example.test")
    advance(run_in_town, "--days", "31")
    debit = member(town, "dora@example.test").last_payment
    assert debit is not None
    town.control("POST", f"payments/{debit.mollie_id}", {"status": "failed", "reason": "AM04"})
    happened = advance(run_in_town, "--days", "5", "--hours", "1")["happened"]
    assert (happened["raised"], happened["debited"]) == (0, 1)


def test_what_waits_for_a_person_is_told(run_in_town: Run, town: Town) -> None:
    with town.parts.database.write() as tx:
        journal.need_attention(
            tx, site_id=1, kind="loss", subject="charge:77", detail="Lost 5 euro.", now=town.parts.clock.now()
        )
    assert {"subject": "charge:77", "detail": "Lost 5 euro."} in advance(run_in_town, "--hours", "1")["stuck"]
    assert "waits for a person: charge:77" in run_in_town("clock", "advance", "--hours", "1").stdout


def test_without_a_worker_it_gives_up_and_says_so(run_in_town: Run, town: Town) -> None:
    buy(run_in_town, "carla@example.test")
    town.dismiss()
    journey = Advance(town.parts, Sandbox(town.sandbox_url), lambda tally: None, patience=1.0)
    with pytest.raises(CommandFailed, match="Is the worker running") as caught:
        journey.by(timedelta(days=1))
    assert caught.value.code == "not_done"


def test_every_step_is_told_and_none_goes_back(run_in_town: Run, town: Town) -> None:
    seen: list[Tally] = []

    def told(tally: Tally) -> None:
        seen.append(Tally(tally.began_at, tally.now, tally.steps))

    Advance(town.parts, Sandbox(town.sandbox_url), told).by(timedelta(days=3))
    instants = [tally.now for tally in seen]
    assert len(instants) >= 3
    longest = timedelta(days=1, seconds=30)
    assert all(timedelta(0) < late - early <= longest for early, late in pairwise(instants))


def test_two_clocks_are_never_moved_apart(
    run_in_town: Run, town: Town, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("clock") / "other"
    result = run_in_town("clock", "advance", "--days", "1", CLOCK_FILE=str(elsewhere))
    assert result.exit_code == 1
    assert "CLOCK_FILE" in result.stderr


def test_no_distance_is_no_command(run_in_town: Run) -> None:
    assert run_in_town("clock", "advance", "--days", "0").exit_code == 2
