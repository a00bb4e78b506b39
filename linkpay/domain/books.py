"""Our ledger beside Mollie's list, to the cent. Pure: what was read goes in, what differs comes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from linkpay.domain.snapshots import PaymentSnapshot, PaymentStatus


class Why(StrEnum):
    """How a payment differs. unknown: ours by its mark, and in no book of ours."""

    AMOUNT = "amount"
    STATUS = "status"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kept:
    """Sums in cents, all positive."""

    paid: int = 0
    refunded: int = 0
    charged_back: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            self.paid + other.paid, self.refunded + other.refunded, self.charged_back + other.charged_back
        )


@dataclass(frozen=True, slots=True)
class Booked:
    """What our books say of one payment that Mollie knows by this id."""

    status: PaymentStatus | None
    kept: Kept


@dataclass(frozen=True, slots=True)
class Difference:
    """One payment whose two books differ."""

    mollie_id: str
    why: Why
    ours: Kept
    theirs: Kept


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides over one stretch of time. `foreign` is what others collect by the same account."""

    payments: int
    ours: Kept
    theirs: Kept
    foreign: int
    foreign_cents: int
    differences: tuple[Difference, ...]


def theirs_of(seen: PaymentSnapshot) -> Kept:
    """What Mollie holds of a payment. Money that is paid out again stays paid."""
    paid = seen.amount.cents if seen.status is PaymentStatus.PAID else 0
    return Kept(paid, seen.refunded_cents, seen.charged_back_cents)


def compare(listed: Iterable[PaymentSnapshot], books: Mapping[str, Booked]) -> Comparison:
    """Lay the two side by side. A payment without our mark that no book has is somebody else's business."""
    ours, theirs, differences, foreign = Kept(), Kept(), [], []
    number = 0
    for seen in listed:
        booked, there = books.get(seen.id), theirs_of(seen)
        if booked is None and "linkpay" not in seen.metadata:
            foreign.append(there.paid)
            continue
        here = booked.kept if booked else Kept()
        number, ours, theirs = number + 1, ours + here, theirs + there
        why = _why(booked, seen, here, there)
        if why is not None:
            differences.append(Difference(seen.id, why, here, there))
    return Comparison(number, ours, theirs, len(foreign), sum(foreign), tuple(differences))


def _why(booked: Booked | None, seen: PaymentSnapshot, here: Kept, there: Kept) -> Why | None:
    if booked is None:
        return Why.UNKNOWN
    if here != there:
        return Why.AMOUNT
    return Why.STATUS if booked.status is not seen.status else None
