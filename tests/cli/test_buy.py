"""``buy``: through the real pages over real HTTP."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.town import Town
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def demo_site(run_in_town: Run) -> None:
    assert run_in_town("demo").exit_code == 0


def bought(run: Run, email: str, *words: str) -> dict[str, Any]:
    result = run("buy", "--plan", "monthly", "--email", email, *words, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def at_kajabi(town: Town, email: str) -> list[str]:
    """States of this person's offers, as Kajabi tells them."""
    members = town.control("GET", f"kajabi/members?email={email}")
    assert isinstance(members, list)
    return [offer["state"] for member in members for offer in member["offers"]]


def test_a_paid_purchase_opens_access_and_tells_its_milliseconds(run_in_town: Run, town: Town) -> None:
    document = bought(run_in_town, "anna@example.test")
    assert at_kajabi(town, "anna@example.test") == ["granted"]
    assert (document["granted"], document["problem"]) == (True, None)
    assert 0 < document["milliseconds"] < 30_000
    passage = document["passage"]
    assert passage["webhook_at"] <= passage["booked_at"] <= passage["granted_at"]
    assert f"{town.parts.base_url}/demo/order/" in document["ends_at"]
    whats = [moment["what"] for moment in document["timeline"]]
    assert whats.index("webhook_arrived") < whats.index("payment") < whats.index("access_granted")


@pytest.mark.parametrize("status", ["failed", "canceled", "expired", "open"])
def test_a_payment_that_comes_to_nothing_gives_no_access(run_in_town: Run, town: Town, status: str) -> None:
    document = bought(run_in_town, f"{status}@example.test", "--status", status)
    assert (document["granted"], document["passage"]["status"]) == (False, status)
    assert at_kajabi(town, f"{status}@example.test") == []


def test_people_read_the_timeline_and_the_result(run_in_town: Run, town: Town) -> None:
    result = run_in_town("buy", "--plan", "once", "--email", "bo@example.test", "--method", "creditcard")
    assert result.exit_code == 0, result.output
    assert "Access is open" in result.stdout
    assert "+€275.00" in result.stdout
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 100


def amounts(document: dict[str, Any]) -> list[int]:
    """What came in, as the timeline tells it."""
    return [moment["amount_cents"] for moment in document["timeline"] if moment["what"] == "payment"]


def test_a_code_and_an_extra_are_bought_along(run_in_town: Run, town: Town) -> None:
    document = bought(run_in_town, "hanna@example.test", "--coupon", "welkom10", "--bump", "workbook")
    assert amounts(document)[0] == 4_500 + 2_700
    eventually(lambda: at_kajabi(town, "hanna@example.test") == ["granted", "granted"])


@pytest.mark.parametrize(("method", "came_in"), [("ideal", [1]), ("bancontact", [2]), ("creditcard", [])])
def test_a_trial_opens_access_by_any_method(run_in_town: Run, method: str, came_in: list[int]) -> None:
    email = f"{method}@example.test"
    result = run_in_town("buy", "--plan", "trial", "--email", email, "--method", method, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["granted"], amounts(document)) == (True, came_in)


def test_many_buyers_at_once_are_all_granted_and_measured(run_in_town: Run, town: Town) -> None:
    document = bought(run_in_town, "carla@example.test", "--count", "6", "--parallel", "3")
    assert (document["count"], document["granted"], document["problems"]) == (6, 6, [])
    figures = document["milliseconds"]
    assert 0 < figures["p50"] <= figures["p95"] <= figures["p99"] <= figures["max"]
    assert all(at_kajabi(town, f"carla%2B{number}@example.test") == ["granted"] for number in range(1, 7))


def test_an_unusual_address_is_taken_when_it_is_sent_twice(run_in_town: Run) -> None:
    assert bought(run_in_town, "dirk@gmial.com")["granted"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--plan", "weekly"), "there is monthly, yearly, course, once, trial, year-term, workbook"),
        (("--plan", "monthly", "--method", "klarna"), "Mollie does not offer klarna here, but ideal"),
        (("--plan", "monthly", "--site", "elsewhere"), "no site 'elsewhere'"),
        (("--plan", "monthly", "--bump", "cake"), "cake cannot be added here, but workbook"),
        (("--plan", "monthly", "--coupon", "NOPE"), "Deze code kennen we niet"),
    ],
)
def test_what_cannot_be_bought_is_told_with_what_can(
    run_in_town: Run, words: tuple[str, ...], said: str
) -> None:
    result = run_in_town("buy", "--email", "eva@example.test", *words)
    assert result.exit_code == 1
    assert said in result.stderr


def test_who_has_it_already_is_told_what_the_page_said(run_in_town: Run) -> None:
    bought(run_in_town, "fay@example.test")
    result = run_in_town("buy", "--plan", "monthly", "--email", "fay@example.test")
    assert result.exit_code == 1
    assert "Kijk in je e-mail" in result.stderr


def test_a_web_that_is_away_is_told_with_the_way_out(run_in_town: Run) -> None:
    result = run_in_town(
        "buy", "--plan", "monthly", "--email", "gea@example.test", BASE_URL="http://127.0.0.1:9"
    )
    assert result.exit_code == 1
    assert "make run" in result.stderr
