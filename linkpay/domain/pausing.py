"""A pause: from the end of what is paid until a chosen day nothing is charged; on that day it goes on."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from linkpay.domain.policy import Policy
from linkpay.domain.subscription import LIVE, SubscriptionState

S = SubscriptionState
_MAY_PAUSE = frozenset({S.ACTIVE, S.TRIALING, S.PAUSED})


class Refusal(StrEnum):
    """Why a subscription cannot be paused in this way."""

    NOTHING_RUNS = "nothing_runs"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    NOTHING_TO_CHARGE = "nothing_to_charge"
    NOT_OFFERED = "pause_not_offered"
    TOO_SHORT = "pause_too_short"
    TOO_LONG = "pause_too_long"


@dataclass(frozen=True, slots=True)
class Pausing:
    """What comes of a pause: the first day that is not charged, the day on which it goes on, and access."""

    pause_on: date
    resume_on: date
    keeps_access: bool


def refusal(
    state: SubscriptionState, pause_on: date | None, resume_on: date, policy: Policy, *, by_member: bool
) -> Refusal | None:
    """Why the pause from `pause_on` (the end of what is paid) until `resume_on` cannot be; None when it can.

    How long a pause lasts at most is agreed with the member; an owner may allow more.
    """
    if state is S.CANCELING:
        return Refusal.CANCELED
    if state in (S.PAST_DUE, S.SUSPENDED):
        return Refusal.PAST_DUE
    if state not in LIVE or state not in _MAY_PAUSE:
        return Refusal.NOTHING_RUNS
    if pause_on is None:
        return Refusal.NOTHING_TO_CHARGE
    if resume_on <= pause_on:
        return Refusal.TOO_SHORT
    if by_member and policy.pause_days == 0:
        return Refusal.NOT_OFFERED
    if by_member and resume_on > pause_on + timedelta(days=policy.pause_days):
        return Refusal.TOO_LONG
    return None
