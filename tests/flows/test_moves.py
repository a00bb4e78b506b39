"""Access that moves to another address, and purchases for somebody else."""

from collections.abc import Callable
from functools import partial

import pytest

from linkpay.errors import Conflict
from linkpay.services import moves
from linkpay.store import people
from linkpay.store.tables import Customer
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.test_gifts import block, give, member
from tests.flows.weather import at_once
from workers import jobs

ANNA, NEW, NEWER = "anna@example.com", "anna@new.example.com", "anna@newer.example.com"


def move(stage: Stage, old: str = ANNA, new: str = NEW, *, payer_too: bool = False) -> None:
    with stage.database.write() as tx:
        moves.move_access(
            tx, member(stage, tx, old).id, new, "owner:eva", stage.clock.now(), payer_too=payer_too
        )


def inside(stage: Stage) -> set[str]:
    return {email for email in (ANNA, NEW, NEWER) if stage.has_access(email)}


def test_the_new_address_is_let_in_before_the_old_one_goes(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.disturb("status:503", target="kajabi", match="/activate", count=3)
    move(stage)
    stage.work()
    assert inside(stage) == {ANNA}, "Kajabi does not grant yet, so nothing is taken away"
    stage.advance(minutes=2)
    assert inside(stage) == {NEW}
    assert "access_ended" not in stage.mail_kinds()
    stage.advance(days=28)
    stage.bank(stage.newest_at_mollie(), "failed", "MD01")
    stage.advance(days=15)
    assert inside(stage) == set(), "money follows her to the new address"
    truth.check(stage)


def test_a_second_move_during_the_first_ends_at_the_last_address(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.disturb("status:503", target="kajabi", match="/activate", count=5)
    move(stage)
    stage.work()
    move(stage, NEW, NEWER)
    stage.work()
    assert inside(stage) == {ANNA}
    stage.advance(minutes=3)
    assert inside(stage) == {NEWER}
    truth.check(stage)


def test_moving_back_before_anything_happened_changes_nothing_at_kajabi(stage: Stage) -> None:
    stage.buy(ANNA)
    move(stage)
    move(stage, NEW, ANNA)
    stage.work()
    assert inside(stage) == {ANNA}
    assert stage.kajabi_calls(ANNA) == ["activate 200"]
    truth.check(stage)


def test_moving_back_later_gives_the_first_address_back(stage: Stage) -> None:
    stage.buy(ANNA)
    for old, new in ((ANNA, NEW), (NEW, ANNA), (ANNA, NEW), (NEW, ANNA)):
        move(stage, old, new)
        stage.advance(minutes=1)
        assert inside(stage) == {new}
    truth.check(stage)


def test_moving_twice_to_the_same_address_is_moving_once(stage: Stage) -> None:
    stage.buy(ANNA)
    give(stage)
    move(stage)
    move(stage)
    stage.work()
    move(stage)
    stage.work()
    assert inside(stage) == {NEW}
    assert stage.kajabi_calls(NEW) == ["activate 200"]
    truth.check(stage)


def test_who_lost_access_in_the_middle_of_a_move_is_out_everywhere(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.disturb("status:503", target="kajabi", match="/activate", count=1000)
    move(stage)
    stage.work()
    payment = stage.newest_at_mollie()
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment}/refunds", {})
    stage.post(payment)
    stage.advance(minutes=1)
    assert inside(stage) == set()
    stage.calm()
    stage.advance(minutes=2)
    assert inside(stage) == set()
    truth.check(stage)


def test_moving_onto_a_member_with_the_same_offer_leaves_one_grant_for_both(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(NEW)
    move(stage)
    stage.work()
    assert inside(stage) == {NEW}
    assert stage.kajabi_calls(NEW) == ["activate 200"]
    truth.check(stage)


@pytest.mark.races
def test_of_two_moves_at_the_same_instant_one_is_told_of_the_other(stage: Stage) -> None:
    stage.buy(ANNA)
    refused: list[str] = []

    def try_to(new: str) -> Callable[[], None]:
        def act() -> None:
            try:
                move(stage, ANNA, new)
            except Conflict as why:
                refused.append(why.code)

        return act

    at_once([try_to(NEW), try_to(NEWER)])
    stage.work()
    assert refused == ["moved_already"]
    assert len(inside(stage)) == 1
    assert ANNA not in inside(stage)
    truth.check(stage)


@pytest.mark.races
def test_moves_back_and_forth_at_once_while_kajabi_is_told_end_in_order(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(NEW)
    move(stage, ANNA, NEWER)
    rows = [row for row in stage.due() if row[0] == "outbox"]
    at_once(
        [
            lambda: move(stage, NEWER, ANNA), lambda: move(stage, NEW, NEWER),
            *(partial(jobs.run, stage.parts, *row) for row in rows),
        ]
    )  # fmt: skip
    stage.advance(minutes=2)
    assert ANNA in inside(stage) or NEWER in inside(stage)
    assert NEW not in inside(stage)
    truth.check(stage)


def test_a_gift_moves_along_and_the_longer_one_stays(stage: Stage) -> None:
    give(stage)
    give(stage, email=NEW)
    move(stage)
    stage.work()
    assert inside(stage) == {NEW}
    with stage.database.read() as tx:
        assert [g.until for g in people.gifts_of(tx, member(stage, tx, NEW).id)] == [None]
        assert people.gifts_of(tx, member(stage, tx).id) == []
    truth.check(stage)


def test_the_payer_moves_along_only_when_asked(stage: Stage) -> None:
    stage.buy(ANNA)
    move(stage)
    with stage.database.read() as tx:
        assert tx.query(Customer).one().email == ANNA
    move(stage, NEW, ANNA)
    move(stage, payer_too=True)
    stage.work()
    with stage.database.read() as tx:
        assert tx.query(Customer).one().email == NEW
    truth.check(stage)


def test_moves_that_cannot_be_are_refused(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(NEW)
    for to, payer_too, code in ((ANNA, False, "same_email"), (NEW, True, "payer_exists")):
        with pytest.raises(Conflict) as refusal:
            move(stage, ANNA, to, payer_too=payer_too)
        assert refusal.value.code == code
    block(stage)
    with pytest.raises(Conflict):
        move(stage, ANNA, NEWER)
    assert inside(stage) == {NEW}


def test_a_purchase_can_be_for_somebody_whose_address_is_longer_than_a_name_may_be(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    long = f"{'e' * 60}@{'.'.join(['v' * 50] * 3)}.example.com"
    with stage.database.write() as tx:
        made = moves.set_member(tx, charge.subscription_id, long, "", "owner:eva", stage.clock.now())
        assert made.email == long
        # SQLite would keep it whole, a server refuses it.
        assert made.name == long[:200]


def test_a_purchase_can_be_for_somebody_else(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    with stage.database.write() as tx:
        moves.set_member(tx, charge.subscription_id, NEW, "Eva", "buyer", stage.clock.now())
    stage.pay_by_link(charge)
    assert inside(stage) == {NEW}
    with stage.database.write() as tx:
        moves.set_member(tx, charge.subscription_id, NEWER, "Iris", "owner:eva", stage.clock.now())
    stage.work()
    assert inside(stage) == {NEWER}
    truth.check(stage)
