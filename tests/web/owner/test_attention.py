"""The attention page: what waits, in words, and buttons that solve it."""

from linkpay.domain.roles import Role
from linkpay.store import journal
from linkpay.store.tables import Attention
from tests.flows.stage import Stage
from tests.web.members import ANNA
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

PAGE = "/owner/studio/attention"


def trouble(stage: Stage, kind: str, subject: str, **data: object) -> int:
    with stage.database.write() as tx:
        journal.need_attention(
            tx, site_id=stage.shop.site_id, kind=kind, subject=subject, detail="It happened.",
            now=stage.clock.now(), **data,
        )  # fmt: skip
        return tx.query(Attention).filter_by(subject=subject).one().id


def answer(visitor: Visitor, number: int, **given: str) -> tuple[int, str]:
    token = form_of(visitor.look(PAGE)).fields["form_token"]
    told = visitor.client.post(f"{PAGE}/{number}", data={"form_token": token, **given})
    return told.status_code, words_of(told)


def test_what_waits_is_told_in_words_with_its_member_and_solved(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    charge = stage.charges(ANNA)[0]
    number = trouble(stage, "late_paid", f"charge:{charge.id}")
    visitor = team.signed_in(Role.SUPPORT)
    page = visitor.look(PAGE)
    assert f"{ANNA} paid €50.00 for a subscription that had ended." in words_of(page)
    assert f"/owner/studio/members/{charge.subscription_id}" in page.text
    assert answer(visitor, number, action="refund")[0] == 303
    with stage.database.read() as tx:
        solved = tx.get_one(Attention, number)
    assert (solved.solution, solved.solved_by) == ("refund", "owner:support@studio.example.com")
    assert "Nothing waits for you." in words_of(visitor.look(PAGE))


def test_an_answer_that_is_missing_is_asked_for_and_nothing_is_done(team: Team, stage: Stage) -> None:
    number = trouble(stage, "takeover", "takeover:1")
    status, words = answer(team.signed_in(), number, action="dismiss")
    assert status == 422
    assert "Fill in the field beside the button first." in words
    assert stage.troubles() == ["takeover"]
    assert answer(team.signed_in(), number, action="dismiss", reason="mended by hand")[0] == 303
    assert stage.troubles() == []


def test_who_may_only_look_sees_no_buttons_and_another_site_has_no_say(team: Team, stage: Stage) -> None:
    number = trouble(stage, "takeover", "takeover:1")
    page = team.signed_in(Role.READ_ONLY).look(PAGE)
    assert "was not taken over" in words_of(page)
    assert 'name="action"' not in page.text
    other = stage.open_shop("elsewhere", "test_anotherstageofitsown")
    with stage.database.write() as tx:
        tx.get_one(Attention, number).site_id = other.site_id
    assert answer(team.signed_in(), number, action="dismiss", reason="x")[0] == 404
