"""What waits for a person: every trouble has words in both languages and answers that solve it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from config.environment import ROOT
from linkpay.errors import Conflict, InputError, NotFound, Permanent
from linkpay.services.attention import items, solving
from linkpay.services.attention.answers import ASKS, LABELS, Action
from linkpay.services.attention.items import Item
from linkpay.services.attention.kinds import KINDS, kind_of
from linkpay.services.attention.solving import Solved
from linkpay.store import journal
from linkpay.store.tables import Attention, Inbox, Offer, Outbox
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.connected import connect
from tests.flows.stage import Stage
from tests.flows.test_access import readdress
from tests.flows.test_mandates import suspend
from tests.flows.weather import in_between

ANNA = "anna@example.com"


def waiting(stage: Stage, locale: str = "en") -> list[Item]:
    with stage.database.read() as tx:
        return items.open_items(tx, stage.shop.site_id, locale)[0]


def press(stage: Stage, item: Item, action: str, **answers: str) -> Solved:
    with stage.database.write() as tx:
        found = solving.solve(
            tx, stage.shop.site_id, item.id, action, "owner:eva", stage.clock.now(), **answers
        )
    stage.work()
    return found


def every_parked_row_is_shown(stage: Stage) -> None:
    with stage.database.read() as tx:
        parked = {
            f"{row.__tablename__}:{row.id}"
            for table in (Inbox, Outbox)
            for row in tx.query(table).filter(table.parked_at.is_not(None), table.done_at.is_(None))
        }
    assert parked == {row for item in waiting(stage) for row in item.rows}


# The list as a whole ---------------------------------------------------------------------------------


def calls_of(name: str) -> Iterator[tuple[Path, ast.Call]]:
    for folder in ("linkpay", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in nodes_in(path):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name:
                    yield path, node


@cache
def nodes_in(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def texts_in(node: ast.expr) -> set[str]:
    return {
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def test_every_kind_that_anything_asks_for_is_registered() -> None:
    asked: set[str] = set()
    for path, call in calls_of("need_attention"):
        (kind,) = [word.value for word in call.keywords if word.arg == "kind"]
        assert texts_in(kind), f"{path}: a kind is a text, so that it can be looked up"
        asked |= texts_in(kind)
    assert len(asked) > 8
    assert asked <= KINDS.keys()


def test_every_kind_speaks_both_languages_and_has_an_answer() -> None:
    for name, kind in KINDS.items():
        assert kind.happened.keys() == kind.done.keys() == {"nl", "en"}, name
        assert kind.happened["nl"] != kind.happened["en"]
        assert kind.actions, name
    assert LABELS.keys() == set(Action)
    assert ASKS.keys() <= set(Action)


def test_a_kind_without_words_says_what_its_finder_said(stage: Stage) -> None:
    with stage.database.write() as tx:
        journal.need_attention(
            tx, site_id=stage.shop.site_id, kind="comet", subject="sky:1", detail="A comet fell.",
            now=stage.clock.now(),
        )  # fmt: skip
    (item,) = waiting(stage)
    assert item.happened == "A comet fell."
    assert press(stage, item, "dismiss", reason="swept up").closed
    assert waiting(stage) == []


# Identity at Kajabi ----------------------------------------------------------------------------------


def know_her_otherwise(stage: Stage, external_id: str) -> None:
    """Another cart let her in before, under an id of its own."""
    with stage.database.read() as tx:
        offer = tx.get_one(Offer, stage.shop.offer_id)
        assert offer.activation_url_sealed is not None
        url = stage.parts.box.open(stage.shop.site_id, "activation_url", offer.activation_url_sealed)
    other = stage.sandbox.call(
        "POST", "/_sandbox/kajabi/offers",
        {"site_id": stage.shop.kajabi_site, "title": "Old", "products": ["Old"]},
    )  # fmt: skip
    assert url
    stage.parts.access.apply(stage.order_at(other["activation_url"], ANNA, external_id))


def test_an_id_that_kajabi_knows_is_one_answer_away(stage: Stage) -> None:
    know_her_otherwise(stage, "cart-77")
    stage.buy(ANNA)
    (item,) = waiting(stage)
    assert ANNA in item.happened
    assert [button.action for button in item.buttons] == ["use_external_id", "retry", "dismiss"]
    every_parked_row_is_shown(stage)
    assert press(stage, item, "use_external_id", external_id=" cart-77 ").closed
    assert stage.has_access(ANNA)
    assert waiting(stage) == []
    truth.check(stage)


def test_a_wrong_id_comes_back_as_a_new_trouble(stage: Stage) -> None:
    know_her_otherwise(stage, "cart-77")
    stage.buy(ANNA)
    (item,) = waiting(stage)
    press(stage, item, "use_external_id", external_id="cart-78")
    (again,) = waiting(stage)
    assert again.id != item.id
    assert press(stage, item, "retry") == Solved(item.id, "use_external_id", closed=True), "solved before"
    press(stage, again, "use_external_id", external_id="cart-77")
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_an_id_that_another_member_has_is_refused(stage: Stage) -> None:
    stage.buy("eva@example.com")
    know_her_otherwise(stage, "cart-77")
    stage.buy(ANNA)
    (item,) = waiting(stage)
    for answer, error in (("eva@example.com", Conflict), ("", InputError), ("x" * 300, InputError)):
        with pytest.raises(error):
            press(stage, item, "use_external_id", external_id=answer)
    assert [one.id for one in waiting(stage)] == [item.id]


# What is parked --------------------------------------------------------------------------------------


def test_a_wrong_address_is_tried_again_by_a_button(stage: Stage) -> None:
    right = stage.shop.kajabi_offer
    readdress(stage, right, "1" + right)
    stage.buy(ANNA)
    (item,) = waiting(stage)
    assert "Copy both addresses" in item.done
    every_parked_row_is_shown(stage)
    readdress(stage, "1" + right, right)
    press(stage, item, "retry")
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_purchase_of_an_offer_that_is_not_sold_waits_until_it_is(stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Offer, stage.shop.offer_id).kajabi_offer_id = None
    stage.buy_at_kajabi(ANNA)
    stage.buy_at_kajabi("eva@example.com")
    stage.work()
    (item,) = waiting(stage, "nl")
    assert stage.shop.kajabi_offer in item.happened
    assert len(item.rows) == 2
    every_parked_row_is_shown(stage)
    with stage.database.write() as tx:
        tx.get_one(Offer, stage.shop.offer_id).kajabi_offer_id = stage.shop.kajabi_offer
    press(stage, item, "replay")
    assert waiting(stage) == []
    assert stage.subscription(ANNA).origin == stage.subscription("eva@example.com").origin == "kajabi"


def test_a_message_that_cannot_be_understood_can_be_let_go(stage: Stage) -> None:
    stage.post_raw("kajabi", b"<nonsense>", "application/json")
    stage.work()
    (item,) = waiting(stage)
    every_parked_row_is_shown(stage)
    with pytest.raises(InputError):
        press(stage, item, "dismiss")
    press(stage, item, "dismiss", reason="a test of theirs")
    truth.check(stage)
    with stage.database.read() as tx:
        solved = tx.get_one(Attention, item.id)
        assert (solved.solved_by, solved.solution) == ("owner:eva", "dismiss")
        assert solved.data["reason"] == "a test of theirs"


# Money -----------------------------------------------------------------------------------------------


def pay_after_the_end(stage: Stage) -> Item:
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.stop(ANNA)
    stage.bank(stage.newest_at_mollie(), "paid")
    stage.work()
    (item,) = waiting(stage)
    assert item.kind == "late_paid"
    return item


def test_late_money_is_sent_back_by_a_button(stage: Stage) -> None:
    item = pay_after_the_end(stage)
    assert "€50.00" in item.happened
    with pytest.raises(Conflict) as refusal:
        press(stage, item, "refund")
    assert refusal.value.field == "despite_reversal", "her bank may still reverse this debit"
    press(stage, item, "refund", despite_reversal="yes")
    stage.advance(hours=1)
    assert stage.kept_cents() == 5000
    assert not waiting(stage)
    truth.check(stage)


def test_late_money_is_kept_by_a_button(stage: Stage) -> None:
    item = pay_after_the_end(stage)
    press(stage, item, "agree")
    assert stage.kept_cents() == 10000
    truth.check(stage)


def test_a_refused_key_is_looked_at_again_by_a_button(stage: Stage) -> None:
    stage.buy(ANNA)
    suspend(stage, "test_")
    stage.post(stage.newest_at_mollie())
    stage.work()
    (item,) = waiting(stage)
    assert item.kind == "mollie_key"
    assert not press(stage, item, "check_key").closed
    assert waiting(stage), "it goes away when Mollie answers"
    suspend(stage, KEY)
    press(stage, item, "check_key")
    assert not waiting(stage)


# Whose it is -----------------------------------------------------------------------------------------


def test_another_site_cannot_see_or_solve_it(stage: Stage) -> None:
    item = pay_after_the_end(stage)
    other = stage.open_shop("other", "test_otheraccount")
    with stage.on(other):
        assert waiting(stage) == []
        with pytest.raises(NotFound):
            press(stage, item, "agree")


def test_an_answer_that_is_none_of_its_buttons_is_refused(stage: Stage) -> None:
    item = pay_after_the_end(stage)
    for action in ("check_key", "explode"):
        with pytest.raises(Conflict):
            press(stage, item, action)


def test_refinements_belong_to_kinds() -> None:
    assert {name.partition(".")[0] for name in KINDS} <= KINDS.keys()
    assert kind_of("access", "identity") is KINDS["access.identity"]
    assert kind_of("access", "refused") is KINDS["access"]


@pytest.mark.parametrize("kind", ["watch_site", "watch_kajabi"])
def test_a_daily_watch_that_was_set_aside_goes_on_the_next_day(stage: Stage, kind: str) -> None:
    connect(stage)
    stage.buy(ANNA)
    stage.advance(minutes=1)

    def refuse() -> None:
        raise Permanent("403: not for you", status=403)

    port, method, path = {
        "watch_site": ("payments", "list_chargebacks", "/chargebacks"),
        "watch_kajabi": ("directory", "offers", "/offers"),
    }[kind]
    in_between(stage, port, method, before=refuse)
    stage.advance(days=1)
    (item,) = waiting(stage)
    assert stage.jobs(kind)[0].parked_at is not None
    press(stage, item, "dismiss", reason="mended")
    looked = len(stage.sandbox_calls(path))
    stage.advance(hours=23)
    assert len(stage.sandbox_calls(path)) == looked, "set aside for a day"
    stage.advance(days=2)
    assert len(stage.sandbox_calls(path)) > looked
    assert stage.troubles() == []
