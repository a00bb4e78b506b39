"""Scenarios that no other test shows yet: messages at bad moments, and a decision taken back in the last second."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from linkpay.domain.calendar import day_starts_at
from linkpay.domain.snapshots import PaymentSnapshot, PaymentStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, OutcomeUnknown, Permanent
from linkpay.ports import PaymentOrder
from linkpay.services import membership, settlement
from linkpay.store import charges
from linkpay.store.db import Database
from linkpay.store.tables import Inbox, LedgerEntry
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.plans import cancel
from tests.flows.stage import Stage
from tests.flows.weather import at_once
from tests.web.visitor import Visitor
from workers import jobs, sweep

ANNA = "anna@example.com"


@pytest.mark.parametrize("minutes", [0, 3, 6, 11, 16, 26])
def test_S03_a_webhook_lost_at_any_minute_is_found_within_six(stage: Stage, minutes: int) -> None:
    stage.deliveries = lambda _posted: []
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    (payment,) = stage.mollie_ids(charge.id)
    stage.sandbox.world.books.payments.rows[payment].expires_at = None
    for timer in list(stage.sandbox.world.books.timers):
        if timer.ref == payment:  # as long as the slowest method lets a buyer take
            stage.sandbox.world.books.timers.drop(timer)
    stage.advance(minutes=minutes)
    stage.bank(payment, "paid")
    stage.advance(minutes=6)
    assert stage.has_access(ANNA)


def test_S06_webhook_and_returning_buyer_at_once_book_once(stage: Stage, visitor: Visitor) -> None:
    visitor.order()
    subscription = stage.subscription(ANNA)
    (payment,) = stage.mollie_ids(stage.charges(ANNA)[0].id)
    stage.bank(payment, "paid")
    stage.deliver()
    rows = stage.due()
    page = f"/studio/order/{subscription.token}"
    at_once(
        [lambda: visitor.client.application.test_client().get(page)] * 3
        + [lambda row=row: jobs.run(stage.parts, *row) for row in rows]  # type: ignore[misc]
    )
    stage.work()
    with stage.database.read() as tx:
        assert tx.query(LedgerEntry).count() == 1
    assert stage.mail_kinds().count("access_open") == 1
    truth.check(stage)


def test_S12_an_old_view_that_is_booked_late_undoes_nothing(stage: Stage) -> None:
    """The debit was paid, looked at, and bounced; whoever looked books what she saw only now."""
    stage.buy(ANNA)
    stage.advance(days=28)
    charge = stage.charges(ANNA)[1]
    (debit,) = stage.mollie_ids(charge.id)
    stage.bank(debit, "paid")
    stage.work()
    old = stage.bank_view.fetch_payment(KEY, debit)
    stage.advance(hours=1)
    stage.bank(debit, "failed", "AM04")
    stage.work()
    with stage.database.write() as tx:
        (payment,) = charges.payments(tx, charge.id)
        settlement.settle(tx, payment.id, settlement.Sighting(old, None, "worker"), stage.clock.now())
    with stage.database.read() as tx:
        (payment,) = charges.payments(tx, charge.id)
    assert payment.status is PaymentStatus.FAILED
    assert stage.charges(ANNA)[1].failed_at is not None
    truth.check(stage)


class _RefusesRepeats:
    """A Mollie that does what it is asked, loses the answer, and refuses when it is asked again."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.asked = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create_payment(self, key: str, order: PaymentOrder) -> PaymentSnapshot:
        self.asked += 1
        if self.asked == 1:
            self._inner.create_payment(key, order)
            raise OutcomeUnknown("no answer")
        raise Permanent("The mandate is invalid", status=422)


def test_S14_a_refusal_after_a_lost_answer_is_not_believed(stage: Stage) -> None:
    """The mandate went between the two tries: the debit that was made is found, booked and kept."""
    stage.buy(ANNA)
    stage.stop_watching()
    stage.deliveries = lambda _posted: []
    mollie = _RefusesRepeats(stage.parts.payments)
    stage.replace_part("payments", mollie)
    stage.advance(days=28, minutes=5)
    assert mollie.asked == 2
    (debit,) = stage.mollie_ids(stage.charges(ANNA)[1].id)
    assert stage.status(debit) == "pending"
    assert stage.charges(ANNA)[1].failed_at is None


@contextmanager
def _held(database: Database) -> Iterator[None]:
    """Somebody else writes and does not end."""
    if database.is_sqlite:
        holder = sqlite3.connect(database.url.database or "", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.close()
        return
    with database.engine.connect() as connection:
        connection.execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
        yield


def test_S07_while_the_database_is_held_nothing_is_acknowledged_that_is_not_kept(
    stage: Stage, visitor: Visitor
) -> None:
    address = f"/webhooks/mollie/{stage.shop.token}"
    with _held(stage.database):
        started = time.monotonic()
        answer = visitor.client.post(address, data={"id": "tr_heldback"})
        took = time.monotonic() - started
    assert stage.messages() == []
    if stage.database.is_sqlite:
        assert answer.status_code == 200  # it is on the disk, beside the database
    else:
        assert answer.status_code == 503
        assert took < 10  # Mollie waits for 15 s; PostgreSQL's own limit for a lock is 8 s
        assert visitor.client.post(address, data={"id": "tr_heldback"}).status_code == 200
    sweep.turn(stage.parts)
    assert [message.ref for message in stage.messages()] == ["tr_heldback"]


def test_S46_undone_at_the_last_moment_exactly_one_of_both_holds(stage: Stage) -> None:
    stage.buy(ANNA)
    leaving = cancel(stage, ANNA)
    stage.advance_to(day_starts_at(leaving.ends_on, "Europe/Amsterdam") - timedelta(seconds=1))
    held = stage.subscription(ANNA)
    refused: list[Conflict] = []

    def undo() -> None:
        try:
            with stage.database.write() as tx:
                membership.undo_cancel(tx, held.id, "member", stage.clock.now())
        except Conflict as conflict:
            refused.append(conflict)

    def turn() -> None:
        sweep.turn(stage.parts)
        for row in stage.due():
            jobs.run(stage.parts, *row)

    stage.clock.advance(timedelta(seconds=1))
    at_once([undo, turn, turn])
    stage.advance(hours=1)
    now = stage.subscription(ANNA)
    if refused:
        assert now.state is SubscriptionState.ENDED
        assert not stage.has_access(ANNA)
        assert len(stage.charges(ANNA)) == 1
    else:
        assert now.state is SubscriptionState.ACTIVE
        assert stage.has_access(ANNA)
        assert len(stage.charges(ANNA)) == 2


def test_S55_one_member_who_cannot_be_billed_keeps_nobody_else_from_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    others = [f"{name}@example.com" for name in ("bea", "cas", "dirk")]
    for email in (ANNA, *others):
        stage.buy(email)
    with stage.database.write() as tx:  # what no code of ours would leave
        tx.execute(text("UPDATE subscription SET anchor_on = NULL WHERE id = 1"))
    stage.sandbox.advance(timedelta(days=28))
    stage.work()
    for email in others:
        assert [charge.period for charge in stage.charges(email)] == [0, 1]
    assert "subscription left out" in caplog.text
    assert len(stage.charges(ANNA)) == 1


def test_S46_called_off_before_it_was_paid_nothing_begins(stage: Stage) -> None:
    """She presses pay, calls the whole thing off, and the bank's yes comes after that."""
    stage.go_pay(stage.begin(ANNA))
    cancel(stage, ANNA)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[0].id)[0], "paid")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert stage.troubles() == ["late_paid"]
    stage.advance(days=40)
    assert not stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == 1
    truth.check(stage, troubles=1)


def test_S51_a_full_disk_acknowledges_nothing(stage: Stage, visitor: Visitor) -> None:
    engine = stage.database.engine
    if not stage.database.is_sqlite:
        pytest.skip("a server's disk is its own")
    with stage.database.read() as tx:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()

    def fill(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    event.listen(engine, "connect", fill)
    engine.dispose()
    body = b'{"id": "' + b"x" * 30_000 + b'"}'
    address = f"/webhooks/kajabi/{stage.shop.token}"
    answers = [
        visitor.client.post(address, data=body, content_type="application/json").status_code for _ in range(6)
    ]
    assert set(answers) == {200, 503}
    event.remove(engine, "connect", fill)
    engine.dispose()
    with stage.database.read() as tx:
        assert tx.query(Inbox).count() == answers.count(200)
    assert visitor.client.post(address, data=body, content_type="application/json").status_code == 200
