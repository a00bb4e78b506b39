"""What one charge is made of: lines that sum to its amount, to the cent, whatever comes on top or off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from linkpay.domain.coupon import Discount
from linkpay.domain.plan import TRIAL_PERIOD, Terms


class LineKind(StrEnum):
    """`check` is the cent by which a bank account is proven; `discount` and `credit` take off."""

    PERIOD = "period"
    TRIAL = "trial"
    SETUP_FEE = "setup_fee"
    BUMP = "bump"
    CHECK = "check"
    DISCOUNT = "discount"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a charge. `cents` include VAT at `vat_basis_points`; negative where it takes off.

    `text` names what is sold, where the kind does not say it.
    """

    kind: LineKind
    cents: int
    vat_basis_points: int
    text: str = ""


def lines(
    terms: Terms, index: int, *, vat_basis_points: int, discount: Discount | None = None,
    extras: Sequence[Line] = (), credit_cents: int = 0,
) -> list[Line]:  # fmt: skip
    """The lines of period `index`; their sum is never negative.

    `extras` are bumps and checks. The setup fee comes with the very first period. Of `credit_cents` as
    much is used as there is to pay.
    """
    price = terms.price_cents(index)
    kind = LineKind.TRIAL if index == TRIAL_PERIOD else LineKind.PERIOD
    made = [Line(kind, price, vat_basis_points)]
    if index == terms.first_period and terms.setup_fee_cents:
        made.append(Line(LineKind.SETUP_FEE, terms.setup_fee_cents, vat_basis_points))
    off = discount.cents_off(price, index) if discount else 0
    if off:
        made.append(Line(LineKind.DISCOUNT, -off, vat_basis_points))
    made += extras
    used = min(credit_cents, total(made))
    if used > 0:
        made.append(Line(LineKind.CREDIT, -used, vat_basis_points))
    return made


def total(of: Iterable[Line]) -> int:
    """What the lines come to, in cents."""
    return sum(line.cents for line in of)


def credit_used(of: Iterable[Line]) -> int:
    """How much credit the lines use, in cents, positive."""
    return -sum(line.cents for line in of if line.kind is LineKind.CREDIT)


def to_plain(of: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines as plain values, to be kept with the charge."""
    return [
        {"kind": line.kind.value, "cents": line.cents, "vat_basis_points": line.vat_basis_points}
        | ({"text": line.text} if line.text else {})
        for line in of
    ]


def from_plain(kept: Iterable[Mapping[str, Any]]) -> list[Line]:
    """The lines as they were kept."""
    return [
        Line(LineKind(one["kind"]), one["cents"], one["vat_basis_points"], one.get("text", ""))
        for one in kept
    ]
