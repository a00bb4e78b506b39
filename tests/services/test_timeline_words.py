"""Every kind of event has words in both languages, wherever in the code it is recorded."""

import ast
from pathlib import Path

import pytest

from linkpay.domain.coverage import Source
from linkpay.domain.ledger import EntryKind
from linkpay.services import timeline_words
from linkpay.services.timeline import Moment
from linkpay.services.timeline_words import EVENTS, REASONS
from tests import builders as make
from tests.flows.test_attention import calls_of, nodes_in, texts_in

_FAILURES = {"payment_failed", "payment_canceled", "payment_expired"}
_KINDS_BY_RULE = {kind.value for kind in EntryKind} | _FAILURES


def recorded() -> set[str]:
    """Every kind that a call of `record` or `record_about` names, also by a variable of its function."""
    found: set[str] = set()
    for name in ("record", "record_about"):
        for path, call in calls_of(name):
            kind = call.args[1]
            if isinstance(kind, ast.Name):
                found |= _assigned(path, kind.id)
            elif not isinstance(kind, ast.JoinedStr):
                found |= texts_in(kind)
    return found


def _assigned(path: Path, variable: str) -> set[str]:
    return {
        said
        for node in nodes_in(path)
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == variable for t in node.targets)
        for said in texts_in(node.value)
        if said.startswith("access_")
    }


def test_every_kind_that_is_recorded_has_words() -> None:
    kinds = recorded()
    assert len(kinds) > 15
    assert kinds | _KINDS_BY_RULE <= EVENTS.keys() | {"access_open", "access_back", "access_ended"}


def test_all_words_are_in_both_languages() -> None:
    for words in (*EVENTS.values(), *REASONS.values()):
        assert words.keys() == {"nl", "en"}
        assert all(words.values())
    assert REASONS.keys() == set(Source) | {"not_covered", "blocked"}


@pytest.mark.parametrize(
    ("locale", "named", "by_itself"),
    [("nl", "eva (jullie team)", "vanzelf"), ("en", "eva (your team)", "by itself")],
)
def test_who_did_it_is_told_by_role_and_name(locale: str, named: str, by_itself: str) -> None:
    assert timeline_words.actor("owner:eva", locale) == named
    assert timeline_words.actor("clock", locale) == by_itself
    assert timeline_words.actor("worker", locale) == "LinkPay"
    assert timeline_words.actor("somebody:new", locale) == "somebody new"


def test_whoever_acts_in_the_code_has_words() -> None:
    acting = {
        said
        for name in ("record", "record_about")
        for path, call in calls_of(name)
        if "sandbox" not in path.parts and len(call.args) > 2
        for said in texts_in(call.args[2])
    }
    assert len(acting) > 6
    for who in acting | {"member", "owner", "api:shop"}:
        assert timeline_words.actor(who, "nl") != who, who


def test_words_of_machines_are_said_in_those_of_people() -> None:
    moment = Moment(
        at=make.NOW, what="mail_sent", who="worker", subscription_id=1,
        data={
            "mail": "mandate_needed", "sequence": "first", "came_to": "failed MD01",
            "starts_on": "2026-02-28",
        },
    )  # fmt: skip
    nl, en = timeline_words.details(moment, "nl"), timeline_words.details(moment, "en")
    assert nl[1:] == ["eerste betaling", "werd mislukt MD01", "begint 28 februari 2026"]
    assert en[1:] == ["first payment", "came to failed MD01", "starts 28 February 2026"]
    assert nl[0] != en[0]
    assert "mandate" not in nl[0]


def test_what_somebody_typed_cannot_move_the_cursor() -> None:
    moment = Moment(make.NOW, "gift_given", "owner", 0, data={"why": "\x1b[2Jgone", "until": "2026-12-31"})
    shown = ", ".join(timeline_words.details(moment, "en"))
    assert "\x1b" not in shown
    assert "until 31 December 2026" in shown
