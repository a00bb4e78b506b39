"""Every statement that must always be true, judged after a run by the providers' own books.

What should be is told from the sandbox's books and from what people did in the run, never from our tables
alone: these are then compared with it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from linkpay.store.tables import (
    Attention,
    Charge,
    Consent,
    Grant,
    Inbox,
    LedgerEntry,
    Mandate,
    Member,
    Outbox,
    Payment,
    Subscription,
)
from linkpay.store.tables.people import Access
from tests.chaos.course import Course

#: Fates after which nobody is let in at the end of a run.
OUT = {"bounces", "charges_back", "leaves", "refunded"}
_OVERDUE = timedelta(minutes=10)
_ZONE = ZoneInfo("Europe/Amsterdam")
_LIVE = ("paid", "pending", "open", "authorized")


@dataclass
class Books:
    """Both sides' books at one moment."""

    course: Course
    payments: list[dict[str, Any]] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    customers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ask = self.course.town.sandbox.ask
        state = ask("GET", "state?include=payments,customers,deliveries")
        self.payments, self.deliveries = state["payments"], state["deliveries"]
        self.customers = {one["id"]: one["email"] for one in state["customers"]}
        self.members = ask("GET", "kajabi/members")

    @property
    def now(self) -> datetime:
        return self.course.town.parts.clock.now()


def charged_once(books: Books) -> Iterator[str]:
    """1. No period is collected twice net of what went back; no attempt of ours is two payments."""
    kept = Counter(
        (one["customer_id"], one["description"])
        for one in books.payments
        if one["status"] in _LIVE and one["amount_cents"] > one["refunded_cents"] + one["charged_back_cents"]
    )
    yield from (f"{who} pays {times} times for {what}" for (who, what), times in kept.items() if times > 1)
    uids = Counter((one["metadata"] or {}).get("linkpay") for one in books.payments)
    yield from (f"attempt {uid} is {times} payments" for uid, times in uids.items() if times > 1)


def ledger_is_mollies(books: Books) -> Iterator[str]:
    """2. Per payment and per charge, our ledger holds what Mollie holds."""
    with books.course.town.parts.database.read() as tx:
        ours = {one.mollie_id: one for one in tx.query(Payment) if one.mollie_id}
        booked: Counter[int] = Counter()
        for entry in tx.query(LedgerEntry):
            booked[entry.payment_id or 0] += entry.amount_cents
        by_charge: Counter[int] = Counter()
        for there in books.payments:
            payment = ours.pop(there["id"], None)
            if payment is None:
                yield f"{there['id']} at Mollie is nobody's"
                continue
            paid = there["amount_cents"] if there["status"] == "paid" else 0
            net = paid and paid - there["refunded_cents"] - there["charged_back_cents"]
            by_charge[payment.charge_id] += net
            if booked[payment.id] != net:
                yield f"{there['id']}: ledger {booked[payment.id]}, Mollie {net}"
            if payment.status is None or payment.status.value != there["status"]:
                yield f"{there['id']} is {there['status']}, we say {payment.status}"
        yield from (f"{mollie_id} is not at Mollie" for mollie_id in ours)
        for charge in tx.query(Charge):
            if charge.money.kept_cents != by_charge[charge.id]:
                yield f"charge {charge.id} kept {charge.money.kept_cents}, Mollie {by_charge[charge.id]}"


def access_follows_money(books: Books) -> Iterator[str]:
    """3 and 4. Who is let in is who should be; what we wanted, applied and Kajabi has are one."""
    fates = books.course.fates
    bought = {one.email for one in books.course.town.buyers}
    should = {email for email in bought if fates.get(email) not in OUT}
    inside = {one["email"] for one in books.members if any(o["state"] == "granted" for o in one["offers"])}
    yield from (f"{email} ({fates.get(email, 'pays')}) is kept out" for email in sorted(should - inside))
    yield from (f"{email} ({fates.get(email, 'stranger')}) is inside" for email in sorted(inside - should))
    with books.course.town.parts.database.read() as tx:
        rows = tx.query(Grant, Member).join(Member, Member.id == Grant.member_id)
        for grant, member in rows:
            there = member.email in inside
            if not (grant.wanted is grant.applied and (grant.wanted is Access.GRANTED) is there):
                yield f"{member.email}: wanted {grant.wanted}, applied {grant.applied}, at Kajabi {there}"


def nothing_waits(books: Books) -> Iterator[str]:
    """5. Every message is handled or shown to a person; nothing owed is overdue."""
    with books.course.town.parts.database.read() as tx:
        for message in tx.query(Inbox).filter(Inbox.done_at.is_(None), Inbox.parked_at.is_(None)):
            yield f"inbox {message.id} ({message.ref}) is not handled: {message.last_error}"
        for row in tx.query(Outbox).filter(
            Outbox.done_at.is_(None), Outbox.parked_at.is_(None), Outbox.run_at < books.now - _OVERDUE
        ):
            yield f"{row.kind} {row.id} is overdue since {row.run_at}: {row.last_error}"
        aside = [
            *tx.query(Inbox).filter(Inbox.parked_at.is_not(None)),
            *tx.query(Outbox).filter(Outbox.parked_at.is_not(None)),
        ]
        yield from (f"{row.__tablename__} {row.id} was set aside: {row.last_error}" for row in aside)
        for item in tx.query(Attention).filter_by(solved_at=None):
            if item.kind == "parked":
                yield f"attention: {item.detail}"


def nothing_acknowledged_is_lost(books: Books) -> Iterator[str]:
    """5. Each 200 that Mollie got stands for a row that was committed."""
    acknowledged: Counter[str] = Counter()
    for delivery in books.deliveries:
        acknowledged[delivery["subject"]] += sum(try_["status"] == 200 for try_ in delivery["attempts"])
    with books.course.town.parts.database.read() as tx:
        kept = Counter(message.ref for message in tx.query(Inbox) if message.content_type)
    for subject, times in acknowledged.items():
        if kept[subject] < times:
            yield f"{subject}: {times} webhooks acknowledged, {kept[subject]} kept"


def charged_with_permission(books: Books) -> Iterator[str]:
    """6. Each debit names a mandate of its payer, has a consent, and does not come before its day."""
    with books.course.town.parts.database.read() as tx:
        agreed = {one.subscription_id for one in tx.query(Consent)}
        mandates = {one.mollie_id: one.customer_id for one in tx.query(Mandate)}
        charges = {one.id: one for one in tx.query(Charge)}
        ours = {one.mollie_id: one for one in tx.query(Payment) if one.mollie_id}
        for there in books.payments:
            payment = ours.get(there["id"])
            if payment is None or there["sequence_type"] != "recurring":
                continue
            charge = charges[payment.charge_id]
            if mandates.get(there["mandate_id"] or "") != payment.customer_id:
                yield f"{there['id']} is on somebody else's mandate"
            if charge.subscription_id not in agreed:
                yield f"{there['id']} was charged without a consent"
            made_on = datetime.fromisoformat(there["created_at"]).astimezone(_ZONE).date()
            if made_on < charge.due_on:
                yield f"{there['id']} was charged on {made_on}, due on {charge.due_on}"
            if there["amount_cents"] > charge.amount_cents:
                yield f"{there['id']} asks more than was meant"


def nothing_after_the_end(books: Books) -> Iterator[str]:
    """7. Nobody is charged after she left."""
    last: dict[str, str] = defaultdict(str)
    for there in books.payments:
        if there["sequence_type"] == "recurring":
            email = books.customers.get(there["customer_id"], "")
            last[email] = max(last[email], there["created_at"])
    with books.course.town.parts.database.read() as tx:
        rows = tx.query(Subscription, Member).join(Member, Member.id == Subscription.member_id)
        for subscription, member in rows:
            asked_at = subscription.cancel_asked_at
            if asked_at and last[member.email] and datetime.fromisoformat(last[member.email]) > asked_at:
                yield f"{member.email} was charged after she left"


def every_month_was_asked(books: Books) -> Iterator[str]:
    """Nothing is forgotten either: who simply pays has paid once for each month."""
    fates, months = books.course.fates, books.course.plan.renewals + 1
    paid = Counter(books.customers[one["customer_id"]] for one in books.payments if one["status"] == "paid")
    for buyer in books.course.town.buyers:
        if fates.get(buyer.email) in (None, "no_money_once", "refunded") and paid[buyer.email] != months:
            yield f"{buyer.email} paid {paid[buyer.email]} of {months} months"


Rule = Callable[[Books], Iterator[str]]
RULES: Sequence[Rule] = (
    charged_once,
    ledger_is_mollies,
    access_follows_money,
    nothing_waits,
    nothing_acknowledged_is_lost,
    charged_with_permission,
    nothing_after_the_end,
    every_month_was_asked,
)


def judge(course: Course) -> dict[str, list[str]]:
    """What is wrong, by rule; an empty list where a rule holds. Call it when everything has come to rest."""
    books = Books(course)
    return {rule.__name__: list(rule(books)) for rule in RULES}
