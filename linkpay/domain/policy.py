"""The owner's choices as data: how money, access and notice go when life gets in the way.

A site holds defaults, a plan may override single values; both are stored as plain JSON and merged
here. What each choice means in words, with a dated example, is in docs/policies.md.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

_MOST_DAYS = 400


def _days(default: int, most: int = _MOST_DAYS) -> Any:
    return field(default=default, metadata={"most": most, "what": "a number of days"})


def _cents(default: int, most: int = 100_000) -> Any:
    return field(default=default, metadata={"most": most, "what": "an amount in cents"})


def _one_of(*values: str) -> Any:
    """A choice; the first is the default."""
    return field(default=values[0], metadata={"values": values})


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to money and access when things go wrong, or change.

    With the defaults, a debit that bounces on 3 May is mailed at once, tried and mailed again on
    8 and 11 May, and access ends on 17 May.
    """

    # Access survives a failed collection this long; the peers' range is 7 to 14.
    grace_days: int = _days(14)
    # Access survives money taken back (chargeback, reversal) this long.
    reversal_grace_days: int = _days(3)
    # New SEPA debits this many days after the first failure; SEPA allows few before banks object,
    # and each failing one costs the owner money.
    retry_days: tuple[int, ...] = (5, 8)
    # A card answers at once and a try costs nothing, so cards are tried sooner and more often.
    card_retry_days: tuple[int, ...] = (1, 3, 7)
    # Mails with a pay link this many days after the first failure.
    mail_days: tuple[int, ...] = (0, 5, 8)
    # What a bank charges for a failed debit, and how much of that one charge may cost: with 750 and
    # 2250 there are two tries after the first. 0 sets no cap.
    bounce_cost_cents: int = _cents(750)
    bounce_cost_cap_cents: int = _cents(2250)
    # Days of the month on which wages come; tries by SEPA wait for the next of them. Empty: no waiting.
    pay_days: tuple[int, ...] = ()
    # A SEPA debit takes about a week to be final: the member keeps access meanwhile.
    keep_access_while_debit_runs: bool = True
    # How long a due period counts as covered while we have not been able to ask for the money yet.
    collection_days: int = _days(7)
    # A purchase that arrived from Kajabi without a mandate loses access after this.
    mandate_days: int = _days(7)
    # A full refund of a period's money ends the access that it bought; a partial one does not.
    full_refund_ends_access: bool = True
    # At least this many days between two debits of one subscription when missed periods are caught up.
    catch_up_gap_days: int = _days(1)
    # Missed periods older than this many are not collected, but written off and shown.
    catch_up_periods: int = _days(3)

    # SEPA asks for 14 days' notice of a debit, or what was agreed: the checkout's consent agrees on
    # `agreed_notice_days`, and only counts when the member gave it.
    notice_days: int = _days(14, 60)
    agreed_notice_days: int = _days(2, 60)

    # When a cancelled membership stops; after a minimum term always by `cancel_notice_days` at most.
    cancel_at: str = _one_of("period_end", "now")
    # Notice to cancel after the minimum term. Dutch law (Wet van Dam) allows at most one month.
    cancel_notice_days: int = _days(0, 31)
    # Paid days that a cancellation after the minimum term leaves unused: sent back, or not.
    refund_unused_days: bool = True
    # A debit that is under way when somebody cancels at once: it buys its period, or it is sent back.
    running_debit_on_cancel: str = _one_of("honour", "refund")
    # The longest pause, and whether access stays during one.
    pause_days: int = _days(180)
    pause_keeps_access: bool = False
    # Unused days when a plan is switched at once: taken off the new price, or lost.
    switch_credit: str = _one_of("credit", "none")
    # A price rise is told this many days before the first charge that it counts for.
    price_notice_days: int = _days(30)
    # Within an agreed minimum term a higher price waits for its end, or counts all the same; then its
    # mail lets the member go before.
    price_in_term: str = _one_of("after", "within")

    # The cent that proves a bank account for a free trial: taken off the first period, or sent back.
    trial_check: str = _one_of("credit", "refund")
    # A one-click upsell opens at once, or when its money is in.
    upsell_access: str = _one_of("at_once", "when_paid")
    # How much may be sold by one click on a mandate younger than `upsell_young_days`. 0: no cap.
    upsell_cap_cents: int = _cents(15_000, 1_000_000)
    upsell_young_days: int = _days(60)

    # The EU's withdrawal function: 14 days by law. Whoever asked for a start at once pays for the days
    # used (`pro_rata`), or gets all back.
    withdrawal_days: int = _days(14)
    withdrawal_refund: str = _one_of("pro_rata", "full")
    # What Kajabi has that it should not have, or lacks: told, or put right, when its API shows it.
    drift: str = _one_of("report", "repair")


#: Choices that are kept and shown, and that no rule acts on yet: people are told so wherever they read them.
NOT_ACTED_ON: frozenset[str] = frozenset()


class PolicyError(ValueError):
    """A policy value that cannot be; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def merge(*layers: Mapping[str, Any] | None) -> Policy:
    """Defaults overridden by each layer in turn. Raises PolicyError for unknown or odd values."""
    policy = Policy()
    for layer in layers:
        for name, value in (layer or {}).items():
            known = _FIELDS.get(name)
            if known is None:
                raise PolicyError(name, f"unknown policy: {name}")
            policy = replace(policy, **{name: _checked(known, value)})
    return policy


def _checked(known: Field[Any], value: Any) -> Any:
    name, default = known.name, known.default
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise PolicyError(name, f"{name} is yes or no")
        return value
    if isinstance(default, tuple):
        least, most = (1, 31) if name == "pay_days" else (0, _MOST_DAYS)
        days = tuple(value) if isinstance(value, list | tuple) else None
        if days is None or any(not _is_count(day, most) or day < least for day in days):
            raise PolicyError(name, f"{name} is a list of days from {least} to {most}")
        if list(days) != sorted(set(days)):
            raise PolicyError(name, f"{name} is a rising list of days")
        return days
    if isinstance(default, str):
        if value not in known.metadata["values"]:
            raise PolicyError(name, f"{name} is one of {', '.join(known.metadata['values'])}")
        return value
    if not _is_count(value, known.metadata["most"]):
        raise PolicyError(name, f"{name} is {known.metadata['what']} from 0 to {known.metadata['most']}")
    return value


def _is_count(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


_FIELDS = {known.name: known for known in fields(Policy)}
