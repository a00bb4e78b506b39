"""Collecting month after month through lost answers, pauses, rivals, dead schedulers and revoked mandates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from linkpay.clock import ManualClock
from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import OutcomeUnknown
from linkpay.ports import PaymentOrder
from linkpay.services import abreast, billing
from linkpay.store.db import Tx
from linkpay.store.tables import Subscription
from tests.flows import truth
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.weather import at_once, run_at_once
from workers import jobs, sweep

ANNA = "anna@example.com"
MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def evening_before(stage: Stage, plan: str = "monthly") -> None:
    """Bought, and the second period begins in an hour and a half."""
    stage.buy(ANNA, plan)
    stage.advance(days=27, hours=12)


def reach_debit(stage: Stage) -> str:
    """Until the second month's debit runs; its id at Mollie."""
    evening_before(stage)
    stage.advance(hours=2)
    (debit,) = stage.mollie_ids(stage.charges(ANNA)[1].id)
    return debit


def debits(stage: Stage) -> int:
    """How many debits Mollie holds."""
    return sum(p.sequence.value == "recurring" for p in stage.bank_view.list_payments(KEY, limit=1000))


def midnight(stage: Stage) -> None:
    """The second period begins, and what is due is done once, whatever becomes of it."""
    stage.clock.advance(2 * HOURS)
    stage.work()


def one_debit_paid(stage: Stage) -> None:
    stage.advance(days=9)
    assert debits(stage) == 1
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 2
    assert stage.has_access(ANNA)
    truth.check(stage)


# The answer of Mollie (13-16, 18) ------------------------------------------------------------------

LOST = ["timeout_before", "timeout_after", "reset_before", "reset_after", "accepted_202", "html",
        "html_after", "status:500", "status:502", "status:503", "status:429"]  # fmt: skip


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_answer_leads_to_one_debit(stage: Stage, kind: str, times: int) -> None:
    evening_before(stage)
    stage.disturb(kind, match="/v2/payments", count=times)
    midnight(stage)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING
    assert stage.has_access(ANNA)
    stage.advance(minutes=15)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
    one_debit_paid(stage)


@pytest.mark.parametrize("kind", ["timeout_after", "timeout_before"])
def test_down_for_two_hours_after_a_lost_answer_looks_first(stage: Stage, kind: str) -> None:
    evening_before(stage)
    stage.disturb(kind, match="/v2/payments")
    midnight(stage)
    stage.sandbox.advance(2 * HOURS)
    one_debit_paid(stage)


def test_a_request_that_arrives_when_we_gave_it_up_is_adopted(stage: Stage) -> None:
    evening_before(stage)
    kept: list[PaymentOrder] = []

    class Slow:
        """A network that holds every request to pay for most of an hour, and then lets the first one go."""

        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        def create_payment(self, _key: str, order: PaymentOrder) -> object:
            kept.append(order)
            raise OutcomeUnknown("no answer")

    inner = stage.parts.payments
    stage.replace_part("payments", Slow())
    midnight(stage)
    stage.advance(minutes=49)
    assert len({order.idempotency_key for order in kept}) == 1
    inner.create_payment(KEY, kept[0])
    stage.replace_part("payments", inner)
    one_debit_paid(stage)


@pytest.mark.parametrize("status", ["paid", "failed", "pending"])
def test_an_adopted_debit_is_taken_with_whatever_status_it_has(stage: Stage, status: str) -> None:
    evening_before(stage)
    stage.disturb("timeout_after", match="/v2/payments")
    stage.disturb("status:503", match="/v2/payments", count=100)
    midnight(stage)
    debit = stage.newest_at_mollie()
    stage.deliveries = lambda told: []
    if status != "pending":
        stage.bank(debit, status)
    stage.sandbox.advance(50 * MINUTES)
    stage.calm()
    stage.advance(hours=1)
    assert stage.mollie_ids(stage.charges(ANNA)[1].id) == [debit]
    expected = {"paid": ChargeState.PAID, "failed": ChargeState.FAILED, "pending": ChargeState.COLLECTING}
    assert stage.charges(ANNA)[1].state is expected[status]
    truth.check(stage)


def test_a_search_in_which_mollie_does_not_know_its_own_customer_is_repeated(stage: Stage) -> None:
    evening_before(stage)
    stage.disturb("timeout_after", match="/v2/payments")
    stage.disturb("status:503", match="/v2/payments", count=1_000)
    midnight(stage)
    stage.deliveries = lambda told: []
    stage.sandbox.advance(50 * MINUTES)
    stage.calm()
    stage.disturb("not_found_once", match="/v2/customers", count=10_000)
    stage.advance(hours=3)
    assert stage.mollie_ids(stage.charges(ANNA)[1].id) == []
    stage.calm()
    one_debit_paid(stage)


def pause(stage: Stage, minutes: int) -> Callable[[], None]:
    return lambda: stage.pass_time(minutes * MINUTES)


def test_a_worker_that_slept_between_claim_and_send_sends_nothing(stage: Stage) -> None:
    evening_before(stage)
    stage.clock.advance(2 * HOURS)
    sweep.turn(stage.parts)
    (row,) = [row for row in stage.due() if row[0] == "outbox"]
    stage.boundaries.after_commits(1, pause(stage, 20))
    jobs.run(stage.parts, *row)
    assert debits(stage) == 0
    one_debit_paid(stage)


def test_a_worker_that_slept_while_another_sent_changes_nothing(stage: Stage) -> None:
    evening_before(stage)
    stage.clock.advance(2 * HOURS)
    sweep.turn(stage.parts)
    (row,) = [row for row in stage.due() if row[0] == "outbox"]

    def another() -> None:
        stage.pass_time(20 * MINUTES)
        jobs.run(stage.parts, *row)

    stage.boundaries.after_commits(1, another)
    jobs.run(stage.parts, *row)
    assert debits(stage) == 1
    one_debit_paid(stage)


# Who asks, and how often (19-21) --------------------------------------------------------------------


@pytest.mark.races
def test_four_billers_and_workers_at_the_same_instant_debit_once(stage: Stage) -> None:
    evening_before(stage)
    stage.clock.advance(2 * HOURS)
    now = stage.clock.now()
    at_once([lambda: billing.run(stage.database, now)] * 4)
    assert len(stage.charges(ANNA)) == 2
    rows = [row for row in stage.due() if row[0] == "outbox"]
    run_at_once(stage, rows * 4)
    assert debits(stage) == 1
    one_debit_paid(stage)


def test_a_run_that_is_cut_short_goes_on_behind_the_last_it_raised(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abreast, "AT_ONCE", 1)
    emails = [f"m{number}@example.com" for number in range(3)]
    for email in emails:
        stage.buy(email)
    stage.clock.advance(28 * DAYS)
    shift, now = billing.Shift(goes_on=lambda: False), stage.clock.now()
    for number in range(1, 4):
        assert billing.run(stage.database, now, shift) == 1
        assert [len(stage.charges(email)) for email in emails] == [2] * number + [1] * (3 - number)
    assert billing.run(stage.database, now, shift) == 0
    assert shift.after is None, "the next run begins anew"


def test_one_of_whom_a_row_is_missing_keeps_nobody_else_from_being_billed(stage: Stage) -> None:
    emails = [f"{name}@example.com" for name in ("anna", "bea", "cas", "dirk")]
    ids = []
    for email in emails:
        stage.buy(email)
        ids.append(stage.subscription(email).id)

    def bill(tx: Tx, subscription_id: int) -> bool:
        tx.get_one(Subscription, subscription_id if subscription_id != ids[1] else 0)
        return True

    assert abreast.done(stage.database, ids, bill) == 3


def test_one_whom_the_database_refuses_keeps_nobody_else_from_being_billed(stage: Stage) -> None:
    if not stage.database.is_sqlite:
        pytest.skip("the refusal is a trigger of SQLite")
    emails = [f"{name}@example.com" for name in ("anna", "bea", "cas", "dirk")]
    for email in emails:
        stage.buy(email)
    with stage.database.write() as tx:  # for any rule that one row breaks
        tx.execute(
            text(
                "CREATE TRIGGER refuses BEFORE INSERT ON charge WHEN NEW.subscription_id = 1"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
    stage.sandbox.advance(timedelta(days=28))
    stage.work()
    assert [len(stage.charges(email)) for email in emails] == [1, 2, 2, 2]


def test_the_sweep_may_run_again_and_again_and_the_clock_may_go_back(stage: Stage) -> None:
    evening_before(stage)
    stage.clock.advance(2 * HOURS)
    for back in (0, 1, 2):
        again = ManualClock(stage.clock.now() - back * HOURS)
        stage.replace_part("clock", again)
        for _ in range(3):
            sweep.turn(stage.parts)
    stage.replace_part("clock", stage.clock)
    one_debit_paid(stage)


def kept_in(stage: Stage) -> None:
    assert stage.running_debits(ANNA) <= 1
    assert stage.has_access(ANNA), stage.clock.now()


@pytest.mark.parametrize(("dead_days", "let_go", "missed"), [(3, 0, 1), (40, 0, 2), (100, 1, 3)])
def test_a_dead_scheduler_is_caught_up_with_one_period_at_a_time(
    stage: Stage, dead_days: int, let_go: int, missed: int
) -> None:
    evening_before(stage)
    stage.sandbox.advance(dead_days * DAYS)
    for _ in range(30):
        stage.advance_to(stage.clock.now() + DAYS, kept_in)
        if debits(stage) == missed and stage.running_debits(ANNA) == 0:
            break
    states = [charge.state for charge in stage.charges(ANNA)]
    assert states == [
        ChargeState.PAID,
        *[ChargeState.WRITTEN_OFF] * let_go,
        *[ChargeState.PAID] * missed,
    ]
    days = sorted(p.created_at for p in stage.bank_view_list() if p.sequence.value == "recurring")
    assert all(later - earlier >= DAYS for earlier, later in pairwise(days))
    assert "access_ended" not in stage.mail_kinds()
    truth.check(stage)


def test_what_was_missed_beyond_the_policy_is_written_off_and_shown(stage: Stage) -> None:
    evening_before(stage)
    stage.sandbox.advance(165 * DAYS)
    stage.advance(days=25)
    states = [charge.state for charge in stage.charges(ANNA)][:7]
    assert states == [ChargeState.PAID] + [ChargeState.WRITTEN_OFF] * 3 + [ChargeState.PAID] * 3
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_missed_terms_of_a_course_are_never_written_off(stage: Stage) -> None:
    evening_before(stage, "terms")
    stage.sandbox.advance(400 * DAYS)
    stage.advance(days=25)
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 3
    assert stage.subscription(ANNA).state is SubscriptionState.COMPLETED
    truth.check(stage)


# Days (22, 23) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bought_at", "days"),
    [
        ("2026-01-29T10:00", ["01-29", "02-28", "03-29", "04-29", "05-29"]),
        ("2026-01-30T10:00", ["01-30", "02-28", "03-30", "04-30", "05-30"]),
        ("2026-01-31T10:00", ["01-31", "02-28", "03-31", "04-30", "05-31"]),
        ("2028-01-31T10:00", ["01-31", "02-29", "03-31", "04-30", "05-31"]),
        # Half past eleven in the evening in London is the next day in Amsterdam.
        ("2026-01-30T23:30", ["01-31", "02-28", "03-31", "04-30", "05-31"]),
    ],
)
def test_the_day_of_the_month_survives_short_months(
    make_stage: Callable[..., Stage], bought_at: str, days: list[str]
) -> None:
    stage = make_stage(datetime.fromisoformat(bought_at).replace(tzinfo=UTC))
    stage.buy(ANNA)
    stage.advance(days=125)
    assert [str(charge.starts_on)[5:] for charge in stage.charges(ANNA)] == days
    assert all(charge.state is ChargeState.PAID for charge in stage.charges(ANNA))
    truth.check(stage)


@pytest.mark.parametrize(
    ("bought_at", "second_day"),
    [
        # On 29 March 2026 02:30 does not exist in Amsterdam, on 25 October it comes twice.
        ("2026-02-28T01:30", datetime(2026, 3, 27, 23, tzinfo=UTC)),
        ("2026-03-29T01:30", datetime(2026, 4, 28, 22, tzinfo=UTC)),
        ("2026-09-25T00:30", datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("2026-10-25T00:30", datetime(2026, 11, 24, 23, tzinfo=UTC)),
        ("2026-10-25T01:30", datetime(2026, 11, 24, 23, tzinfo=UTC)),
    ],
)
def test_a_period_begins_at_midnight_in_amsterdam_in_summer_and_winter(
    make_stage: Callable[..., Stage], bought_at: str, second_day: datetime
) -> None:
    stage = make_stage(datetime.fromisoformat(bought_at).replace(tzinfo=UTC))
    stage.buy(ANNA)
    stage.advance_to(second_day - timedelta(seconds=1))
    assert len(stage.charges(ANNA)) == 1
    stage.advance_to(second_day)
    assert len(stage.charges(ANNA)) == 2
    assert stage.has_access(ANNA)
