"""Mollie's JSON to our snapshots. Raises `Malformed` and nothing else, whatever the JSON holds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from linkpay.adapters.mollie_fields import (
    Json,
    Malformed,
    account_hint,
    day_if_any,
    failure_code,
    is_id,
    link,
    optional_id,
    optional_instant,
    optional_money,
    optional_text,
    part,
    read_id,
    read_instant,
    read_metadata,
    read_money,
    read_text,
    text_if_any,
)
from linkpay.domain.money import Money
from linkpay.domain.snapshots import (
    ChargebackSnapshot,
    MandateSnapshot,
    MandateStatus,
    PaymentSnapshot,
    PaymentStatus,
    RefundSnapshot,
    Sequence,
)
from linkpay.ports import Method

T = TypeVar("T")

# Statuses of a refund whose money stays with, or comes back to, the owner.
_NOT_REFUNDED = frozenset({"failed", "canceled"})
_CURSOR_KINDS = ("tr", "mdt", "re", "chb", "cst", "sub")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list; `cursor` is the id of the first item of the next part, None at the end."""

    items: tuple[T, ...]
    cursor: str | None


def read_payment(body: Json) -> PaymentSnapshot:
    """A payment, with the refunds and chargebacks that came embedded."""
    amount = read_money(body, "amount")
    details = part(body, "details")
    return PaymentSnapshot(
        id=read_id(body, "id", "tr"),
        status=_payment_status(read_text(body, "status")),
        mode=read_text(body, "mode"),
        amount=amount,
        sequence=_sequence(body),
        created_at=read_instant(body, "createdAt"),
        method=text_if_any(body, "method"),
        customer_id=optional_id(body, "customerId", "cst"),
        mandate_id=optional_id(body, "mandateId", "mdt"),
        description=optional_text(body, "description") or "",
        metadata=read_metadata(body),
        paid_at=optional_instant(body, "paidAt"),
        ended_at=_ended_at(body),
        expires_at=optional_instant(body, "expiresAt"),
        due_on=day_if_any(details, "dueDate"),
        checkout_url=link(body, "checkout"),
        refunded_cents=_total(body, "amountRefunded", amount.currency),
        charged_back_cents=_total(body, "amountChargedBack", amount.currency),
        refunds=_embedded(body, "refunds", read_refund),
        chargebacks=_embedded(body, "chargebacks", read_chargeback),
        failure_code=failure_code(body),
        account_hint=account_hint(details),
        creditor_id=text_if_any(details, "creditorIdentifier"),
    )


def _ended_at(body: Json) -> datetime | None:
    """When it came to nothing; of several moments that Mollie names, the last."""
    named = (optional_instant(body, name) for name in ("failedAt", "canceledAt", "expiredAt"))
    return max((at for at in named if at is not None), default=None)


def _payment_status(status: str) -> PaymentStatus:
    try:
        return PaymentStatus(status)
    except ValueError:
        return PaymentStatus.UNKNOWN


def _sequence(body: Json) -> Sequence:
    sequence = read_text(body, "sequenceType")
    try:
        return Sequence(sequence)
    except ValueError:
        raise Malformed("sequenceType is none we know") from None


def _total(body: Json, name: str, currency: str) -> int:
    total = optional_money(body, name)
    if total is None:
        return 0
    if total.currency != currency:
        raise Malformed(f"{name} is in another currency")
    return total.cents


def misses_refunds(payment: PaymentSnapshot) -> bool:
    """Whether the embedded refunds explain less than Mollie's own total: the list was cut."""
    known = (refund.amount for refund in payment.refunds if refund.status not in _NOT_REFUNDED)
    return _sum(known, payment.amount.currency) < payment.refunded_cents


def misses_chargebacks(payment: PaymentSnapshot) -> bool:
    """Whether the embedded chargebacks explain less than Mollie's own total: the list was cut."""
    known = (chargeback.amount for chargeback in payment.chargebacks)
    return _sum(known, payment.amount.currency) < payment.charged_back_cents


def _sum(amounts: Iterable[Money], currency: str) -> int:
    return sum(amount.cents for amount in amounts if amount.currency == currency)


def read_refund(body: Json) -> RefundSnapshot:
    """A refund."""
    return RefundSnapshot(
        id=read_id(body, "id", "re"),
        amount=read_money(body, "amount"),
        status=read_text(body, "status"),
        created_at=read_instant(body, "createdAt"),
        metadata=read_metadata(body),
    )


def read_chargeback(body: Json) -> ChargebackSnapshot:
    """A chargeback. Only SEPA gives a reason."""
    return ChargebackSnapshot(
        id=read_id(body, "id", "chb"),
        amount=read_money(body, "amount"),
        reason_code=text_if_any(part(body, "reason"), "code"),
        created_at=read_instant(body, "createdAt"),
        reversed_at=optional_instant(body, "reversedAt"),
    )


def of_payment(read: Callable[[Json], T]) -> Callable[[Json], tuple[str, T]]:
    """Read a refund or chargeback together with the id of its payment."""
    return lambda body: (read_id(body, "paymentId", "tr"), read(body))


def read_mandate(body: Json) -> MandateSnapshot:
    """A mandate that exists at Mollie."""
    details = part(body, "details")
    return MandateSnapshot(
        id=read_id(body, "id", "mdt"),
        status=_mandate_status(body),
        method=read_text(body, "method"),
        account_hint=account_hint(details),
        reference=text_if_any(body, "mandateReference"),
        signed_on=day_if_any(body, "signatureDate"),
        created_at=read_instant(body, "createdAt"),
    )


def _mandate_status(body: Json) -> MandateStatus:
    status = read_text(body, "status")
    try:
        return MandateStatus(status)
    except ValueError:
        # Neither "ask for a new mandate" nor "charge it" would be right for a state we do not know.
        raise Malformed("status is none we know") from None


def read_customer_id(body: Json) -> str:
    """The id of a customer."""
    return read_id(body, "id", "cst")


def read_method(body: Json) -> Method:
    """A payment method and its limits."""
    minimum = optional_money(body, "minimumAmount")
    maximum = optional_money(body, "maximumAmount")
    return Method(
        id=read_text(body, "id"),
        description=optional_text(body, "description") or "",
        minimum_cents=minimum.cents if minimum else 0,
        maximum_cents=maximum.cents if maximum else None,
    )


def read_page(body: Json, name: str, read: Callable[[Json], T]) -> Page[T]:
    """One page of the list that Mollie calls `name`, such as ``payments``."""
    if not isinstance(part(body, "_embedded").get(name), list):
        # Never an empty list: "no payment exists" is what allows a new attempt to collect.
        raise Malformed(f"a list without {name}")
    return Page(items=_embedded(body, name, read), cursor=_cursor(body))


def _embedded(body: Json, name: str, read: Callable[[Json], T]) -> tuple[T, ...]:
    entries = part(body, "_embedded").get(name)
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise Malformed(f"{name} is no list of objects")
    return tuple(read(entry) for entry in entries)


def _cursor(body: Json) -> str | None:
    """The `from` of the next page's link. The link itself is not followed: it is not our address."""
    following = part(body, "_links").get("next")
    if following is None:
        return None
    address = link(body, "next")
    try:
        cursor = parse_qs(urlsplit(address or "").query).get("from", [""])[0]
    except ValueError:
        cursor = ""
    if not any(is_id(kind, cursor) for kind in _CURSOR_KINDS):
        raise Malformed("the link to the next page names no id")
    return cursor
