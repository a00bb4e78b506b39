"""What follows a failed collection: which class the reason is, and the dated ladder of that class."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from linkpay.domain.calendar import days_later
from linkpay.domain.policy import Policy


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


def grace_ends_at(failed_at: datetime, *, taken_back: bool, policy: Policy, zone: str) -> datetime:
    """Until when access survives a collection that failed, or money that was taken back."""
    days = policy.reversal_grace_days if taken_back else policy.grace_days
    return days_later(failed_at, days, zone)


def ladder(
    failed_at: datetime, reason: ReasonClass, *, taken_back: bool, policy: Policy, zone: str
) -> Sequence[Step]:
    """All steps after a failure at `failed_at`, in order of time.

    Money taken back is never debited again by itself: the member disputed it, or her bank did.
    Steps at or after the end of grace are left out, except that end itself.
    """
    end = grace_ends_at(failed_at, taken_back=taken_back, policy=policy, zone=zone)
    debit_days = policy.retry_days if reason is ReasonClass.SOFT and not taken_back else ()
    planned = [(days_later(failed_at, day, zone), StepKind.DEBIT) for day in debit_days]
    # A debit and a mail on one day: the debit goes first, so the mail can tell that it runs.
    planned += [
        (days_later(failed_at, day, zone) + timedelta(minutes=5 if day else 0), StepKind.MAIL)
        for day in policy.mail_days
    ]
    steps = sorted((at, kind) for at, kind in planned if at < end)
    steps.append((end, StepKind.END_GRACE))
    return [Step(number, kind, at) for number, (at, kind) in enumerate(steps)]
