"""What an owner sees at a glance: read models in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.money import Money
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import desk
from linkpay.store.db import Tx

#: A change of access younger than this is under way, not out of step (DESIGN: ten seconds in quiet weather).
_IN_STEP_WITHIN = timedelta(seconds=30)
_S = SubscriptionState


@dataclass(frozen=True, slots=True)
class Sum:
    """How many, and what they come to."""

    number: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Today:
    """The first page of the desk. Amounts are net of what went back."""

    in_today: Money
    in_week: Money
    in_month: Money
    running: Sum
    failed: Sum
    expected: Sum
    states: Mapping[SubscriptionState, int]
    attention: int
    out_of_step: int

    @property
    def members(self) -> int:
        """How many subscriptions run."""
        return sum(self.states.get(state, 0) for state in (_S.TRIALING, _S.ACTIVE, _S.PAST_DUE, _S.CANCELING))


def today(tx: Tx, site_id: int, zone: str, now: datetime) -> Today:
    """How the site stands now; days are days of its `zone`."""
    day = local_day(now, zone)
    month, week = day.replace(day=1), day - timedelta(days=6)

    starts = [day_starts_at(since, zone) for since in (day, week, month)]
    in_today, in_week, in_month = map(Money, desk.money_since(tx, site_id, *starts, end=now))
    unsettled = {
        state: Sum(number, Money(cents)) for state, (number, cents) in desk.unsettled(tx, site_id).items()
    }
    number, cents = desk.due_between(tx, site_id, day, day + timedelta(days=30))
    return Today(
        in_today=in_today,
        in_week=in_week,
        in_month=in_month,
        running=unsettled.get(ChargeState.COLLECTING, Sum(0, Money(0))),
        failed=unsettled.get(ChargeState.FAILED, Sum(0, Money(0))),
        expected=Sum(number, Money(cents)),
        states=desk.by_state(tx, site_id),
        attention=desk.open_attention(tx, site_id),
        out_of_step=desk.out_of_step(tx, site_id, now - _IN_STEP_WITHIN),
    )
