"""Mollie went on while we were away, or while our books were those of yesterday: nobody is charged twice."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from linkpay.clock import ManualClock
from linkpay.domain.charge import ChargeState
from linkpay.domain.ledger import EntryKind
from linkpay.domain.money import Money
from linkpay.domain.snapshots import Sequence
from linkpay.errors import Missing
from linkpay.ports import PaymentOrder
from linkpay.services import checkout, reconciling, recovery
from linkpay.store import backup
from linkpay.store.tables import BookCheck, LedgerEntry, Outbox, Payment, Refund, Site
from tests import builders as make
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.stories import buy_and_wait, second_debit
from tests.flows.test_debits import ANNA, debits
from workers import clock, sweep

BEA = "bea@example.com"


def go_back(stage: Stage, file: Path) -> None:
    """The database is lost, and the backup takes its place."""
    backup.restore(stage.database, file, stage.clock.now(), stage.clock.now())
    stage._rung.clear()


def behind(stage: Stage) -> bool:
    with stage.database.read() as tx:
        return tx.get_one(Site, stage.shop.site_id).catch_up_from is not None


def renew(stage: Stage) -> None:
    stage.advance(hours=2)
    stage.bank(second_debit(stage), "paid")
    stage.work()


def begin_unknown(stage: Stage, number: int) -> None:
    """A buyer whom these books do not know is on her way to pay."""
    stage.bank_view.create_payment(
        KEY,
        PaymentOrder(
            f"unknown-{number}", Money(1500, "EUR"), "A course", Sequence.ONEOFF,
            f"https://x.example.com/{stage.shop.token}", redirect_url="https://x.example.com",
            metadata={"linkpay": f"{1000 + number}.0.abcdef123456"},
        ),
    )  # fmt: skip


def raise_only(stage: Stage) -> None:
    """The next charge is raised and its debit prepared, and nothing is sent."""
    stage.sandbox.advance(timedelta(hours=2))
    assert sweep.turn(stage.parts).raised == 1
    stage._rung.clear()


@pytest.mark.parametrize("before", [lambda stage: None, raise_only], ids=["before it was raised", "unsent"])
def test_yesterdays_backup_charges_nobody_twice(
    stage: Stage, tmp_path: Path, before: Callable[[Stage], None]
) -> None:
    buy_and_wait(stage)
    before(stage)
    backup.save(stage.database, tmp_path / "yesterday")
    renew(stage)
    stage.advance(days=1)
    assert debits(stage) == 1
    go_back(stage, tmp_path / "yesterday")
    assert behind(stage)
    assert sweep.turn(stage.parts).raised == 0, "nothing is charged before Mollie's books were read"
    stage.work()
    stage.advance(minutes=20)
    assert not behind(stage)
    assert debits(stage) == 1
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert stage.has_access(ANNA)
    truth.check(stage)
    stage.advance(days=32)
    assert debits(stage) == 2
    truth.check(stage)


def test_who_bought_after_the_backup_is_shown_to_a_person(stage: Stage, tmp_path: Path) -> None:
    stage.buy(ANNA)
    backup.save(stage.database, tmp_path / "yesterday")
    stage.buy(BEA)
    go_back(stage, tmp_path / "yesterday")
    stage.work()
    assert stage.troubles() == ["unknown_payment"]
    stage.buy(BEA)
    stage.advance(days=32)
    assert stage.troubles() == ["unknown_payment"]
    assert debits(stage) == 2, "Anna's, and the one that Bea agreed to the second time"


def test_each_lost_payment_is_looked_at_before_anything_is_charged(stage: Stage, tmp_path: Path) -> None:
    buy_and_wait(stage)
    backup.save(stage.database, tmp_path / "yesterday")
    for number in range(130):
        begin_unknown(stage, number)
    renew(stage)
    stage.advance(days=1)
    go_back(stage, tmp_path / "yesterday")
    stage.work()
    stage.advance(minutes=20)
    assert not behind(stage)
    assert debits(stage) == 1, "the renewal comes after all of them in Mollie's list"
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert stage.troubles() == ["unknown_payment"] * 130


def test_a_payment_that_mollie_lists_and_does_not_find_yet_is_waited_for(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy_and_wait(stage)
    backup.save(stage.database, tmp_path / "yesterday")
    renew(stage)
    go_back(stage, tmp_path / "yesterday")

    def nowhere(*_: object) -> None:
        raise Missing("not found", status=404)

    with monkeypatch.context() as at_mollie:
        at_mollie.setattr(checkout, "look", nowhere)
        stage.advance(minutes=20)
        assert behind(stage)
    stage.advance(minutes=2)
    assert not behind(stage)
    assert debits(stage) == 1
    assert len(stage.charges(ANNA)) == 2


def test_what_nobody_can_explain_keeps_nothing_else_from_being_looked_at(
    stage: Stage, tmp_path: Path
) -> None:
    buy_and_wait(stage)
    backup.save(stage.database, tmp_path / "yesterday")
    begin_unknown(stage, 0)
    renew(stage)
    go_back(stage, tmp_path / "yesterday")
    since = stage.clock.now() - timedelta(days=31)
    reports = [reconciling.run(stage.parts, stage.shop.site_id, since, at_once=1) for _ in range(2)]
    assert [(report.adopted, report.unread) for report in reports] == [(0, 1), (1, 0)]


def test_a_refund_that_was_sent_after_the_backup_is_not_sent_again(stage: Stage, tmp_path: Path) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        make.make_refund(tx, tx.query(Payment).one(), reason="asked", created_at=stage.clock.now())
        refund = tx.query(Refund).one()
        make.make_outbox(tx, make.site_of(tx, refund), kind="send_refund", target_id=refund.id,
                         run_at=stage.clock.now())  # fmt: skip
    backup.save(stage.database, tmp_path / "yesterday")
    stage.work()
    assert stage.kept_cents() == 0
    stage.advance(hours=3)
    go_back(stage, tmp_path / "yesterday")
    stage.work()
    stage.advance(hours=1)
    assert stage.kept_cents() == 0
    truth.check(stage)


def test_a_backup_from_before_a_bounce_knows_of_it_before_anything_is_charged(
    stage: Stage, tmp_path: Path
) -> None:
    buy_and_wait(stage)
    backup.save(stage.database, tmp_path / "yesterday")
    stage.advance(hours=2)
    stage.bank(second_debit(stage), "failed", "AM04")
    stage.work()
    stage.advance(days=5, minutes=10)
    assert debits(stage) == 2
    go_back(stage, tmp_path / "yesterday")
    stage.work()
    stage.advance(minutes=20)
    assert debits(stage) == 2
    assert stage.running_debits(ANNA) == 1
    # Not the whole of it: that the second debit was told in time is what these books have lost.
    truth.money(stage)
    truth.access(stage)


def test_after_a_long_outage_mollies_books_come_first(stage: Stage) -> None:
    machine = ManualClock(stage.clock.now())
    buy_and_wait(stage)
    clock.turn(stage.parts, machine)
    machine.advance(timedelta(minutes=30))
    clock.turn(stage.parts, machine)
    assert not behind(stage), "half an hour is no outage"
    stage.sandbox.advance(timedelta(hours=3))
    machine.advance(recovery.OUTAGE + timedelta(minutes=1))
    assert clock.turn(stage.parts, machine).raised == 0
    assert behind(stage)
    stage.work()
    assert not behind(stage)
    assert debits(stage) == 1
    truth.check(stage)


def put_off_everything(stage: Stage) -> None:
    with stage.database.write() as tx:
        for row in tx.query(Outbox).filter(Outbox.done_at.is_(None)):
            row.run_at = stage.clock.now() + timedelta(days=300)


def compare(stage: Stage) -> reconciling.Report:
    return reconciling.run(stage.parts, stage.shop.site_id, stage.clock.now() - timedelta(days=31))


def test_what_nobody_told_of_is_found_and_booked(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    put_off_everything(stage)
    stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
    stage.sandbox.pump()
    stage.posted.clear()
    report = compare(stage)
    assert (report.found, report.left) == (1, ())
    assert report.comparison.ours == report.comparison.theirs
    stage.work()
    assert stage.has_access(ANNA)


def test_what_waits_to_be_looked_at_is_not_asked_for_again_at_each_look(stage: Stage) -> None:
    for email in (ANNA, BEA, "cas@example.com"):
        charge = stage.begin(email)
        stage.go_pay(charge)
        stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
    put_off_everything(stage)
    stage.sandbox.pump()
    stage.posted.clear()
    since = stage.clock.now() - timedelta(days=31)
    waiting = [reconciling.run(stage.parts, stage.shop.site_id, since, at_once=1).waiting for _ in range(2)]
    assert waiting == [2, 1]
    assert len(stage.messages()) == 2


def test_a_cent_that_nothing_explains_stays_in_the_report(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(BEA)
    others = PaymentOrder("of-another-shop", Money(1234, "EUR"), "A book", Sequence.ONEOFF, "https://x.example.com",
                          redirect_url="https://x.example.com")  # fmt: skip
    stage.bank(stage.bank_view.create_payment(KEY, others).id, "paid")
    assert compare(stage).left == ()
    with stage.database.write() as tx:
        entry = tx.query(LedgerEntry).order_by(LedgerEntry.id).first()
        assert entry is not None
        payment = tx.get_one(Payment, entry.payment_id)
        make.make_entry(tx, payment, kind=EntryKind.REFUND, amount_cents=-1)
    report = compare(stage)
    (left,) = report.left
    assert (left.mollie_id, left.ours.refunded, left.theirs.refunded) == (payment.mollie_id, 1, 0)
    assert (report.comparison.foreign, report.comparison.foreign_cents) == (1, 1234)
    with stage.database.read() as tx:
        kept = tx.query(BookCheck).order_by(BookCheck.id.desc()).first()
    assert kept is not None
    assert (kept.differs, kept.figures["lines"][0]["mollie_id"]) == (1, payment.mollie_id)
