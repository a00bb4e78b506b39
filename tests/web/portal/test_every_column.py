"""Every column that could hold a name or an address is known here: a new one has to be thought of, too."""

import json
from typing import Any

import pytest
from sqlalchemy import JSON, Column, LargeBinary, String, Table, update

from linkpay.errors import Permanent
from linkpay.ports import Letter
from linkpay.services import gifts
from linkpay.services.gifts import Present
from linkpay.store import people
from linkpay.store.tables import (
    ApiCall,
    ApiKey,
    Attention,
    Base,
    BulkRun,
    Owner,
    SavedView,
    Site,
    Takeover,
)
from tests.flows.stage import Stage
from tests.web.portal.guests import ANNA, PORTAL, newest_link, sign_in
from tests.web.portal.traces import ask_to_be_forgotten, traces
from tests.web.visitor import Visitor, forms_of

NAME, MOVED = "Anna de Vries", "anna@new.example.com"
PHONE = "0612345678"
PLANTED = f"other: {NAME}\n<{MOVED}> said so"

#: What the owner sells, says and is: nothing of a member's.
OWNERS_OWN = {
    "bump", "coupon", "invitation", "logo", "mail_text", "offer", "owner", "owner_session", "plan",
    "progress", "recovery_code", "site",
}  # fmt: skip
#: Figures and terms, sealed and made-up values, and names of things.
NOTHING_OF_HERS = {
    "api_call.key", "book_check.figures", "charge.lines", "consent.data", "kept_numbers.figures",
    "payment.checkout_url", "subscription.policy", "subscription.term_cents",
}  # fmt: skip
#: What is hers from the start, and is blanked or removed with her.
WHO_SHE_IS = {
    "customer.email", "customer.name", "mail.to", "member.email", "member.name", "member.external_user_id",
    "visit.email", "visit.moves_from", "withdrawal.email",
}  # fmt: skip


def _holds_words(column: Column[Any]) -> bool:
    kind = column.type
    if isinstance(kind, String):
        return kind.length is None or kind.length > 100 or str(column) == "withdrawal.reference"
    return isinstance(kind, JSON | LargeBinary)


def _columns() -> list[tuple[Table, Column[Any]]]:
    """Every column in which somebody's words can stand, but for those that are told apart above."""
    return [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if _holds_words(column) and table.name not in OWNERS_OWN
        and str(column) not in NOTHING_OF_HERS | WHO_SHE_IS
    ]  # fmt: skip


def _live(visitor: Visitor, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """She buys, moves, is given something, is written about by Kajabi, withdraws and leaves with a word."""

    def refuse(letter: Letter) -> None:
        raise Permanent(f"mail server 550: 5.1.1 <{letter.to}>: Recipient address rejected", status=550)

    with monkeypatch.context() as patch:
        patch.setattr(stage.mailer, "send", refuse)
        stage.buy(ANNA)
    sign_in(visitor, stage)
    visitor.press(visitor.look(f"{PORTAL}/email"), -1, email=MOVED)
    stage.work()
    moved = visitor.press(visitor.look(newest_link(stage)))
    visitor.look(moved.headers["Location"])
    stage.work()
    stage.buy_at_kajabi(MOVED, "B")
    stage.work()
    page = visitor.press(visitor.look("/studio/withdraw"), name=NAME, email=MOVED, reference=NAME)
    visitor.press(page, confirmed="yes")
    stage.advance(days=3)
    sign_in(visitor, stage, MOVED)
    url = f"{PORTAL}/subscriptions/{stage.subscription(MOVED).token}/cancel"
    form = next(one for one in forms_of(visitor.look(url)) if "seen" in one.fields)
    visitor.client.post(url, data=form.fields | {"reason": "other", "more": f"call {PHONE}"})
    stage.work()


def _be_written_about(stage: Stage) -> None:
    """What owners and programs leave behind: one row of each."""
    now, of = stage.clock.now(), {"site_id": stage.shop.site_id, "created_at": stage.clock.now()}
    with stage.database.write() as tx:
        gifts.give(tx, tx.get_one(Site, stage.shop.site_id), Present(MOVED, "members"), "owner:1", now)
        owner = Owner(email="owner@studio.example.com", created_at=now)
        key = ApiKey(**of, name="program", hash="a" * 64, made_by="owner:1")
        tx.add_all([owner, key])
        tx.flush()
        tx.add_all([
            SavedView(**of, owner_id=owner.id, name="hers", wanted={}),
            BulkRun(**of, act="pause", actor="owner:1"),
            ApiCall(**of, api_key_id=key.id, key="once", fingerprint="a" * 64, status=200),
            Takeover(**of, mollie_customer_id="cst_1", mollie_subscription_id="sub_1", state="refused"),
            Attention(**of, kind="takeover", subject="takeover:1", detail="", solved_at=now),
        ])  # fmt: skip


def _plant(stage: Stage, table: Table, column: Column[Any]) -> bool:
    """Put her into this column of every row; False where there is no row."""
    value: Any = {"planted": [PLANTED]} if isinstance(column.type, JSON) else PLANTED
    if isinstance(column.type, LargeBinary):
        value = json.dumps(PLANTED).encode()
    with stage.database.write() as tx:
        made = update(table).values({column.name: value})
        if column.name == "body":
            made = made.where(table.c.source == "kajabi")
        return bool(tx.execute(made.returning(table.c.id)).all())


def test_after_a_rich_life_nothing_shows_who_she_was(
    visitor: Visitor, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live(visitor, stage, monkeypatch)
    assert len({where for where, _ in traces(stage, ANNA, MOVED, NAME, PHONE)}) > 20
    stage.stop(MOVED)
    ask_to_be_forgotten(visitor, stage)
    stage.advance(minutes=5)
    assert traces(stage, ANNA, MOVED, NAME, PHONE) == []
    with stage.database.read() as tx:
        assert people.customer_by_email(tx, stage.shop.site_id, MOVED) is None


def test_no_column_keeps_her(visitor: Visitor, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _live(visitor, stage, monkeypatch)
    _be_written_about(stage)
    stage.stop(MOVED)
    ask_to_be_forgotten(visitor, stage)
    stage.work()
    empty = [str(column) for table, column in _columns() if not _plant(stage, table, column)]
    assert empty == [], "these have no row to try it with"
    assert len(traces(stage, MOVED)) > len(_columns())
    stage.advance(minutes=5)
    assert sorted({where for where, _ in traces(stage, ANNA, MOVED, NAME)}) == []
