"""The receipt of an amount that was paid: what for, and the VAT in it by rate."""

from dataclasses import dataclass
from datetime import date

from linkpay.domain import pricing, tax
from linkpay.domain.money import Money
from linkpay.domain.plan import Terms
from linkpay.domain.pricing import Line, LineKind
from linkpay.errors import NotFound
from linkpay.services import portal
from linkpay.store import holdings
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Site


@dataclass(frozen=True, slots=True)
class Receipt:
    """One amount that was paid, for the books of who paid it. `vat` is (rate, gross, VAT in it)."""

    number: str
    paid: portal.Paid
    customer_name: str
    customer_email: str
    starts_on: date
    ends_on: date
    lines: tuple[Line, ...]
    terms: Terms
    vat: tuple[tuple[int, Money, Money], ...]
    plan_title: str
    provider_id: str | None
    refunded: Money
    charged_back: Money
    company: str | None = None
    vat_number: str | None = None


def receipt(tx: Tx, site: Site, customer_id: int, token: str) -> Receipt:
    """The receipt of one paid charge. Raises NotFound ``receipt_unknown``."""
    found = holdings.charge_of(tx, site.id, customer_id, token)
    if found is None or found[0].paid_cents == 0:
        raise NotFound("receipt_unknown", "There is no such receipt.")
    charge, held = found
    payment = holdings.last_payments(tx, [charge.id]).get(charge.id)
    customer = tx.get_one(Customer, customer_id)
    lines = pricing.from_plain(charge.lines) or [
        Line(LineKind.PERIOD, charge.amount_cents, charge.vat_basis_points)
    ]
    currency = charge.currency
    return Receipt(
        number=f"{site.slug}-{charge.id}".upper(),
        paid=portal.paid(charge, held.offer.title, payment),
        customer_name=customer.name,
        customer_email=customer.email,
        starts_on=charge.starts_on,
        ends_on=charge.ends_on,
        lines=tuple(lines),
        terms=held.subscription.terms,
        vat=tuple(
            (rate, Money(gross, currency), Money(vat, currency))
            for rate, (gross, vat) in tax.by_rate(lines).items()
        ),
        plan_title=held.plan.title,
        provider_id=payment.mollie_id if payment else None,
        refunded=Money(charge.refunded_cents, currency),
        charged_back=Money(charge.charged_back_cents, currency),
        company=held.subscription.company,
        vat_number=held.subscription.vat_number,
    )
