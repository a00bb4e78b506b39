"""Another price for who runs on a plan: seen first, told in the background, taken back by who manages."""

import pytest
from werkzeug.test import TestResponse

from linkpay.domain.roles import Role
from linkpay.store.tables import Plan, PriceChange
from tests.flows import truth
from tests.flows.plans import cancel
from tests.flows.stage import Stage
from tests.web.members import ANNA
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

BEA = "bea@example.com"
DECIDED = "/owner/studio/prices"


@pytest.fixture
def page(stage: Stage) -> str:
    """The price page of a plan on which two run, one of whom is leaving."""
    stage.buy(ANNA)
    stage.buy(BEA)
    cancel(stage, BEA)
    return f"/owner/studio/plans/{stage.subscription(ANNA).plan_id}/price"


def look(visitor: Visitor, page: str, amount: str) -> TestResponse:
    fields = form_of(visitor.look(page), 1).fields
    return visitor.client.post(page, data=fields | {"amount": amount, "step": "look"})


def tell(visitor: Visitor, page: str, amount: str) -> TestResponse:
    fields = form_of(look(visitor, page, amount), 1).fields
    return visitor.client.post(page, data=fields | {"step": "do"})


def test_a_new_price_is_seen_then_told_then_paid(team: Team, stage: Stage, page: str) -> None:
    owner = team.signed_in()
    seen = words_of(look(owner, page, "60"))
    assert "One is told by mail. One keeps her price: It is cancelled already." in seen
    assert "31 March 2026" in seen
    with stage.database.read() as tx:
        assert tx.query(PriceChange).count() == 0, "looking did it"
    answer = tell(owner, page, "60")
    assert answer.status_code == 303
    stage.work()
    assert "Done 1 Could not be done 1" in words_of(owner.look(answer.headers["Location"]))
    assert "Told, still pays the old price 1" in words_of(owner.look(DECIDED))
    stage.advance(days=63)
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [5000, 5000, 6000]
    assert "Pays the new price 1" in words_of(team.signed_in().look(DECIDED))
    truth.check(stage)


def test_a_decision_is_taken_back_until_it_counts(team: Team, stage: Stage, page: str) -> None:
    owner = team.signed_in()
    tell(owner, page, "60")
    stage.work()
    form = form_of(owner.look(DECIDED), 1)
    runs = [owner.client.post(form.action, data=form.fields).headers["Location"] for _ in range(2)]
    stage.work()
    for run in runs:
        assert "Done 1 Could not be done 0" in words_of(owner.look(run)), "pressed twice it is done once"
    assert stage.mail_kinds().count("price_stays") == 1
    assert "Keeps the old price 1" in words_of(owner.look(DECIDED))
    stage.advance(days=63)
    assert {charge.amount_cents for charge in stage.charges(ANNA)} == {5000}


def test_what_was_seen_must_still_be_so(team: Team, stage: Stage, page: str) -> None:
    owner = team.signed_in()
    fields = form_of(look(owner, page, "60"), 1).fields
    for changed in ({"amount": "70"}, {"seen": ""}):
        answer = owner.client.post(page, data=fields | {"step": "do"} | changed)
        assert answer.status_code == 409
        assert "Check it and press again." in words_of(answer)
    with stage.database.read() as tx:
        assert tx.query(PriceChange).count() == 0


@pytest.mark.parametrize("amount", ["", "free", "0", "999999999"])
def test_an_amount_that_cannot_be_is_refused_and_kept(team: Team, page: str, amount: str) -> None:
    answer = look(team.signed_in(), page, amount)
    assert answer.status_code == 422
    assert f'value="{amount}"' in answer.text


def test_only_who_manages_decides(team: Team, stage: Stage, page: str) -> None:
    tell(team.signed_in(), page, "60")
    stage.work()
    helper = team.signed_in(Role.SUPPORT)
    assert helper.look(page).status_code == 403
    assert "Told, still pays the old price 1" in words_of(helper.look(DECIDED))
    with stage.database.read() as tx:
        batch = tx.query(PriceChange).one().batch
    token = form_of(helper.look("/owner/studio/members")).fields["form_token"]
    given = {"form_token": token, "act": "price", "cents": "1", "step": "do"}
    assert helper.client.post(f"{DECIDED}/{batch}/withdraw", data=given).status_code == 403
    assert helper.client.post("/owner/studio/members/bulk", data=given).status_code in (409, 422)
    with stage.database.read() as tx:
        assert tx.query(PriceChange).one().withdrawn_at is None


def test_instalments_have_no_other_price(team: Team, stage: Stage) -> None:
    with stage.database.read() as tx:
        number = tx.query(Plan).filter_by(slug="once").one().id
    assert team.signed_in().look(f"/owner/studio/plans/{number}/price").status_code == 409
