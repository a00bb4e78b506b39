"""The owner's list of withdrawals: what came in, from whom, about what, what went back, how it stands."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

from linkpay.domain.roles import Role
from linkpay.store.tables import Refund, Withdrawal
from linkpay.store.tables.money import Stroke
from tests.flows.stage import Stage
from tests.web.members import ANNA
from tests.web.owner.conftest import Team
from tests.web.portal.guests import newest_link
from tests.web.visitor import Visitor, words_of

LIST = "/owner/studio/withdrawals"
TYPED = {"name": "Anna de Vries", "email": ANNA, "reference": "Members"}


def declare(visitor: Visitor, **typed: str) -> None:
    """Both steps of the page for everybody."""
    second = visitor.press(visitor.look("/studio/withdraw"), **TYPED | typed)
    visitor.press(second, confirmed="yes")


def rows(team: Team) -> list[dict[str, str]]:
    """The list as it is downloaded."""
    return list(csv.DictReader(io.StringIO(team.signed_in().look(f"{LIST}.csv").text)))


def test_an_empty_list_teaches(team: Team) -> None:
    page = team.signed_in(Role.READ_ONLY).look(LIST)
    assert "Nobody has withdrawn." in words_of(page)
    assert "Download" not in words_of(page)


def test_a_withdrawal_is_listed_from_the_declaration_to_the_last_cent(
    team: Team, stage: Stage, new_visitor: Callable[[], Visitor]
) -> None:
    stage.buy(ANNA)
    buyer = new_visitor()
    declare(buyer)
    (row,) = rows(team)
    assert (row["state"], row["sent_back_cents"], row["offer"]) == ("waits_for_customer", "0", "")
    assert "In her words: Members" in words_of(team.signed_in().look(LIST))
    stage.work()
    buyer.press(buyer.look(newest_link(stage)))
    (row,) = rows(team)
    assert (row["state"], row["owed_back_cents"], row["sent_back_cents"]) == ("paying_back", "5000", "0")
    assert "€0.00 of €50.00" in words_of(team.signed_in().look(LIST))
    stage.work()
    (row,) = rows(team)
    assert (row["state"], row["sent_back_cents"], row["offer"]) == ("done", "5000", "members")
    page = team.signed_in(Role.SUPPORT).look(LIST)
    assert "Anna de Vries anna@example.com" in words_of(page)
    assert "€50.00 carried out" in words_of(page)
    assert f'href="/owner/studio/members/{stage.subscription(ANNA).id}"' in page.text


def test_what_waits_for_whom_is_told(team: Team, stage: Stage, new_visitor: Callable[[], Visitor]) -> None:
    visitor = new_visitor()
    declare(visitor, email="stranger@example.com")
    with stage.database.write() as tx:
        tx.query(Withdrawal).one().proven_at = stage.clock.now()
    assert rows(team)[0]["state"] == "waits_for_owner"
    assert "waits for you To what needs you" in words_of(team.signed_in().look(LIST))
    declare(visitor, email="other@example.com")
    stage.pass_time(timedelta(days=61))
    assert [row["state"] for row in rows(team)] == ["never_confirmed", "waits_for_owner"]


def test_what_was_refused_or_is_no_withdrawal_is_not_counted(
    team: Team, stage: Stage, new_visitor: Callable[[], Visitor]
) -> None:
    stage.buy(ANNA)
    buyer = new_visitor()
    declare(buyer)
    stage.work()
    buyer.press(buyer.look(newest_link(stage)))
    stage.work()
    with stage.database.write() as tx:
        tx.query(Refund).one().reason = "unused_days"
    assert rows(team)[0]["sent_back_cents"] == "0"
    with stage.database.write() as tx:
        sent = tx.query(Refund).one()
        sent.reason, sent.stroke = "withdrawal:1", Stroke.REFUSED
    assert rows(team)[0]["owed_back_cents"] == "0"
