"""What follows a failed collection: which class the reason is, and the dated ladder of that class."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from linkpay.domain.banking import next_pay_day
from linkpay.domain.calendar import days_later, local_day
from linkpay.domain.policy import Policy

#: Mollie's name of a SEPA debit; everything else that is collected by mandate is like a card.
DIRECT_DEBIT = "directdebit"


class ReasonClass(StrEnum):
    """soft: may succeed later. broken: this mandate will not. refused: never debit it again."""

    SOFT = "soft"
    BROKEN = "broken"
    REFUSED = "refused"


# SEPA reason codes and card failure reasons as Mollie documents them. What is not named is soft:
# trying twice more costs little, giving up on a member costs her.
_CLASSES: dict[str, ReasonClass] = {
    **dict.fromkeys(("AM04", "MS03", "insufficient_funds", "unknown_reason"), ReasonClass.SOFT),
    **dict.fromkeys(
        (
            "AC01", "AC04", "AC06", "AG02", "MD01", "card_expired", "inactive_card",
            "invalid_card_number", "invalid_card_type", "invalid_card_holder_name", "invalid_cvv",
            "authentication_required", "authentication_failed", "authentication_abandoned",
            "no_mandate",
        ),
        ReasonClass.BROKEN,
    ),
    **dict.fromkeys(
        ("MD06", "MS02", "MD07", "SL01", "possible_fraud", "refused_by_issuer"), ReasonClass.REFUSED
    ),
}  # fmt: skip


def classify(reason: str | None) -> ReasonClass:
    """The class of a SEPA code or card reason; None and unheard-of reasons are soft."""
    return _CLASSES.get(reason or "", ReasonClass.SOFT)


class StepKind(StrEnum):
    """What a step of the ladder does."""

    MAIL = "mail"
    DEBIT = "debit"
    END_GRACE = "end_grace"


@dataclass(frozen=True, slots=True)
class Step:
    """One dated step. `number` counts from 0 within a ladder and never changes meaning."""

    number: int
    kind: StepKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """A collection that failed at `at`, or money taken back then.

    `method` is how the debit was made; `bounces` counts the debits of the charge that failed so far, this
    one among them; `grace_until` is more time that the owner gave.
    """

    at: datetime
    reason: ReasonClass
    taken_back: bool = False
    method: str = DIRECT_DEBIT
    bounces: int = 1
    grace_until: datetime | None = None


def grace_ends_at(failed_at: datetime, *, taken_back: bool, policy: Policy, zone: str) -> datetime:
    """Until when access survives a collection that failed, or money that was taken back."""
    days = policy.reversal_grace_days if taken_back else policy.grace_days
    return days_later(failed_at, days, zone)


def grace_of(failure: Failure, policy: Policy, zone: str) -> datetime:
    """Until when access survives this failure, with the time that the owner gave."""
    end = grace_ends_at(failure.at, taken_back=failure.taken_back, policy=policy, zone=zone)
    return max(end, failure.grace_until or end)


def ladder(failure: Failure, policy: Policy, zone: str) -> Sequence[Step]:
    """All steps after a failure, in order of time.

    Money taken back is never debited again by itself: the member disputed it, or her bank did.
    Steps at or after the end of grace are left out, except that end itself and a mail at once.
    """
    end = grace_of(failure, policy, zone)
    planned = [(at, StepKind.DEBIT) for at in _debits(failure, policy, zone)]
    # A debit and a mail on one day: the debit goes first, so the mail can tell that it runs.
    planned += [
        (days_later(failure.at, day, zone) + timedelta(minutes=5 if day else 0), StepKind.MAIL)
        for day in policy.mail_days
    ]
    at_once = (failure.at, StepKind.MAIL)
    steps = sorted(step for step in planned if step[0] < end or step == at_once)
    steps.append((end, StepKind.END_GRACE))
    return [Step(number, kind, at) for number, (at, kind) in enumerate(steps)]


def _debits(failure: Failure, policy: Policy, zone: str) -> list[datetime]:
    """When a new debit is tried. A card answers at once and its tries cost nothing; a SEPA debit waits
    for the money to come, and for every one that fails the bank sends a bill."""
    if failure.reason is not ReasonClass.SOFT or failure.taken_back:
        return []
    if failure.method != DIRECT_DEBIT:
        return [days_later(failure.at, day, zone) for day in policy.card_retry_days]
    failed_on = local_day(failure.at, zone)
    days = [failed_on + timedelta(days=day) for day in policy.retry_days]
    if policy.pay_days:
        days = sorted({next_pay_day(day, policy.pay_days) for day in days})
    affordable = affordable_debits(failure.bounces, policy)
    return [days_later(failure.at, (day - failed_on).days, zone) for day in days[:affordable]]


def affordable_debits(bounces: int, policy: Policy) -> int | None:
    """How many more SEPA debits of a charge may fail before its cap is passed; None where there is none."""
    if policy.bounce_cost_cents == 0 or policy.bounce_cost_cap_cents == 0:
        return None
    return max(0, policy.bounce_cost_cap_cents // policy.bounce_cost_cents - bounces)
