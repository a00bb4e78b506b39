"""Every act of the desk: seen before it is pressed, done once, and by nobody who may only look."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from linkpay.domain.charge import ChargeState
from linkpay.domain.roles import Role
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.store import people
from linkpay.store.tables import Customer, Event, Gift, Member, Plan, Refund, Subscription
from linkpay.web.owner.acts import ACTIONS
from tests.flows.plans import QUARTER, add_plan, cancel, pause, switch
from tests.flows.stage import Stage
from tests.web.members import ANNA, bounced
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

Check = Callable[[Stage], bool]


def state_is(state: S) -> Check:
    return lambda stage: stage.subscription(ANNA).state is state


def bought(stage: Stage) -> None:
    stage.buy(ANNA)


def canceled(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)


def ended(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.stop(ANNA)


def waits_for_pause(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, (stage.clock.now() + timedelta(days=60)).date())


def switches(stage: Stage) -> None:
    may_switch(stage)
    switch(stage, ANNA, "quarterly")


def may_switch(stage: Stage) -> None:
    stage.buy(ANNA)
    add_plan(stage, "quarterly", 12000, QUARTER)


def owes(stage: Stage) -> None:
    bounced(stage)


def given(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        member = people.by_email(tx, stage.shop.site_id, ANNA)
        assert member is not None
        now = stage.clock.now()
        tx.add(
            Gift(
                site_id=stage.shop.site_id, member_id=member.id, offer_id=stage.shop.offer_id, given_by="x",
                created_at=now,
            )
        )  # fmt: skip


def blocked(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        tx.query(Member).filter_by(email=ANNA).one().blocked_at = stage.clock.now()


def row(stage: Stage, table: type[Any], **values: Any) -> Any:
    with stage.database.read() as tx:
        return tx.query(table).filter_by(**values).one_or_none()


def newest(stage: Stage) -> Any:
    return stage.charges(ANNA)[-1]


@dataclass(frozen=True)
class Try:
    """How an act is tried: what came before, what is filled in, and what is true after it."""

    before: Callable[[Stage], None]
    came: Check
    typed: dict[str, str] = field(default_factory=dict)
    says: str = ""


TRIES: dict[str, Try] = {
    "cancel": Try(bought, state_is(S.CANCELING), {"reason": "asked by mail"}, "It ends on 28 February 2026."),
    "undo": Try(canceled, state_is(S.ACTIVE), says="It goes on as if nothing had been cancelled."),
    "pause": Try(
        bought, lambda s: str(s.subscription(ANNA).resume_on) == "2026-04-01", {"resume_on": "2026-04-01"},
        "From 28 February 2026 until 1 April 2026 nothing is collected.",
    ),
    "resume": Try(waits_for_pause, lambda s: s.subscription(ANNA).pause_on is None),
    "switch": Try(
        may_switch, lambda s: s.subscription(ANNA).next_plan_id is not None, {"plan": "quarterly"},
        "From 28 February 2026 it costs €120.00 every 3 months instead of €50.00 per month.",
    ),
    "stay": Try(switches, lambda s: s.subscription(ANNA).next_plan_id is None),
    "reactivate": Try(ended, state_is(S.ACTIVE)),
    "renewal-link": Try(bought, lambda s: "renewal_link" in s.mail_kinds()),
    "refund": Try(
        bought, lambda s: row(s, Refund, amount_cents=1250) is not None, {"cents": "12,50"},
        "€12.50 goes back to who paid it. €37.50 of it is kept.",
    ),
    "pay-link": Try(owes, lambda s: "pay_link" in s.mail_kinds()),
    "extend": Try(
        owes, lambda s: newest(s).grace_until is not None, {"until": "2026-05-01"},
        "Access stays until 1 May 2026, paid or not.",
    ),
    "retry": Try(owes, lambda s: newest(s).state is ChargeState.COLLECTING, says="€50.00 is debited once"),
    "stop": Try(owes, lambda s: newest(s).dunning_stopped_at is not None),
    "paid-outside": Try(owes, lambda s: newest(s).state is ChargeState.PAID, {"note": "cash"}),
    "write-off": Try(owes, lambda s: newest(s).state is ChargeState.WRITTEN_OFF, {"ends": "yes"}),
    "gift": Try(bought, lambda s: row(s, Gift, taken_back_at=None) is not None, {"until": "2027-01-01"}),
    "take-back": Try(given, lambda s: row(s, Gift, taken_back_at=None) is None),
    "block": Try(bought, lambda s: not s.has_access(ANNA), {"reason": "chargebacks"}),
    "unblock": Try(blocked, lambda s: row(s, Member, email=ANNA).blocked_at is None),
    "move": Try(bought, lambda s: s.has_access("new@example.com"), {"email": "new@example.com"}),
    "assign": Try(bought, lambda s: s.has_access("kid@example.com"), {"email": "kid@example.com"}),
    "forget": Try(ended, lambda s: row(s, Customer, email=ANNA) is None, says="This cannot be taken back."),
}  # fmt: skip


def page_of(stage: Stage, act: str) -> str:
    with stage.database.read() as tx:
        number = tx.query(Subscription).order_by(Subscription.id.desc()).first()
        assert number is not None
    made = stage.charges(ANNA)[-1].id
    about = f"?charge={made}" if ACTIONS[act].about == "charge" else ""
    return f"/owner/studio/members/{number.id}/{act}{about}"


def filled(visitor: Visitor, url: str, typed: dict[str, str], step: str = "look") -> TestResponse:
    """The page after its form was sent with what was typed."""
    page = visitor.look(url)
    form = form_of(page, 1)
    return visitor.client.post(url.partition("?")[0], data=form.fields | typed | {"step": step})


def confirm(visitor: Visitor, seen: TestResponse, url: str) -> TestResponse:
    return visitor.client.post(url.partition("?")[0], data=form_of(seen, 1).fields | {"step": "do"})


@pytest.mark.parametrize("act", ACTIONS)
def test_an_act_is_seen_before_it_is_done_and_then_done(team: Team, stage: Stage, act: str) -> None:
    tried = TRIES[act]
    tried.before(stage)
    visitor, url = team.signed_in(Role.SUPPORT), page_of(stage, act)
    assert ACTIONS[act].title() is not None
    seen = filled(visitor, url, tried.typed)
    assert seen.status_code == 200, words_of(seen)
    assert "What comes of it" in words_of(seen)
    assert tried.says in words_of(seen)
    assert not tried.came(stage) or act == "forget", "looking did it"
    answer = confirm(visitor, seen, url)
    assert answer.status_code == 303, words_of(answer)
    stage.work()
    if act == "forget":
        stage.advance(minutes=5)
    assert tried.came(stage)
    with stage.database.read() as tx:
        actors = {event.actor for event in tx.query(Event)}
    assert "owner:support@studio.example.com" in actors or act in ("forget", "unblock")
    assert ACTIONS[act].done is not None
    assert visitor.look(answer.headers["Location"]).status_code == 200


def test_who_may_only_look_sees_no_acts_and_can_do_none(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    visitor, url = team.signed_in(Role.READ_ONLY), page_of(stage, "cancel")
    page = visitor.look(url.removesuffix("/cancel"))
    assert page.status_code == 200
    assert "/cancel" not in page.text
    assert visitor.look(url).status_code == 403
    token = form_of(page).fields["form_token"]
    assert visitor.client.post(url, data={"form_token": token, "step": "do"}).status_code == 403
    assert stage.subscription(ANNA).state is S.ACTIVE


def test_what_changed_meanwhile_is_said_and_nothing_is_done(team: Team, stage: Stage) -> None:
    may_switch(stage)
    visitor, url = team.signed_in(), page_of(stage, "switch")
    seen = filled(visitor, url, {"plan": "quarterly"})
    with stage.database.write() as tx:
        tx.query(Plan).filter_by(slug="quarterly").one().amount_cents = 15000
    answer = confirm(visitor, seen, url)
    assert answer.status_code == 409
    assert "Something changed while this page was open." in words_of(answer)
    assert stage.subscription(ANNA).next_plan_id is None


def test_a_button_pressed_twice_sends_money_back_once(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    visitor, url = team.signed_in(), page_of(stage, "refund")
    seen = filled(visitor, url, {"cents": "10"})
    assert confirm(visitor, seen, url).status_code == 303
    assert confirm(visitor, seen, url).status_code == 409
    with stage.database.read() as tx:
        assert tx.query(Refund).count() == 1


@pytest.mark.parametrize(
    ("act", "typed", "said"),
    [
        ("cancel", {"mode": "date", "on": "2026-01-01"}, "Choose a day after today."),
        ("cancel", {"mode": "date", "on": "soon"}, "Fill in a day."),
        ("pause", {"resume_on": "2026-02-01"}, "A pause begins when what is paid is over."),
        ("refund", {"cents": "much"}, "Fill in an amount of at least one cent"),
        ("refund", {"cents": "99"}, "That is more than was kept of it"),
        ("move", {"email": "nobody"}, "Check the e-mail address."),
        ("forget", {}, "Something still runs, or a payment is under way."),
        ("switch", {"plan": "nothing"}, "Choose one of the plans."),
    ],
)
def test_a_refusal_is_said_before_there_is_a_button(
    team: Team, stage: Stage, act: str, typed: dict[str, str], said: str
) -> None:
    stage.buy(ANNA)
    answer = filled(team.signed_in(), page_of(stage, act), typed)
    assert said in words_of(answer)
    assert 'value="do"' not in answer.text
    for value in typed.values():
        assert value in answer.text or act == "switch", "what was typed is kept"


def test_a_charge_of_another_member_or_site_is_not_there(team: Team, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy("eva@example.com")
    other = stage.charges("eva@example.com")[0].id
    visitor, url = team.signed_in(), page_of(stage, "refund").partition("?")[0]
    number = stage.subscription(ANNA).id
    assert visitor.look(f"/owner/studio/members/{number}/refund?charge={other}").status_code == 404
    assert visitor.look(f"{url}?charge=999999").status_code == 404


@pytest.mark.parametrize("path", [
    "members/1/cancel?mode=date&on=9999-12-31", "members/1/pause?resume_on=9999-12-31",
    "members/1/extend?charge=1&until=0001-01-01", "members/bulk?act=cancel&day=9999-12-31",
])  # fmt: skip
def test_a_day_that_nobody_means_is_no_accident(stage: Stage, team: Team, path: str) -> None:
    stage.buy("anna@example.com")
    assert team.signed_in().look(f"/owner/studio/{path}").status_code < 500


@pytest.mark.parametrize("act", ["block", "cancel", "gift"])
def test_why_is_asked_with_the_word_that_she_may_read_it_in_her_data(
    team: Team, stage: Stage, act: str
) -> None:
    TRIES[act].before(stage)
    visitor, url = team.signed_in(Role.SUPPORT), page_of(stage, act)
    assert "It is also in the data that the member can download." in words_of(visitor.look(url))
    seen = filled(visitor, url, {"reason": "rings at night"})
    assert confirm(visitor, seen, url).status_code == 303
    data = visitor.look(f"{url.rpartition('/')[0]}/data.json")
    assert "rings at night" in data.text
