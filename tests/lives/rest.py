"""What must be true at the end of a life, after sixty days on which nobody did anything but pay debits.

Left out: what a suspended member never pays (she is out, and is asked for nothing until she comes), and why
somebody is in while she is past due (grace may be given, and given again).
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from linkpay.domain.charge import UNSETTLED, ChargeState
from linkpay.domain.invariants import Broken
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.store import charges, people
from linkpay.store.db import Tx
from linkpay.store.tables import Attention, Charge, Gift, Outbox, Subscription
from tests.flows import test_invariants
from tests.lives.judge import Wrong, safe
from tests.lives.living import Living

S, C = SubscriptionState, ChargeState
_BROKEN = frozenset(broken.value for broken in Broken)
_GOING_ON = (S.ACTIVE, S.TRIALING)
_FEW_DAYS = timedelta(days=3)


def right(life: Living) -> None:
    """At the end. Raises an AssertionError."""
    safe(life)
    test_invariants.check(life.stage)
    with life.stage.database.read() as tx:
        found = [*_overdue(tx, life), *_found_by_linkpay(tx)]
        for email in life.people:
            found += _stands(tx, life, email)
    if found:
        raise Wrong("; ".join(found))


def _found_by_linkpay(tx: Tx) -> Iterator[str]:
    """What the checks find that run in production."""
    for item in tx.query(Attention).filter_by(solved_at=None):
        if item.kind in _BROKEN:
            yield f"LinkPay itself finds {item.kind} of {item.subject}: {item.detail}"


def _overdue(tx: Tx, life: Living) -> Iterator[str]:
    late = life.stage.clock.now() - timedelta(minutes=10)
    waiting = tx.query(Outbox).filter(Outbox.done_at.is_(None), Outbox.run_at < late).all()
    yield from (f"{row.kind} {row.target_id} is overdue" for row in waiting)


def _stands(tx: Tx, life: Living, email: str) -> Iterator[str]:
    member = people.by_email(tx, life.stage.shop.site_id, email)
    if member is None:
        return
    today, inside = life.today(), life.stage.has_access(email)
    held = tx.query(Subscription).filter_by(member_id=member.id).order_by(Subscription.id).all()
    made = {one.id: _charges(tx, one) for one in held}
    for one in held:
        yield from _is_charged(one, made[one.id], today)
        yield from _nothing_is_stuck(tx, one, made[one.id])
        if one.state in _GOING_ON and not inside and member.blocked_at is None:
            yield from _is_let_in(one, made[one.id], today)
    presents = tx.query(Gift).filter_by(member_id=member.id, taken_back_at=None)
    given = any(gift.until is None or gift.until > today for gift in presents)
    if inside and not given and not any(_lets_in(life, one, made[one.id]) for one in held):
        yield f"{email} is in for nothing: {[one.state.value for one in held]}"
    if inside and member.blocked_at is not None:
        yield f"{email} is blocked, and in"


def _charges(tx: Tx, held: Subscription) -> list[Charge]:
    return [charge for charge in charges.of_subscription(tx, held.id) if not charge.is_check]


def _now(made: Sequence[Charge], today: date) -> list[Charge]:
    return [charge for charge in made if charge.starts_on <= today < charge.ends_on]


def _lets_in(life: Living, held: Subscription, made: Sequence[Charge]) -> bool:
    """Whether anything of this subscription may be why she is in."""
    if held.state in (S.COMPLETED, S.PAST_DUE) or (held.state is S.PAUSED and held.pause_keeps_access):
        return True
    today, now = life.today(), life.stage.clock.now()
    paid = any(one.money.owed_cents == 0 or one.state is C.COLLECTING for one in _now(made, today))
    return paid or any(one.starts_on <= today and one.grace_until and one.grace_until > now for one in made)


def _is_let_in(held: Subscription, made: Sequence[Charge], today: date) -> Iterator[str]:
    """Unless all of it went back, or her debit runs where policy waits for that."""
    if not any(one.refunded_cents or one.state is C.COLLECTING for one in _now(made, today)):
        yield f"subscription {held.id} is {held.state.value}, and she is out"


def _is_charged(held: Subscription, made: Sequence[Charge], today: date) -> Iterator[str]:
    """What runs is charged when its day comes, and ends when its last day is over."""
    name = f"subscription {held.id} ({held.state.value})"
    if held.state in LIVE and held.cancel_on and held.cancel_on < today:
        yield f"{name} should have ended on {held.cancel_on}"
    if held.state in (S.PAST_DUE, S.SUSPENDED) and not any(_is_owed(one) for one in made):
        yield f"{name} owes nothing"
    due_on = held.next_charge_on
    if held.state in (*_GOING_ON, S.CANCELING) and due_on is not None and due_on <= today:
        told_later = held.not_before_on is not None and held.not_before_on > today
        just_raised = held.last_raised_on is not None and held.last_raised_on >= today - _FEW_DAYS
        owes = any(one.state in UNSETTLED for one in made)
        leaves_first = held.cancel_on is not None and held.cancel_on <= due_on
        if not (told_later or just_raised or owes or leaves_first):
            yield f"{name} was due on {due_on} and is not charged"
    if held.state is S.ACTIVE and held.kind is PlanKind.MEMBERSHIP and due_on is not None and due_on > today:
        pauses = held.pause_on is not None and held.pause_on <= today
        if not pauses and not _now(made, today):
            yield f"{name} is charged for {due_on} next, and not for today"


def _is_owed(charge: Charge) -> bool:
    return charge.state in UNSETTLED and charge.asked_cents > 0


def _nothing_is_stuck(tx: Tx, held: Subscription, made: Sequence[Charge]) -> Iterator[str]:
    """For what is still expected of who goes on or is past due, something is under way or will happen."""
    for charge in made:
        if charge.state not in UNSETTLED or charges.open_payment(tx, charge.id) is not None:
            continue
        if tx.query(Outbox).filter(Outbox.done_at.is_(None), Outbox.target_id == charge.id).count():
            continue
        waits = charge.state in (C.COLLECTING, C.SCHEDULED) and held.state in LIVE - {S.SUSPENDED}
        if waits or held.state in (*_GOING_ON, S.PAST_DUE):
            yield f"charge {charge.id} ({charge.state.value}) of {held.state.value} waits for nobody"
