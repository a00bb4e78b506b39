"""The list of members: found by anything, filtered, kept by name, paged by key; and acts for many."""

import csv
import io
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from linkpay.domain.roles import Role
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.services import bulk
from linkpay.store import selection
from linkpay.store.selection import Filter
from linkpay.store.tables import BulkItem, Customer, Member, Payment, Subscription
from tests.flows.stage import Stage
from tests.web.members import ANNA, bounced
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

LIST = "/owner/studio/members"
BEA = "bea@example.com"


def found(visitor: Visitor, query: str) -> list[str]:
    """Whom the list shows, by address."""
    rows = csv.DictReader(io.StringIO(visitor.look(f"{LIST}.csv?{query}").text))
    return [row["email"] for row in rows]


def post(visitor: Visitor, url: str, **given: str) -> TestResponse:
    token = form_of(visitor.look(LIST)).fields["form_token"]
    return visitor.client.post(url, data={"form_token": token, **given})


def test_a_member_is_found_by_anything_that_is_known_of_her(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(BEA)
    with stage.database.write() as tx:
        anna = tx.query(Customer).filter_by(email=ANNA).one()
        anna.name = "Anna Ververs"
        tx.query(Member).filter_by(email=ANNA).one().external_user_id = "Kaj-77"
        payment = tx.query(Payment).filter_by(customer_id=anna.id).one().mollie_id
        mandate = tx.query(Subscription).filter_by(customer_id=anna.id).one().mandate_id
        mollie = anna.mollie_id
    assert mandate is not None
    visitor = team.signed_in()
    for words in ("anna@", "VERVERS", "kaj-77", str(payment), str(mollie)):
        assert found(visitor, f"q={words}") == [ANNA], words
    assert found(visitor, "q=tr_unknown") == []
    assert found(visitor, "q=%25") == []


def test_filters_narrow_and_meet(team: Team, stage: Stage) -> None:
    bounced(stage)
    stage.buy(BEA)
    visitor = team.signed_in()
    assert found(visitor, "state=past_due") == [ANNA]
    assert found(visitor, "state=active") == [BEA]
    assert found(visitor, "step=debit") == [ANNA]
    assert found(visitor, "step=stopped") == []
    assert found(visitor, "step=failing&state=active") == []
    plan = stage.subscription(BEA).plan_id
    assert found(visitor, f"plan={plan}") == [BEA, ANNA]


def test_a_filter_is_kept_for_one_person_and_forgotten(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    visitor = team.signed_in()
    assert post(visitor, f"{LIST}/views", name="Who pays", state="active").status_code == 303
    page = visitor.look(LIST)
    assert "Who pays" in words_of(page)
    assert f"{LIST}?state=active" in page.text
    assert "Who pays" not in words_of(team.signed_in(Role.SUPPORT).look(LIST))
    with stage.database.read() as tx:
        (number,) = tx.connection().exec_driver_sql("SELECT id FROM saved_view").one()
    other = team.signed_in(Role.SUPPORT)
    post(other, f"{LIST}/views/{number}/forget")
    assert "Who pays" in words_of(visitor.look(LIST))
    post(visitor, f"{LIST}/views/{number}/forget")
    assert "Who pays" not in words_of(visitor.look(LIST))


def test_who_may_only_look_keeps_filters_of_her_own(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    visitor = team.signed_in(Role.READ_ONLY)
    page = visitor.look(f"{LIST}?state=active")
    assert "Keep this filter under a name" in words_of(page)
    assert post(visitor, f"{LIST}/views", name="Mine", state="active").status_code == 303
    shown = visitor.look(f"{LIST}?state=active")
    assert "Forget this filter" in words_of(shown)
    assert "Mine" not in words_of(team.signed_in(Role.OWNER).look(LIST))
    with stage.database.read() as tx:
        (number,) = tx.connection().exec_driver_sql("SELECT id FROM saved_view").one()
    post(visitor, f"{LIST}/views/{number}/forget")
    assert "Mine" not in words_of(visitor.look(LIST))


def test_pages_follow_each_other_by_key_whatever_comes_in_between(stage: Stage) -> None:
    stage.begin(ANNA)
    for number in range(4):
        stage.begin(f"p{number}@example.com")
    with stage.database.read() as tx:
        page = selection.page(tx, selection.meant(tx, stage.shop.site_id, Filter()), limit=2)
        last = page[-1].subscription.id
    stage.begin("late@example.com")
    with stage.database.read() as tx:
        rest = selection.page(tx, selection.meant(tx, stage.shop.site_id, Filter()), before=last, limit=10)
        assert [row.member.email for row in rest] == ["p1@example.com", "p0@example.com", ANNA]


def begin(visitor: Visitor, **given: str) -> TestResponse:
    """See what would come of it, and press."""
    seen = post(visitor, f"{LIST}/bulk", step="look", **given)
    fields = form_of(seen, 1).fields
    return visitor.client.post(f"{LIST}/bulk", data=fields | given | {"step": "do"})


def test_many_are_done_in_the_background_and_the_run_is_found_again(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(BEA)
    stage.begin("eva@example.com")
    stage.stop(BEA)
    visitor = team.signed_in(Role.SUPPORT)
    seen = post(visitor, f"{LIST}/bulk", step="look", act="cancel")
    assert "It can be done for 2. Not for one: Nothing runs here that could be changed." in words_of(seen)
    assert stage.subscription(ANNA).state is S.ACTIVE, "looking did it"
    answer = begin(visitor, act="cancel", reason="we stop")
    assert answer.status_code == 303
    before = visitor.look(answer.headers["Location"])
    assert "Under way" in words_of(before)
    assert before.headers["Refresh"]
    stage.work()
    page = visitor.look(answer.headers["Location"])
    assert "Finished." in words_of(page)
    assert "Done 2 Could not be done 1" in words_of(page)
    assert stage.subscription(ANNA).state is S.CANCELING
    assert stage.subscription(ANNA).canceled_by == "owner:support@studio.example.com"
    assert "2 of 3 Could not be done: 1" in words_of(visitor.look("/owner/studio/runs"))


def test_a_run_does_each_once_however_often_it_is_cut_off(stage: Stage) -> None:
    for name in ("anna", "bea", "cor"):
        stage.buy(f"{name}@example.com")
    now = stage.clock.now()
    day = (now + timedelta(days=60)).date()
    with stage.database.write() as tx:
        order = bulk.Order("pause", day)
        run = bulk.start(tx, stage.shop.site_id, Filter(), order, "owner:x", now).id
    with stage.database.read() as tx:
        items = [item.id for item in tx.query(BulkItem).filter_by(run_id=run)]
    for item in (*items[:2], *items[:2]):
        with stage.database.write() as tx:
            bulk.do_item(tx, item, now)
    with stage.database.write() as tx:
        bulk.stop(tx, stage.shop.site_id, run, now)
    stage.work()
    with stage.database.read() as tx:
        assert sorted(str(item.outcome) for item in tx.query(BulkItem)) == ["done", "done", "stopped"]
        assert tx.query(Subscription).filter(Subscription.pause_on.is_not(None)).count() == 2
    assert stage.mail_kinds().count("pause_confirmed") == 2


@pytest.mark.parametrize(("act", "said"), [("pause", "Fill in a day."), ("extend", "Fill in a day.")])
def test_what_is_missing_is_asked_for(team: Team, stage: Stage, act: str, said: str) -> None:
    stage.buy(ANNA)
    answer = post(team.signed_in(), f"{LIST}/bulk", step="look", act=act)
    assert answer.status_code == 422
    assert said in words_of(answer)


def test_who_may_only_look_cannot_begin_or_download(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    visitor = team.signed_in(Role.READ_ONLY)
    assert visitor.look(LIST).status_code == 200
    assert visitor.look(f"{LIST}.csv").status_code == 403
    assert visitor.look(f"{LIST}/bulk").status_code == 403


def test_a_run_of_another_site_is_not_there(team: Team, stage: Stage) -> None:
    other = stage.open_shop("elsewhere", "test_anotherstageofitsown")
    with stage.on(other):
        stage.begin(ANNA)
    with stage.database.write() as tx:
        run = bulk.start(tx, other.site_id, Filter(), bulk.Order("cancel"), "owner:x", stage.clock.now())
        number = run.id
    assert team.signed_in().look(f"/owner/studio/runs/{number}").status_code == 404
    assert found(team.signed_in(), "") == []
