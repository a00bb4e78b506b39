"""``access`` and ``attention``: what owners decide by hand, and what they are told."""

import json
from typing import Any

import pytest

from linkpay.store import journal
from linkpay.store.db import Database
from linkpay.store.tables import Site
from tests import builders as make
from tests.cli.conftest import Run

ANNA = "anna@example.com"


@pytest.fixture
def offer(database: Database) -> str:
    """A site with one offer and a member who bought it."""
    with database.write() as tx:
        site = make.make_site(tx)
        made = make.make_offer(tx, site)
        customer = make.make_customer(tx, site, email=ANNA)
        make.make_paid_charge(tx, make.make_subscription(tx, make.make_plan(tx, made), customer))
        journal.need_attention(
            tx, site_id=site.id, kind="parked", subject="outbox:7", detail="It broke.", now=make.NOW
        )
        return made.slug


def said(run: Run, *words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(run: Run, *words: str) -> str:
    result = run(*words, "--json")
    assert result.exit_code == 1, result.output
    return str(json.loads(result.stderr)["error"]["code"])


def test_a_gift_is_given_shown_and_taken_back(run: Run, offer: str) -> None:
    said(run, "access", "gift", "new@example.com", offer, "--until", "2099-12-31", "--reason", "won")
    (story,) = said(run, "access", "why", "new@example.com")
    assert (story["granted"], story["reason"]) == (True, "gift")
    assert story["gifts"][0]["until"] == "2099-12-31"
    shown = run("access", "why", "new@example.com", "--locale", "nl").stdout
    assert "een cadeau" in shown
    assert "until 31 Dec 2099" in shown
    said(run, "access", "take-back", "new@example.com", offer)
    (story,) = said(run, "access", "why", "new@example.com", offer)
    assert (story["granted"], story["reason"], story["gifts"]) == (False, "not_covered", [])
    timeline = said(run, "timeline", "new@example.com")
    assert [moment["what"] for moment in timeline["moments"]] == ["gift_given", "gift_taken_back"]


def test_a_member_is_blocked_and_unblocked(run: Run, offer: str) -> None:
    assert said(run, "access", "block", ANNA, "--reason", "rude")["billing"] == "stopped"
    (story,) = said(run, "access", "why", ANNA)
    assert story["blocked"] == "rude"
    assert refused(run, "access", "gift", ANNA, offer) == "member_blocked"
    said(run, "access", "unblock", ANNA)
    (story,) = said(run, "access", "why", ANNA)
    assert story["blocked"] is None


def test_access_moves_and_a_purchase_is_assigned(run: Run, offer: str) -> None:
    said(run, "access", "move", ANNA, "anna@new.example.com")
    assert refused(run, "access", "move", ANNA, ANNA) == "same_email"
    (story,) = said(run, "access", "why", "anna@new.example.com")
    number = story["bought"][0]["subscription_id"]
    said(run, "access", "assign", str(number), "eva@example.com")
    (story,) = said(run, "access", "why", "eva@example.com", offer)
    assert [one["subscription_id"] for one in story["bought"]] == [number]
    assert refused(run, "access", "assign", "999", ANNA) == "subscription_unknown"


def test_a_day_that_is_none_is_not_understood(run: Run, offer: str) -> None:
    assert run("access", "gift", ANNA, offer, "--until", "soon").exit_code == 2


def test_what_waits_is_listed_in_both_languages_and_solved(run: Run, offer: str) -> None:
    (item,) = said(run, "attention", "list")
    assert item["happened"] == "A piece of work (–) cannot go on: It broke."
    assert said(run, "attention") == [item]
    assert refused(run, "attention", "--site", "elsewhere") == "site_unknown"
    assert "kan niet verder" in run("attention", "list", "--locale", "nl").stdout
    assert "kan niet verder" in run("attention", "--locale", "nl").stdout
    number = str(item["id"])
    shown = run("attention", COLUMNS="60").stdout
    assert f"python -m linkpay attention solve {number} dismiss --reason ...\n" in shown, "to be copied"
    assert refused(run, "attention", "solve", number, "dismiss") == "answer_missing"
    assert said(run, "attention", "solve", number, "dismiss", "--reason", "done by hand")["closed"]
    assert said(run, "attention", "list") == []
    assert "Nothing waits" in run("attention").stdout
    assert said(run, "attention", "show", number)["kind"] == "parked"
    assert refused(run, "attention", "show", "999") == "attention_unknown"


def test_what_went_away_by_itself_is_said_to_be_solved(run: Run, offer: str, database: Database) -> None:
    (item,) = said(run, "attention")
    with database.write() as tx:
        site_id = tx.query(Site).one().id
        journal.solved(tx, site_id=site_id, kind="parked", subject="outbox:7", now=make.NOW)
    shown = run("attention", "solve", str(item["id"]), "dismiss", "--reason", "done by hand").stdout
    assert shown == f"Trouble {item['id']} is solved: it went away by itself.\n"
