"""The owner's choices as data: how failures are helped, and how long access outlives them.

A site holds defaults, a plan may override single values; both are stored as plain JSON and merged
here. Every number is days unless its name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to money and access when things go wrong.

    With the defaults, a debit that bounces on 3 May is mailed at once, tried and mailed again on
    8 and 11 May, and access ends on 17 May.
    """

    # Access survives a failed collection this long; the peers' range is 7 to 14.
    grace_days: int = 14
    # Access survives money taken back (chargeback, reversal) this long.
    reversal_grace_days: int = 3
    # New debits this many days after the first failure; SEPA allows few before banks object,
    # and each failing one costs the owner money.
    retry_days: tuple[int, ...] = (5, 8)
    # Mails with a pay link this many days after the first failure.
    mail_days: tuple[int, ...] = (0, 5, 8)
    # A SEPA debit takes about a week to be final: the member keeps access meanwhile.
    keep_access_while_debit_runs: bool = True
    # How long a due period counts as covered while we have not been able to ask for the money yet.
    collection_days: int = 7
    # A purchase that arrived from Kajabi without a mandate loses access after this.
    mandate_days: int = 7
    # A full refund of a period's money ends the access that it bought; a partial one does not.
    full_refund_ends_access: bool = True
    # At least this many days between two debits of one subscription when missed periods are caught up.
    catch_up_gap_days: int = 1
    # Missed periods older than this many are not collected, but written off and shown.
    catch_up_periods: int = 3


class PolicyError(ValueError):
    """A policy value that cannot be; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def merge(*layers: Mapping[str, Any] | None) -> Policy:
    """Defaults overridden by each layer in turn. Raises PolicyError for unknown or odd values."""
    policy = Policy()
    known = {field.name: field.type for field in fields(Policy)}
    for layer in layers:
        for name, value in (layer or {}).items():
            if name not in known:
                raise PolicyError(name, f"unknown policy: {name}")
            policy = replace(policy, **{name: _checked(name, value, getattr(policy, name))})
    return policy


def _checked(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise PolicyError(name, f"{name} is yes or no")
        return value
    if isinstance(default, tuple):
        days = tuple(value) if isinstance(value, list | tuple) else None
        if days is None or any(not _is_days(day) for day in days) or list(days) != sorted(set(days)):
            raise PolicyError(name, f"{name} is a rising list of days")
        return days
    if not _is_days(value):
        raise PolicyError(name, f"{name} is a number of days from 0 to 400")
    return value


def _is_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 400
