"""What must always be true: each violation, put into the database, is found; real lives have none."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from linkpay.clock import ManualClock
from linkpay.domain.invariants import Broken
from linkpay.domain.ledger import EntryKind
from linkpay.domain.snapshots import PaymentStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import measuring
from linkpay.services.attention import items, solving
from linkpay.services.attention.kinds import KINDS
from linkpay.store import backup, journal, progress
from linkpay.store import invariants as evidence
from linkpay.store.db import Tx
from linkpay.store.tables import Attention, Charge, Consent, Grant, Mandate, Notice, Outbox, Subscription
from linkpay.store.tables.people import Access
from tests import builders as make
from tests.flows.stage import Stage
from workers import clock, invariants, jobs, sweep
from workers.invariants import Moment

ANNA = "anna@example.com"


def check(stage: Stage) -> list[str]:
    """Run the daily check to its end; the kinds of all that is open."""
    now = stage.clock.now()
    invariants.check_all(stage.parts, Moment(now, now))
    return stage.troubles()


def rounds(stage: Stage, machine_minutes: int = 0) -> int:
    """What the clock process does at a beat; how much new it finds."""
    return invariants.turn(stage.parts, stage.clock.now() + timedelta(minutes=machine_minutes))


def subscription(tx: Tx) -> Subscription:
    return tx.query(Subscription).order_by(Subscription.id).limit(1).one()


def twice(tx: Tx) -> None:
    charge = tx.query(Charge).order_by(Charge.id).limit(1).one()
    make.make_entry(tx, make.make_payment(tx, charge, status=PaymentStatus.PAID))
    charge.paid_cents += charge.amount_cents


def other_sums(tx: Tx) -> None:
    tx.query(Charge).order_by(Charge.id).limit(1).one().refunded_cents += 1


def lost(tx: Tx) -> None:
    charge = make.make_charge(tx, subscription(tx), period_index=9)
    payment = make.make_payment(tx, charge, status=PaymentStatus.PAID)
    make.make_entry(tx, payment, kind=EntryKind.REFUND)
    charge.refunded_cents = charge.amount_cents


def shut_out(tx: Tx) -> None:
    grant = tx.query(Grant).one()
    grant.wanted, grant.applied = Access.REVOKED, Access.REVOKED


def never_let_in(tx: Tx) -> None:
    tx.query(Outbox).filter(Outbox.kind.in_(("apply_grant", "review_access", "verify_grant"))).delete()
    tx.query(Grant).delete()


def let_in(tx: Tx) -> None:
    plan = make.make_plan(tx, make.make_offer(tx, make.site_of(tx, subscription(tx))))
    ended = make.make_subscription(tx, plan, state=SubscriptionState.ENDED)
    make.make_grant(tx, ended, applied=Access.GRANTED, applied_version=1, wanted_at=ended.created_at)


def not_applied(tx: Tx) -> None:
    tx.query(Grant).one().version += 1


def parked(tx: Tx) -> None:
    make.make_outbox(tx, make.site_of(tx, subscription(tx)), kind="turn", parked_at=make.NOW)


def overdue(tx: Tx) -> None:
    make.make_outbox(tx, make.site_of(tx, subscription(tx)), kind="turn", run_at=subscription(tx).created_at)


def debit(tx: Tx, **values: Any) -> None:
    held = subscription(tx)
    charge = make.make_charge(tx, held, period_index=1)
    make.make_payment(tx, charge, status=PaymentStatus.PENDING, key_used_at=held.created_at, **values)


def strange_mandate(tx: Tx) -> None:
    other = make.make_customer(tx, make.site_of(tx, subscription(tx)))
    debit(tx, mandate_id=make.make_mandate(tx, other).id)


def refused_mandate(tx: Tx) -> None:
    debit(tx)
    mandate = tx.get_one(Mandate, subscription(tx).mandate_id)
    mandate.unusable_at = subscription(tx).created_at - timedelta(days=1)


def no_consent(tx: Tx) -> None:
    debit(tx)
    tx.query(Notice).delete()
    tx.query(Consent).delete()


def untold(tx: Tx) -> None:
    debit(tx)
    tx.query(Notice).update({Notice.amount_cents: 100})


def ended(tx: Tx) -> None:
    debit(tx)
    held = subscription(tx)
    held.state, held.ended_at = SubscriptionState.ENDED, held.created_at - timedelta(days=1)


def cancelled(tx: Tx) -> None:
    held = subscription(tx)
    held.cancel_on, held.cancel_asked_at = held.anchor_on, held.created_at - timedelta(days=1)
    held.state = SubscriptionState.CANCELING
    debit(tx)


SEEDS: list[tuple[Callable[[Tx], None], Broken]] = [
    (twice, Broken.KEPT_TOO_MUCH),
    (other_sums, Broken.SUMS_DIFFER),
    (lost, Broken.UNEXPLAINED_LOSS),
    (shut_out, Broken.ACCESS_WRONG),
    (never_let_in, Broken.ACCESS_WRONG),
    (let_in, Broken.ACCESS_WRONG),
    (not_applied, Broken.ACCESS_LATE),
    (parked, Broken.UNSEEN),
    (overdue, Broken.OVERDUE),
    (strange_mandate, Broken.NO_MANDATE),
    (refused_mandate, Broken.NO_MANDATE),
    (no_consent, Broken.NO_CONSENT),
    (untold, Broken.NOT_TOLD),
    (ended, Broken.AFTER_END),
    (cancelled, Broken.AFTER_END),
]


@pytest.mark.parametrize(("seed", "broken"), SEEDS, ids=[seed.__name__ for seed, _ in SEEDS])
def test_what_is_wrong_is_found(
    make_stage: Callable[..., Stage], seed: Callable[[Tx], None], broken: Broken
) -> None:
    stage = make_stage(make.NOW)
    stage.buy(ANNA)
    stage.clock.advance(timedelta(minutes=20))
    assert check(stage) == []
    with stage.database.write() as tx:
        seed(tx)
    assert broken.value in check(stage)
    with stage.database.read() as tx:
        told = [item.happened for item in items.open_items(tx, stage.shop.site_id, "en")[0]]
    assert not any("–" in words for words in told), told


def test_a_life_with_a_bounce_and_a_chargeback_is_clean_at_every_turn(stage: Stage) -> None:
    bea = "bea@example.com"
    stage.buy(ANNA)
    stage.buy(bea, "terms")
    for day in range(0, 60, 3):
        stage.advance(days=3)
        if day == 27:
            stage.bank(stage.mollie_ids(stage.charges(bea)[1].id)[-1], "failed", "AM04")
        if day == 45:
            paid = stage.mollie_ids(stage.charges(ANNA)[1].id)[-1]
            stage.sandbox.call("POST", f"/_sandbox/payments/{paid}/chargebacks", {"reason": "MD06"})
        stage.work()
        rounds(stage)
        assert check(stage) == []
    assert {"payment_failed", "payment_taken_back", "access_ended"} <= set(stage.mail_kinds())


def test_a_round_sees_what_changed_and_nothing_else(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.clock.advance(timedelta(minutes=20))
    assert rounds(stage) == 0
    with stage.database.write() as tx:
        other_sums(tx)
    assert rounds(stage, 1) == 0, "it is not yet time"
    assert rounds(stage, 6) == 0, "a sum that was changed without a fact is for the daily check"
    with stage.database.write() as tx:
        shut_out(tx)
    stage.advance(days=29)  # her debit is raised and paid meanwhile
    assert rounds(stage, 12) > 0
    assert Broken.SUMS_DIFFER.value in stage.troubles()


def test_a_round_that_is_far_behind_goes_on_at_every_beat_and_says_so(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.pass_time(timedelta(minutes=5))
    check(stage)
    before = stage.clock.now()
    with stage.database.write() as tx:
        for _ in range(1500):
            journal.record(tx, "x", "clock", before, subscription=subscription(tx))
    for beat in range(4):
        stage.pass_time(timedelta(minutes=5) if beat == 0 else timedelta(seconds=5))
        rounds(stage)
        with stage.database.read() as tx:
            looked_at = measuring.figures(tx, stage.clock.now(), {}).checked_at["changes"]
            _, newest = evidence.newest_marks(tx)
            reached = progress.number(tx, "invariants.events")
        assert (looked_at == before) is (reached < newest) is (beat < 2)


def test_what_is_committed_after_a_later_one_is_looked_at(stage: Stage) -> None:
    """Numbers are given before they are committed."""
    stage.buy(ANNA)
    stage.pass_time(timedelta(minutes=5))
    now = stage.clock.now()
    with stage.database.write() as tx:
        journal.record(tx, "quick", "x", now, subscription=subscription(tx))
        tx.flush()
        _, quick = evidence.newest_marks(tx)
    for seconds, seen in ((1, False), (61, True)):
        stage.pass_time(timedelta(seconds=seconds))
        check(stage)
        with stage.database.read() as tx:
            assert (progress.number(tx, "invariants.events") >= quick) is seen


def test_the_operator_is_mailed_once_and_it_goes_away_by_itself(stage: Stage) -> None:
    stage.replace_part("operator_email", "nacht@example.com")
    stage.buy(ANNA)
    stage.clock.advance(timedelta(minutes=20))
    with stage.database.write() as tx:
        other_sums(tx)
    for _ in range(2):
        assert check(stage) == [Broken.SUMS_DIFFER.value]
        stage.work()
    (mail,) = [letter for letter in stage.mailer.letters if letter.to == "nacht@example.com"]
    assert "niet die van het grootboek" in mail.text
    assert "docs/operations.md" in mail.html
    with stage.database.write() as tx:
        tx.query(Charge).one().refunded_cents -= 1
    assert check(stage) == []


def test_a_check_that_breaks_holds_nothing_up(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        tx.connection().exec_driver_sql("ALTER TABLE counter RENAME TO elsewhere")
    stage.sandbox.advance(timedelta(days=28))
    assert clock.turn(stage.parts, ManualClock(stage.clock.now())).raised == 1


def test_what_a_person_set_aside_is_not_asked_again(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        other_sums(tx)
    check(stage)
    with stage.database.write() as tx:
        item = tx.query(Attention).one()
        solving.solve(tx, item.site_id, item.id, "dismiss", "owner:eva", stage.clock.now(), reason="known")
    assert check(stage) == []


def test_what_comes_and_goes_is_told_again_a_day_after_it_was_set_aside(
    make_stage: Callable[..., Stage],
) -> None:
    stage = make_stage(make.NOW)
    stage.buy(ANNA)
    stage.clock.advance(timedelta(minutes=20))
    check(stage)
    with stage.database.write() as tx:
        overdue(tx)
    assert check(stage) == [Broken.OVERDUE.value]
    with stage.database.write() as tx:
        item = tx.query(Attention).filter_by(solved_at=None).one()
        solving.solve(tx, item.site_id, item.id, "dismiss", "owner:eva", stage.clock.now(), reason="seen")
    stage.pass_time(timedelta(hours=23))
    assert Broken.OVERDUE.value not in check(stage)
    stage.pass_time(timedelta(hours=2))
    assert Broken.OVERDUE.value in check(stage)


def test_what_is_given_anew_in_turns_after_a_restore_is_late_only_when_it_stays_away(
    stage: Stage, tmp_path: Path
) -> None:
    for number in range(3):
        stage.buy(f"member{number}@example.com")
    stage.advance(days=2)
    backup.save(stage.database, tmp_path / "copy")
    backup.restore(stage.database, tmp_path / "copy", stage.clock.now(), stage.clock.now())
    sweep.turn(stage.parts)
    jobs.run(stage.parts, "outbox", stage.jobs("catch_up")[0].id)
    assert check(stage) == []
    with stage.database.read() as tx:
        assert measuring.figures(tx, stage.clock.now(), {}).grants_behind == 0
    stage.disturb("status:503", target="kajabi", count=1000)
    stage.advance(minutes=10)
    assert check(stage) == []
    stage.advance(minutes=6)
    assert check(stage) == [Broken.ACCESS_LATE.value] * 3
    with stage.database.read() as tx:
        assert measuring.figures(tx, stage.clock.now(), {}).grants_behind == 3


def test_every_kind_of_finding_has_words() -> None:
    assert {kind.value for kind in Broken} <= KINDS.keys()
