"""Coverage decides access: a member is let in while any source covers, and only then.

Everything here is a function of money facts, policy and the present moment. Days are days of the
site; instants are UTC. An end of None is for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from linkpay.domain.calendar import day_starts_at, days_later
from linkpay.domain.charge import UNSETTLED, ChargeMoney, ChargeState, is_given
from linkpay.domain.dunning import grace_ends_at
from linkpay.domain.plan import TRIAL_PERIOD, Terms
from linkpay.domain.policy import Policy
from linkpay.domain.subscription import SubscriptionState


class Source(StrEnum):
    """Why access is given, strongest first: where several cover, the first one named is shown."""

    GIFT = "gift"
    COMPLETED = "completed"
    PAID = "paid"
    TRIAL = "trial"
    PAUSE = "pause"
    DEBIT_RUNNING = "debit_running"
    GRACE = "grace"
    REVERSAL_GRACE = "reversal_grace"
    COLLECTION = "collection"
    SIGNUP = "signup"
    # Nothing of her own, and still not taken away: see `linkpay.services.holding`.
    SHARED = "shared"
    MOVING = "moving"


#: Banks decide a SEPA debit within five business days (Mollie's recurring guide).
_DEBIT_TAKES = timedelta(days=7)
#: Longer than anybody waits between agreeing and paying.
_BEFORE_ANYTHING = timedelta(days=400)
_STRENGTH = {source: place for place, source in enumerate(Source)}


@dataclass(frozen=True, slots=True)
class Cover:
    """One stretch of access and what gives it."""

    source: Source
    starts_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """What coverage needs to know of one charge.

    `failed_at` is when the present failure began, None while nothing failed or all is paid;
    `taken_back` says that it began with money leaving us again; `grace_until` is more time that the owner
    gave. `asked_at` is when we began to collect it, `paid_at` when it was paid whole. `only_checks` says
    that its money just proves an account, so that sending it back takes nothing away.
    """

    index: int
    starts_on: date
    ends_on: date
    state: ChargeState
    money: ChargeMoney
    debit_running: bool = False
    failed_at: datetime | None = None
    taken_back: bool = False
    asked_at: datetime | None = None
    paid_at: datetime | None = None
    grace_until: datetime | None = None
    only_checks: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What coverage needs to know of one subscription.

    `next_due_on` is the first day of the next period that has no charge yet; `cancel_on` the first day
    after a canceled one; `signup_ends_at` is set while a purchase that Kajabi announced waits for its
    mandate. One that has not `started` gives nothing of its own. `on_trust` lets the member in before her
    first money came, as with a debit on a mandate that she gave before. A pause that keeps access names
    its days, which count while nothing is owed. `not_before_on` is when a due period may be asked for that
    had to be told first. Nothing reaches beyond `access_ends_at`.
    """

    state: SubscriptionState
    terms: Terms
    policy: Policy
    charges: Sequence[ChargeFacts]
    next_due_on: date | None = None
    cancel_on: date | None = None
    signup_ends_at: datetime | None = None
    started: bool = True
    on_trust: bool = False
    open_pause: tuple[date, date] | None = None
    not_before_on: date | None = None
    access_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whether the member should be in, why, and until when as things stand (None: for ever)."""

    granted: bool
    source: Source | None
    until: datetime | None


_ACTIVE = frozenset({SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING})
_LEAVING = frozenset({SubscriptionState.CANCELING, SubscriptionState.ENDED})
_MAY_PAUSE = frozenset({SubscriptionState.PAUSED, SubscriptionState.ACTIVE, SubscriptionState.TRIALING})


def covers(subscription: SubscriptionFacts, zone: str) -> list[Cover]:
    """Every stretch of access that one subscription gives, in no particular order."""
    if subscription.signup_ends_at is not None and subscription.state is SubscriptionState.PENDING:
        start = subscription.signup_ends_at - _BEFORE_ANYTHING
        return [Cover(Source.SIGNUP, start, subscription.signup_ends_at)]
    if not subscription.started:
        return []
    found: list[Cover] = []
    for charge in subscription.charges:
        found += _charge_covers(charge, subscription, zone)
    found += _completed(subscription, zone)
    due = subscription.next_due_on
    if due is not None and _waits_for_us(subscription):
        settled = [at for charge in subscription.charges if (at := _settled_at(charge, subscription))]
        settled_at = max(settled, default=None)
        waiting = _waiting(_collection(due, settled_at, subscription.policy, zone), subscription, zone)
        found.append(_no_longer_than_paid(waiting, due, subscription, zone))
    if subscription.open_pause is not None and subscription.state in _MAY_PAUSE:
        first, last = subscription.open_pause
        found.append(Cover(Source.PAUSE, day_starts_at(first, zone), day_starts_at(last, zone)))
    return [cut for cover in found if (cut := _cut(cover, subscription.access_ends_at)) is not None]


def gift(given_at: datetime, until: date | None, zone: str) -> Cover:
    """What an owner gives: from that moment to the day `until` (the first without it), or for ever."""
    return Cover(Source.GIFT, given_at, day_starts_at(until, zone) if until is not None else None)


def _cut(cover: Cover, ends_at: datetime | None) -> Cover | None:
    """What is left of a stretch when access ends at an instant."""
    if ends_at is None:
        return cover
    if cover.starts_at >= ends_at:
        return None
    return cover if cover.until is not None and cover.until <= ends_at else replace(cover, until=ends_at)


def without_running_debits(subscription: SubscriptionFacts) -> SubscriptionFacts:
    """The same, were every debit that runs now to fail."""
    charges = [replace(charge, debit_running=False) for charge in subscription.charges]
    return replace(subscription, charges=charges)


def access_wanted(all_covers: Iterable[Cover], now: datetime, *, blocked: bool = False) -> Wanted:
    """Whether any stretch covers `now`, and how far the stretches reach without a gap.

    Who is `blocked` gets nothing, whatever was paid or given.
    """
    stretches = [] if blocked else list(all_covers)
    present = [cover for cover in stretches if _holds(cover, now)]
    if not present:
        return Wanted(False, None, None)
    shown = min(present, key=lambda cover: _STRENGTH[cover.source])
    until: datetime | None = now
    while until is not None:
        reaching = [cover for cover in stretches if _holds(cover, until)]
        if not reaching:
            break
        until = None if any(c.until is None for c in reaching) else max(c.until for c in reaching if c.until)
    return Wanted(True, shown.source, until)


def _holds(cover: Cover, instant: datetime) -> bool:
    return cover.starts_at <= instant and (cover.until is None or instant < cover.until)


def _charge_covers(charge: ChargeFacts, subscription: SubscriptionFacts, zone: str) -> list[Cover]:
    starts_at = day_starts_at(charge.starts_on, zone)
    ends_at = day_starts_at(charge.ends_on, zone)
    policy = subscription.policy
    if charge.money.owed_cents == 0:
        source = Source.TRIAL if charge.index == TRIAL_PERIOD else Source.PAID
        return [Cover(source, starts_at, ends_at)] if _still_bought(charge, policy) else []
    if charge.state in (ChargeState.WRITTEN_OFF, ChargeState.VOID):
        # Whoever lets go of the money and not of the member says until when she stays.
        given = charge.grace_until if charge.state is ChargeState.WRITTEN_OFF else None
        return [Cover(Source.GRACE, starts_at, given)] if given is not None else []
    is_first = charge.index <= subscription.terms.first_period
    if is_first and charge.money.paid_cents == 0 and not subscription.on_trust:
        return []
    found = []
    if charge.debit_running and policy.keep_access_while_debit_runs:
        found.append(Cover(Source.DEBIT_RUNNING, starts_at, ends_at))
    if charge.failed_at is not None:
        source = Source.REVERSAL_GRACE if charge.taken_back else Source.GRACE
        end = grace_ends_at(charge.failed_at, taken_back=charge.taken_back, policy=policy, zone=zone)
        end = max(end, charge.grace_until or end)
        grace = Cover(source, starts_at, end)
        found.append(_no_longer_than_paid(grace, charge.ends_on, subscription, zone))
    elif not charge.debit_running or policy.keep_access_while_debit_runs:
        waiting = _collection(charge.starts_on, charge.asked_at, policy, zone)
        found.append(_no_longer_than_paid(waiting, charge.ends_on, subscription, zone))
    return found


def _no_longer_than_paid(cover: Cover, ends_on: date, subscription: SubscriptionFacts, zone: str) -> Cover:
    """Who leaves without having paid stays no longer than who leaves and paid.

    A stretch that leads up to money ends with the last period; `ends_on` is the end of its own.
    """
    if subscription.state not in _LEAVING:
        return cover
    last = day_starts_at(subscription.cancel_on or ends_on, zone)
    return cover if cover.until is not None and cover.until <= last else replace(cover, until=last)


def _collection(due_on: date, late_since: datetime | None, policy: Policy, zone: str) -> Cover:
    """A due period that we have not asked for yet is our delay, not the member's.

    While missed periods are caught up one at a time, the days count from `late_since`: from when we asked
    at last, or were paid for the period before.
    """
    end = day_starts_at(due_on + timedelta(days=policy.collection_days), zone)
    if late_since is not None:
        end = max(end, days_later(late_since, policy.collection_days, zone))
    return Cover(Source.COLLECTION, day_starts_at(due_on, zone), end)


def _settled_at(charge: ChargeFacts, subscription: SubscriptionFacts) -> datetime | None:
    """When a period was paid, or is to be by a debit that runs: until then the next one is not asked for."""
    if charge.debit_running and charge.asked_at and subscription.policy.keep_access_while_debit_runs:
        return charge.asked_at + _DEBIT_TAKES
    return charge.paid_at


def _waits_for_us(subscription: SubscriptionFacts) -> bool:
    """Whether the next period is ours to ask for: behind one that failed and is owed, it waits for her."""
    if subscription.state not in _ACTIVE or any(_is_failing(charge) for charge in subscription.charges):
        return False
    return bool(subscription.charges) or subscription.on_trust


def _is_failing(charge: ChargeFacts) -> bool:
    return charge.failed_at is not None and charge.state in UNSETTLED


def _waiting(cover: Cover, subscription: SubscriptionFacts, zone: str) -> Cover:
    """The same while a due period waits for its pre-notification: that, too, is no fault of the member's.

    Who is trusted before her first charge is in from the moment she agreed.
    """
    due, wait_on = subscription.next_due_on, subscription.not_before_on
    if due is not None and wait_on is not None and wait_on > due:
        end = day_starts_at(wait_on + timedelta(days=subscription.policy.collection_days), zone)
        cover = replace(cover, until=max(cover.until or end, end))
    return cover if subscription.charges else replace(cover, starts_at=cover.starts_at - _BEFORE_ANYTHING)


def _still_bought(charge: ChargeFacts, policy: Policy) -> bool:
    if charge.only_checks:
        return True
    fully_refunded = charge.money.refunded_cents > 0 and charge.money.kept_cents <= 0
    return not (fully_refunded and policy.full_refund_ends_access)


def _completed(subscription: SubscriptionFacts, zone: str) -> list[Cover]:
    """A course is bought for ever once every term is paid, or given, and none was refunded whole."""
    periods = subscription.terms.periods
    agreed = [charge for charge in subscription.charges if charge.index != TRIAL_PERIOD]
    if periods is None or len(agreed) < periods:
        return []
    owed = [c for c in agreed if c.money.owed_cents > 0 and not is_given(c.state, c.grace_until)]
    if owed or not all(_still_bought(c, subscription.policy) for c in agreed):
        return []
    first = min(charge.starts_on for charge in agreed)
    return [Cover(Source.COMPLETED, day_starts_at(first, zone), None)]
