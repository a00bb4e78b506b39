"""Selling by one click on a mandate that is there: what stands in the way of it.

A click is as good as a payment at the bank only where the mandate has shown itself; until then little is
sold on it. What does not fit is not refused to the buyer: she pays at the ordinary checkout.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import Policy


class Refusal(StrEnum):
    """Why something cannot be sold by one click. The first two are told; the others lead to the checkout."""

    HAS_IT = "has_it"
    BLOCKED = "blocked"
    NOT_SOLD = "not_sold"
    NO_MANDATE = "no_mandate"
    TRIAL = "trial"
    OVER_CAP = "over_cap"


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody would buy now. `signed_on` is the day of her valid mandate, None without one; `sold_cents`
    is what was sold on it by one click since it is young."""

    terms: Terms
    today: date
    signed_on: date | None
    sold_cents: int = 0
    has_it: bool = False
    blocked: bool = False
    archived: bool = False


def refusal(click: Click, policy: Policy) -> Refusal | None:
    """Why this is not sold by one click; None when it is."""
    checks = (
        (click.blocked, Refusal.BLOCKED),
        (click.has_it, Refusal.HAS_IT),
        (click.archived, Refusal.NOT_SOLD),
        (click.signed_on is None, Refusal.NO_MANDATE),
        (click.terms.trial is not None, Refusal.TRIAL),
        (_is_over_cap(click, policy), Refusal.OVER_CAP),
    )
    return next((why for holds, why in checks if holds), None)


def at_stake(terms: Terms) -> int:
    """What could be lost on one click, in cents: the first period, or the whole of a price in parts, since
    all of what it buys is open from the start."""
    whole = terms.total_cents if terms.kind is PlanKind.INSTALMENTS else None
    return (whole or terms.price_cents(terms.first_period)) + terms.setup_fee_cents


def _is_over_cap(click: Click, policy: Policy) -> bool:
    if not policy.upsell_cap_cents or click.signed_on is None:
        return False
    is_young = (click.today - click.signed_on).days < policy.upsell_young_days
    return is_young and click.sold_cents + at_stake(click.terms) > policy.upsell_cap_cents
