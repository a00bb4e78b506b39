"""What the words about a trouble may speak of, and which rows stand still because of it."""

from collections.abc import Sequence
from typing import Any

from linkpay.domain.money import Money
from linkpay.redaction import clean
from linkpay.services.formats import money_text
from linkpay.store import charges, drift, grants, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import (
    Attention,
    Charge,
    Customer,
    DriftFinding,
    Grant,
    Inbox,
    Member,
    Offer,
    Outbox,
    Payment,
    Refund,
    Subscription,
)
from linkpay.store.tables.people import Access

_OPENED = {"nl": ("geopend", "gesloten"), "en": ("opened", "closed")}
_LET_IN = {"nl": ("toegelaten", "buitengesloten"), "en": ("let in", "shut out")}


class Facts(dict[str, str]):
    """A dash for what is not known."""

    def __missing__(self, key: str) -> str:
        return "–"


def of(tx: Tx, item: Attention, locale: str) -> Facts:
    """All that is known about an item, as people read it in this language."""
    detail = clean(item.detail)
    found: dict[str, Any] = {"detail": detail, "site": sites.get(tx, item.site_id).name}
    # What providers and checks say is English; who reads Dutch is told so.
    found["in_english"] = f"Melding, in het Engels: “{detail}”" if detail else ""
    what, _, number = item.subject.partition(":")
    row_id = int(number) if number.isdigit() else 0
    match what:
        case "grant" if (grant := tx.get(Grant, row_id)) is not None:
            found |= _of_grant(tx, grant, locale)
        case "charge" if (charge := tx.get(Charge, row_id)) is not None:
            found |= _of_charge(tx, charge, locale)
        case "payment" if (payment := tx.get(Payment, row_id)) is not None:
            found |= {"payment": payment.mollie_id or f"{payment.id}"}
        case "subscription" if (subscription := tx.get(Subscription, row_id)) is not None:
            found |= {
                "email": tx.get_one(Customer, subscription.customer_id).email,
                "offer": tx.get_one(Offer, subscription.offer_id).title,
            }
        case "refund":
            found |= _of_refund(tx, row_id, locale)
        case "inbox" | "outbox":
            found |= {"work": _work(tx, item)}
        case "drift":
            found |= {"differences": len(open_findings(tx, item))}
    found |= {name: value for name, value in item.data.items() if isinstance(value, str | int)}
    if "cents" in item.data:
        lost = Money(int(item.data["cents"]), str(item.data.get("currency", "EUR")))
        found |= {"lost": money_text(lost, locale)}
    return Facts({name: str(value) for name, value in found.items()})


def _of_grant(tx: Tx, grant: Grant, locale: str) -> dict[str, Any]:
    member, wanted = tx.get_one(Member, grant.member_id), int(grant.wanted is not Access.GRANTED)
    return {
        "email": member.email, "external_id": member.external_user_id,
        "offer": tx.get_one(Offer, grant.offer_id).title, "opened_or_closed": _OPENED[locale][wanted],
        "let_in_or_out": _LET_IN[locale][wanted],
    }  # fmt: skip


def _of_charge(tx: Tx, charge: Charge, locale: str) -> dict[str, Any]:
    subscription = tx.get_one(Subscription, charge.subscription_id)
    kept = charge.money.kept_cents
    return {
        "email": tx.get_one(Customer, subscription.customer_id).email,
        "amount": money_text(Money(max(kept, 0) or charge.amount_cents, charge.currency), locale),
        "lost": money_text(Money(max(-kept, 0), charge.currency), locale),
    }  # fmt: skip


def _of_refund(tx: Tx, refund_id: int, locale: str) -> dict[str, Any]:
    refund = charges.refund(tx, refund_id)
    payment = charges.payment(tx, refund.payment_id)
    known = _of_charge(tx, charges.get(tx, payment.charge_id), locale)
    return known | {
        "amount": money_text(Money(refund.amount_cents, refund.currency), locale),
        "payment": payment.mollie_id or "",
    }


def _work(tx: Tx, item: Attention) -> str:
    for row in rows_behind(tx, item):
        return row.source if isinstance(row, Inbox) else row.kind
    return "–"


def rows_behind(tx: Tx, item: Attention) -> Sequence[Inbox | Outbox]:
    """The parked rows that wait for this trouble to be solved."""
    what, _, number = item.subject.partition(":")
    match what:
        case "inbox" | "outbox":
            return work.parked_by_id(tx, Inbox if what == "inbox" else Outbox, item.site_id, int(number))
        case "offer":
            return work.parked_messages(tx, item.site_id, f"Kajabi offer {number}")
        case "grant":
            return work.parked_work(tx, "apply_grant", int(number))
        case "refund":
            return work.parked_work(tx, "send_refund", int(number))
    return []


def subscription_of(tx: Tx, item: Attention) -> int | None:
    """The subscription that an item is about, the newest where it is about a member's access."""
    what, _, number = item.subject.partition(":")
    row_id = int(number) if number.isdigit() else 0
    match what:
        case "charge" if (charge := tx.get(Charge, row_id)) is not None:
            return charge.subscription_id
        case "payment" if (payment := tx.get(Payment, row_id)) is not None:
            return charges.get(tx, payment.charge_id).subscription_id
        case "refund" if (refund := tx.get(Refund, row_id)) is not None:
            return charges.get(tx, charges.payment(tx, refund.payment_id).charge_id).subscription_id
        case "grant" if (grant := tx.get(Grant, row_id)) is not None:
            owned = subscriptions.for_access(tx, grant.member_id, grant.offer_id)
            return owned[-1].id if owned else None
    return None


def open_findings(tx: Tx, item: Attention) -> Sequence[DriftFinding]:
    """What the newest comparison of the offer found and nobody put right."""
    run_id = drift.newest_run(tx, int(item.subject.partition(":")[2]))
    return drift.open_findings(tx, run_id) if run_id is not None else []


def grant_of(tx: Tx, item: Attention) -> Grant:
    """The grant that an item is about."""
    return grants.get(tx, int(item.subject.partition(":")[2]))
