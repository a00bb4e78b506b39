"""We were down for a day, three days, forty: what was missed is made up for, and costs nobody her access."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import membership
from linkpay.store.tables import Mail, Site
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, DAYS, debits, evening_before, kept_in, reach_debit
from tests.flows.test_dunning import bounce, bounce_from_now_on

Rows = list[tuple[str, int]]


def as_due(rows: Rows) -> Sequence[tuple[str, int]]:
    """What is due first is done first."""
    return rows


def last_first(rows: Rows) -> Sequence[tuple[str, int]]:
    """What waited longest is done last."""
    return list(reversed(rows))


ORDERS = pytest.mark.parametrize("order", [as_due, last_first])


def be_down(stage: Stage, days: int, *, hears: bool = True) -> None:
    """Nothing of ours runs for so long; what Mollie posts meanwhile is lost where we do not hear of it."""
    stage.sandbox.advance(days * DAYS)
    if not hears:
        stage.posted.clear()


def live_on(stage: Stage, days: int, check: Callable[[Stage], None]) -> None:
    """Some days, looked at after every moment at which anything happens."""
    stage.advance_to(stage.clock.now() + days * DAYS, check)


def told(stage: Stage) -> list[Mail]:
    """The mails about catching up."""
    with stage.database.read() as tx:
        return tx.query(Mail).filter_by(kind="caught_up").order_by(Mail.id).all()


def apart(stage: Stage) -> None:
    days = sorted(p.created_at for p in stage.bank_view_list() if p.sequence.value == "recurring")
    assert all(later - earlier >= DAYS for earlier, later in pairwise(days))


@dataclass(frozen=True)
class Gap:
    """How long a plan was not charged, and what comes of its periods."""

    plan: str
    days_down: int
    collected: int
    let_go: int = 0
    mails: int = 1


@ORDERS
@pytest.mark.parametrize(
    "gap",
    [
        Gap("monthly", 1, collected=1, mails=0),
        Gap("monthly", 3, collected=1),
        Gap("monthly", 40, collected=2),
        Gap("weekly", 1, collected=1, mails=0),
        Gap("weekly", 3, collected=1),
        Gap("weekly", 40, collected=3, let_go=3),
    ],
    ids=lambda gap: f"{gap.plan} {gap.days_down} days",
)
def test_what_was_missed_is_collected_one_at_a_time_and_told_once(
    stage: Stage, gap: Gap, order: Callable[[Rows], Sequence[tuple[str, int]]]
) -> None:
    stage.buy(ANNA, gap.plan)
    stage.advance_to(datetime(2026, 2, 27 if gap.plan == "monthly" else 6, 21, 30, tzinfo=UTC))
    stage.order = order
    be_down(stage, gap.days_down)
    live_on(stage, 21, kept_in)
    missed = [charge.state for charge in stage.charges(ANNA)[1 : 1 + gap.collected + gap.let_go]]
    assert missed == [ChargeState.WRITTEN_OFF] * gap.let_go + [ChargeState.PAID] * gap.collected
    assert len(told(stage)) == gap.mails
    for mail in told(stage):
        assert (len(mail.data["collected"]), len(mail.data["let_go"])) == (gap.collected, gap.let_go)
    apart(stage)
    assert "access_ended" not in stage.mail_kinds()
    truth.check(stage)


def test_the_mail_says_what_is_collected_when_and_what_not(stage: Stage) -> None:
    stage.buy(ANNA, "weekly")
    stage.advance_to(datetime(2026, 2, 6, 21, 30, tzinfo=UTC))
    be_down(stage, 40)
    stage.work()
    text = next(letter.text for letter in stage.mailer.letters if "halen iets in" in letter.subject)
    assert "- 7 februari 2026 – 13 februari 2026: vervalt" in text
    assert "- 28 februari 2026 – 6 maart 2026: 20 maart 2026" in text
    assert "- 7 maart 2026 – 13 maart 2026: 21 maart 2026" in text
    assert "je toegang is gewoon gebleven" in text
    assert "- Datum: 20 maart 2026" in text


def test_a_bounce_in_the_middle_of_catching_up_is_helped_before_the_next_is_collected(stage: Stage) -> None:
    evening_before(stage)
    be_down(stage, 40)
    stage.work()
    stage.advance(days=2)  # the new day is told first
    bounce_from_now_on(stage, count=1)
    with_it = stage.mollie_ids(stage.charges(ANNA)[1].id)[0]
    stage.bank(with_it, "failed", "AM04")
    live_on(stage, 20, kept_in)
    assert [charge.state for charge in stage.charges(ANNA)[1:3]] == [ChargeState.PAID] * 2
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 3
    assert len(told(stage)) == 1
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


@ORDERS
def test_a_debit_that_ran_when_we_went_down_keeps_its_member_in(
    stage: Stage, order: Callable[[Rows], Sequence[tuple[str, int]]]
) -> None:
    reach_debit(stage)
    stage.order = order
    be_down(stage, 40, hears=False)
    live_on(stage, 14, kept_in)
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 3
    truth.check(stage)


@ORDERS
@pytest.mark.parametrize(("before", "down", "left"), [(9, 10, 5), (9, 40, 5), (1, 40, 13), (13, 3, 1)])
def test_grace_that_ended_while_we_were_down_goes_on_where_it_stopped(
    stage: Stage, before: int, down: int, left: int, order: Callable[[Rows], Sequence[tuple[str, int]]]
) -> None:
    """She could not pay, and no help was sent: the days that we were down do not count."""
    bounce(stage, "MD01")
    stage.advance(days=before)
    mails = stage.mail_kinds().count("mandate_needed")
    stage.order = order
    be_down(stage, down)
    stage.work()
    live_on(stage, left - 1, kept_in)
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.mail_kinds().count("mandate_needed") - mails <= 2, (
        "help comes in its own time, not all at once"
    )
    stage.advance(days=2)
    assert not stage.has_access(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert stage.mail_kinds().count("mandate_needed") == 3, "no help was left out"
    truth.check(stage)


def test_tries_that_were_missed_are_not_made_all_at_once(stage: Stage) -> None:
    bounce(stage)
    bounce_from_now_on(stage)
    be_down(stage, 40)
    stage.work()
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
    stage.advance(days=2)  # the new day is told first
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 2
    stage.advance(hours=12)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 2
    stage.advance(days=4)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 3
    apart(stage)


def test_who_pays_late_herself_is_not_told_of_a_failure_of_ours(stage: Stage) -> None:
    stage.buy(ANNA, "weekly")
    stage.advance(days=7)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "MD01")
    stage.advance(days=9)
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=6)
    assert len(stage.charges(ANNA)) > 2
    assert told(stage) == []


def test_a_second_failure_of_ours_is_told_of_again(stage: Stage) -> None:
    evening_before(stage)
    be_down(stage, 3)
    stage.advance(days=27)
    be_down(stage, 5)
    stage.advance(days=7)
    assert len(told(stage)) == 2
    truth.check(stage)


def test_a_course_is_owed_whole_and_caught_up_with_like_anything_else(stage: Stage) -> None:
    evening_before(stage, "terms")
    be_down(stage, 70)
    stage.advance(days=14)
    assert stage.subscription(ANNA).state is SubscriptionState.COMPLETED
    (mail,) = told(stage)
    assert (len(mail.data["collected"]), mail.data["let_go"]) == (2, [])
    assert debits(stage) == 2
    truth.check(stage)


def test_who_has_cancelled_is_not_kept_in_by_our_failure(stage: Stage) -> None:
    reach_debit(stage)
    stage.advance(days=9)
    with stage.database.write() as tx:
        membership.cancel(
            tx, stage.subscription(ANNA).id, mode=CancelMode.PERIOD_END, on=None, reason="", actor="member",
            now=stage.clock.now(),
        )  # fmt: skip
    be_down(stage, 40)
    stage.work()
    assert not stage.has_access(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert told(stage) == []
    truth.check(stage)


def test_a_site_whose_key_is_refused_is_not_taken_for_a_failure_of_ours(stage: Stage) -> None:
    """The owner has to mend it; until then access lasts as the policy says, and no longer."""
    evening_before(stage)
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).halted_at = stage.clock.now()
    stage.stop_watching()
    stage.advance(days=7)
    assert stage.has_access(ANNA)
    stage.advance(days=2)
    assert not stage.has_access(ANNA)


def test_a_minute_late_is_not_late(stage: Stage) -> None:
    bounce(stage, "MD01")
    stage.advance(days=13, hours=23)
    stage.pass_time(timedelta(hours=1, minutes=30))
    stage.work()
    assert not stage.has_access(ANNA)
