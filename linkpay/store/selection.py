"""The list of members: who is meant by a filter, found by key and never by counting past rows. Reads only.

Every order is by number, newest first, so that the next page begins behind the last row of this one whatever
was added meanwhile. Words are looked for in the people first, which are few and narrow rows, and only then in
their subscriptions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select

from linkpay.domain.charge import UNSETTLED
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import finding
from linkpay.store.db import Tx
from linkpay.store.desk import Row, rows_of
from linkpay.store.tables import (
    Charge,
    Customer,
    Mandate,
    Outbox,
    Payment,
    Refund,
    Subscription,
    Takeover,
)

#: Where somebody with a failed payment stands: anywhere, before another debit, after the last, stopped.
STEPS = ("failing", "debit", "no_debit", "stopped")
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which subscriptions are meant. Empty means all; `offer` and `plan` are numbers, `step` one of STEPS."""

    search: str = ""
    state: SubscriptionState | None = None
    offer: int | None = None
    plan: int | None = None
    step: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everybody is meant."""
        return self == Filter()

    def plain(self) -> dict[str, Any]:
        """What is asked for, as plain values to be kept or put into an address."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a filter means on a site, with the people of its words looked up once; `many` have such words."""

    site_id: int
    conditions: tuple[ColumnElement[bool], ...]
    many: bool = False


def meant(tx: Tx, site_id: int, wanted: Filter) -> Meant:
    """Whom a filter means, to be asked for in the same transaction."""
    conditions, many = _conditions(site_id, wanted), False
    if wanted.search:
        found, many = _matches(tx, site_id, wanted.search)
        conditions.append(found)
    return Meant(site_id, tuple(conditions), many)


def page(tx: Tx, of: Meant, *, before: int | None = None, limit: int = 50) -> Sequence[Row]:
    """The subscriptions that are meant, newest first, beginning behind the one numbered `before`."""
    query = rows_of(of.site_id).where(*of.conditions).order_by(Subscription.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Subscription.id < before)
    return [Row(*found) for found in tx.execute(query)]


def count(tx: Tx, of: Meant) -> int:
    """How many are meant."""
    query = select(func.count(Subscription.id)).where(Subscription.site_id == of.site_id, *of.conditions)
    return int(tx.scalar(query) or 0)


def numbers(tx: Tx, of: Meant, *, before: int | None = None, limit: int) -> list[int]:
    """The numbers of the subscriptions that are meant, newest first."""
    query = select(Subscription.id).where(Subscription.site_id == of.site_id, *of.conditions)
    if before is not None:
        query = query.where(Subscription.id < before)
    return list(tx.scalars(query.order_by(Subscription.id.desc()).limit(limit)))


def every_row(tx: Tx, of: Meant) -> Iterator[Row]:
    """Everybody who is meant, a page in memory at a time."""
    before: int | None = None
    while found := page(tx, of, before=before, limit=_AT_ONCE):
        yield from found
        before = found[-1].subscription.id
        tx.expunge_all()


def _conditions(site_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    # Written out, so that the indexes that leave bumps out are used for it.
    found: list[ColumnElement[bool]] = [Subscription.origin != literal("bump", literal_execute=True)]
    if wanted.state is not None:
        found.append(Subscription.state == wanted.state)
    if wanted.offer is not None:
        found.append(Subscription.offer_id == wanted.offer)
    if wanted.plan is not None:
        found.append(Subscription.plan_id == wanted.plan)
    if wanted.step in STEPS:
        found.append(Subscription.id.in_(_on_the_ladder(site_id, wanted.step or "")))
    return found


def _on_the_ladder(site_id: int, step: str) -> Select[int]:
    """The subscriptions with a failed charge that is still asked for, where it stands at this step."""
    query = select(Charge.subscription_id).where(
        Charge.site_id == site_id, Charge.failed_at.is_not(None), Charge.state.in_(UNSETTLED)
    )
    debit_to_come = exists(
        select(Outbox.id).where(
            Outbox.kind == "dunning_step", Outbox.target_id == Charge.id, Outbox.done_at.is_(None),
            Outbox.parked_at.is_(None), Outbox.ref.endswith(":debit"),
        )
    )  # fmt: skip
    match step:
        case "debit":
            return query.where(debit_to_come, Charge.dunning_stopped_at.is_(None))
        case "no_debit":
            return query.where(~debit_to_come, Charge.dunning_stopped_at.is_(None))
        case "stopped":
            return query.where(Charge.dunning_stopped_at.is_not(None))
    return query


def _matches(tx: Tx, site_id: int, search: str) -> tuple[ColumnElement[bool], bool]:
    """By anything: an id at Mollie, or words of a name, an address or an id at Kajabi; and if of many."""
    by_id = _by_mollie_id(site_id, search)
    if by_id is not None:
        return Subscription.id.in_(tx.scalars(by_id).all()), False
    return finding.subscriptions_of(tx, site_id, search)


def _by_mollie_id(site_id: int, search: str) -> Select[int] | None:
    """The subscriptions behind an id at Mollie, by number; None where the words are none."""
    kind, _, rest = search.partition("_")
    if not rest or not rest.isalnum():
        return None
    paid = select(Charge.subscription_id).join(Payment, Payment.charge_id == Charge.id)
    bought = select(Subscription.id)
    match kind:
        case "tr":
            return paid.where(Payment.site_id == site_id, Payment.mollie_id == search)
        case "re":
            returned = paid.join(Refund, Refund.payment_id == Payment.id)
            return returned.where(Refund.site_id == site_id, Refund.mollie_id == search)
        case "cst":
            payer = bought.join(Customer, Customer.id == Subscription.customer_id)
            return payer.where(Customer.site_id == site_id, Customer.mollie_id == search)
        case "mdt":
            mandate = bought.join(Mandate, Mandate.customer_id == Subscription.customer_id)
            return mandate.where(
                Mandate.site_id == site_id, Mandate.mollie_id == search, Subscription.mandate_id == Mandate.id
            )
        case "sub":
            taken = bought.join(Takeover, Takeover.subscription_id == Subscription.id)
            return taken.where(Takeover.site_id == site_id, Takeover.mollie_subscription_id == search)
    return None
