"""What one period of one subscription costs, from everything that bears on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from linkpay.domain import pricing, proof
from linkpay.domain.calendar import Period, period
from linkpay.domain.charge import ChargeState
from linkpay.domain.coupon import Discount, DiscountKind, Duration
from linkpay.domain.money import Money
from linkpay.domain.plan import TRIAL_PERIOD, PlanKind, Terms
from linkpay.domain.pricing import Line
from linkpay.domain.proration import used_cents
from linkpay.store import agreements
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Subscription


@dataclass(frozen=True, slots=True)
class Bearing:
    """What bears on the price of a period beside the agreed terms.

    `announced_cents` is a price that was told to the member and counts by then, None where none does.
    """

    announced_cents: int | None
    discount: Discount | None
    credit_cents: int


def lines(
    tx: Tx, subscription: Subscription, index: int, due_on: date, extras: Sequence[Line] = ()
) -> list[Line]:
    """The lines of period `index` when it is due on `due_on`; what the charge will say, and no more.

    Reads only: `raised` writes down what a charge used up.
    """
    announced = agreements.price_on(tx, subscription.id, due_on)
    credit = agreements.credit_cents(tx, subscription.id)
    return made_of(subscription, index, Bearing(announced, discount(tx, subscription), credit), extras)


def made_of(
    subscription: Subscription, index: int, bearing: Bearing, extras: Sequence[Line] = ()
) -> list[Line]:
    """The lines of period `index`, given what bears on its price. Pure: a forecast uses it, too."""
    terms = _cut_short(priced(subscription, bearing.announced_cents), subscription, index)
    return pricing.lines(
        terms, index, vat_basis_points=subscription.vat_basis_points, discount=bearing.discount,
        extras=extras, credit_cents=bearing.credit_cents,
    )  # fmt: skip


def terms_on(tx: Tx, subscription: Subscription, due_on: date) -> Terms:
    """The terms as they count for a charge due on a day: with the price that was announced for it."""
    return priced(subscription, agreements.price_on(tx, subscription.id, due_on))


def priced(subscription: Subscription, announced_cents: int | None) -> Terms:
    """The terms with a price that was announced, where one was and they run without an end."""
    terms = subscription.terms
    if announced_cents is None or terms.periods is not None:
        return terms
    return replace(terms, amount=Money(announced_cents, subscription.currency))


def days_of(subscription: Subscription, index: int) -> Period:
    """The days of one of its periods, charged or not."""
    assert subscription.anchor_on is not None  # noqa: S101 - every started subscription has one
    return period(
        subscription.anchor_on, subscription.terms.interval, index, anchor_index=subscription.anchor_index
    )


def step_past(subscription: Subscription, days: Period) -> None:
    """The period with these days has its charge: the next one is due when it is over, if there is one."""
    subscription.next_index = days.index + 1
    goes_on = subscription.terms.has_period(days.index + 1)
    subscription.next_charge_on = days.ends_on if goes_on else None


def ends_on(subscription: Subscription, days: Period) -> date:
    """The first day after a period that is about to be charged: a membership may end within it."""
    last = subscription.cancel_on
    is_cut = subscription.kind is PlanKind.MEMBERSHIP and last is not None
    return min(days.ends_on, last) if is_cut and last and last > days.starts_on else days.ends_on


def _cut_short(terms: Terms, subscription: Subscription, index: int) -> Terms:
    """The terms with the price of the days only that a last period has."""
    if subscription.anchor_on is None or index == TRIAL_PERIOD:
        return terms
    days = days_of(subscription, index)
    last = ends_on(subscription, days)
    if last == days.ends_on:
        return terms
    cents = used_cents(terms.amount.cents, days.starts_on, days.ends_on, last)
    return replace(terms, amount=Money(max(cents, 1), terms.amount.currency))


def discount(tx: Tx, subscription: Subscription) -> Discount | None:
    """What the subscription's coupon takes off."""
    used = agreements.redemption(tx, subscription.id)
    if used is None:
        return None
    return Discount(DiscountKind(used.kind), used.value, Duration(used.duration), used.periods)


def values(made: Sequence[Line], subscription: Subscription) -> dict[str, Any]:
    """The columns of a charge that follow from its lines."""
    return {
        "amount_cents": pricing.total(made),
        "currency": subscription.currency,
        "lines": pricing.to_plain(made),
        "vat_basis_points": subscription.vat_basis_points,
    }


def raised(tx: Tx, subscription: Subscription, charge: Charge) -> None:
    """A charge was made: its credit is used up, and one that asks for nothing is paid."""
    used = pricing.credit_used(pricing.from_plain(charge.lines))
    if used:
        agreements.add_credit(
            tx, subscription, -used, reason="used", ref=f"charge:{charge.id}", charge_id=charge.id,
            now=charge.created_at,
        )  # fmt: skip
    if charge.amount_cents == 0 and charge.state is not ChargeState.WRITTEN_OFF:
        charge.state, charge.paid_at = ChargeState.PAID, charge.created_at


def only_checks(charge: Charge) -> bool:
    """Whether a charge asks for nothing but the cent that proves an account."""
    return proof.only_checks(pricing.from_plain(charge.lines))


def proof_method(charge: Charge) -> str | None:
    """The one method by which the charge's first payment can be made; None: any."""
    known = charge.lines or charge.is_check
    return proof.method_of(pricing.from_plain(charge.lines)) if known else None


def awaits_payer(subscription: Subscription, charge: Charge) -> bool:
    """Whether somebody has yet to pay: money, or the payment of nothing that makes a mandate."""
    if charge.asked_cents > 0:
        return True
    to_prove = subscription.started_at is None and subscription.terms.needs_mandate
    if charge.is_check:
        to_prove = charge.paid_at is None
    return to_prove and charge.amount_cents == 0
