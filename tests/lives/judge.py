"""What must be true after every act of a life, whatever was done before.

Left out, since people decided it: days that somebody whom her owner ever blocked was shut out, days after she
left by her own choice of a day, days that her owner keeps paid by policy, and what was taken back and came
again, during which she was out. What was let go of, sent back in part or paid late is judged at its end only.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations

from linkpay.domain.calendar import local_day
from linkpay.domain.plan import PlanKind
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.services import forecast
from linkpay.store import agreements, charges, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Attention, Charge, LedgerEntry, Member, Site, Subscription, Withdrawal
from tests.flows import told, truth
from tests.flows.stage import Stage
from tests.lives.living import ZONE, Living

_UNDER_WAY = ("queued", "pending", "processing")


class Wrong(AssertionError):
    """A statement that must always be true is not."""


def safe(life: Living) -> None:
    """After every act. Raises an AssertionError."""
    stage = life.stage
    refunds = stage.sandbox.world.books.refunds
    truth.money(stage, {one.payment_id for one in refunds if one.status in _UNDER_WAY}, _lost(stage))
    truth.access(stage)
    told.check(stage)
    troubles = stage.troubles()
    truth.nothing_left(stage, len(troubles))
    with stage.database.read() as tx:
        found = ["work is parked"] if "parked" in troubles else []
        for held in tx.query(Subscription).order_by(Subscription.id):
            _is_foretold(tx, held, stage)
            found += [*_no_day_is_kept_twice(tx, held), *_paid_days_are_given(tx, held, life)]
    if found:
        raise Wrong("; ".join(found))


def _lost(stage: Stage) -> set[int]:
    """Charges of which the owner was told that more went out than came in."""
    with stage.database.read() as tx:
        found = tx.query(Attention).filter_by(kind="loss", solved_at=None)
        return {int(item.data["charge_id"]) for item in found}


def _is_foretold(tx: Tx, held: Subscription, stage: Stage) -> None:
    """The future of every subscription can be told."""
    now = stage.clock.now()
    forecast.of(tx, held, now)
    if held.state in LIVE:
        forecast.next_collection(tx, tx.get_one(Site, held.site_id), held, now)


def policy_of(tx: Tx, held: Subscription) -> Policy:
    """What her owner chose."""
    return sites.policy_of(sites.get(tx, held.site_id), held.policy)


def kept_whole(tx: Tx, held: Subscription) -> Sequence[Charge]:
    """Charges of its days that are paid and of which all is kept, but those that became credit.

    Of less than a cent a day, as a coupon may leave, nothing could be sent back.
    """
    given_up = agreements.switched_away(tx, held.id)
    return [
        charge
        for charge in charges.of_subscription(tx, held.id)
        if not charge.is_check
        and charge.period >= 0
        and charge.id not in given_up
        and (charge.ends_on - charge.starts_on).days <= charge.amount_cents <= charge.money.kept_cents
    ]


def _no_day_is_kept_twice(tx: Tx, held: Subscription) -> Iterator[str]:
    """But where a switch gives no credit by policy, where her owner notes cash herself, perhaps for days that
    she had let go of, and where a bank gave back what it had taken, perhaps after she paid anew."""
    if policy_of(tx, held).switch_credit == "none":
        return
    kept = [
        one
        for one in kept_whole(tx, held)
        if not _entries(tx, one, payment_id=None) and not _came_again(tx, one)
    ]
    for one, other in combinations(kept, 2):
        if one.starts_on < other.ends_on and other.starts_on < one.ends_on:
            yield f"{_days(one)} and {_days(other)} are the same days, and both are kept"


def _paid_days_are_given(tx: Tx, held: Subscription, life: Living) -> Iterator[str]:
    """Who paid was in on each day that she paid for, since the day after she paid; or got money back."""
    if _is_hers_to_lose(tx, held, life):
        return
    email, today = tx.get_one(Member, held.member_id).email, life.today()
    for charge in kept_whole(tx, held):
        if charge.paid_at is None or _waits_for_the_owner(tx, charge):
            continue
        paid_on, until = local_day(charge.paid_at, ZONE), min(charge.ends_on, today)
        first = max(charge.starts_on, paid_on + timedelta(days=1))
        out = life.presence[email].days_out(first, until)
        if out and not _came_again(tx, charge):
            yield f"{_days(charge)}, paid on {paid_on}: out on {len(out)} days from {out[0]}"
        elif charge.ends_on <= today and not _came_again(tx, charge):
            yield from _was_ever_in(charge, life.presence[email].days_out(charge.starts_on, until))


def _was_ever_in(charge: Charge, out: Sequence[date]) -> Iterator[str]:
    if len(out) == (charge.ends_on - charge.starts_on).days:
        yield f"{_days(charge)}: paid, and out on all of them"


def _is_hers_to_lose(tx: Tx, held: Subscription, life: Living) -> bool:
    """Whether people decided that paid days are not given; see the top of this file."""
    email = tx.get_one(Member, held.member_id).email
    if email in life.ever_blocked or held.canceled_by == "member":
        return True
    if tx.query(Withdrawal).filter_by(subscription_id=held.id).count():
        return True
    stopped = held.ended_at is not None and held.cancel_asked_at is None
    let_go = held.canceled_by is not None or held.state is SubscriptionState.ENDED
    is_course = held.kind is PlanKind.INSTALMENTS
    return stopped or (is_course and let_go) or not policy_of(tx, held).refund_unused_days


def _waits_for_the_owner(tx: Tx, charge: Charge) -> bool:
    """Whether its money, or any, is for the owner to send back."""
    late = tx.query(Attention).filter_by(kind="late_paid", subject=f"charge:{charge.id}").count()
    return bool(late or tx.query(Attention).filter_by(kind="refund").count())


def _came_again(tx: Tx, charge: Charge) -> bool:
    """Whether its money had gone out meanwhile."""
    return any(entry.amount_cents < 0 for entry in _entries(tx, charge))


def _entries(tx: Tx, charge: Charge, **values: object) -> Sequence[LedgerEntry]:
    return tx.query(LedgerEntry).filter_by(charge_id=charge.id, **values).all()


def _days(charge: Charge) -> str:
    return f"charge {charge.id} for {charge.starts_on} to {charge.ends_on}"
