"""After a restore or a long outage: Mollie knows more than we do, so its books come first and billing waits.

A backup knows nothing of what was charged after it was made. Every attempt names its subscription and period
at Mollie, so each is taken in as what it was; until that is done nothing is charged at the site.
"""

import re
from datetime import datetime, timedelta

from linkpay.domain.calendar import local_day
from linkpay.domain.money import Money
from linkpay.domain.snapshots import FINAL, PaymentSnapshot, Sequence
from linkpay.services import billing, debits, settlement
from linkpay.services.settlement import Sighting
from linkpay.store import charges, grants, journal, people, progress, sites, subscriptions, work
from linkpay.store import recovery as store
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Charge, Customer, Payment, Site, Subscription
from linkpay.store.tables.money import Stroke

#: So long a clock process may be silent before what happened meanwhile is read before anything is charged.
OUTAGE = timedelta(hours=1)
#: Mollie's payments are read from so long before: a debit is decided about a week after it was made.
_BEFORE = timedelta(days=14)
_MOST_DAYS = timedelta(days=60)
#: More missed periods than this in a backup are no backup of this year.
_MOST_PERIODS = 40
_NAMED = re.compile(r"(\d{1,18})\.(-?\d{1,5})\.[0-9a-f]{6,16}")
KIND = "catch_up"
_AT_MOLLIE = "mollie:"


def notice_outage(tx: Tx, last_at: datetime, now: datetime) -> None:
    """Nothing ran since `last_at`: every site that charges reads Mollie's books first."""
    for site in sites.all_sites(tx):
        if site.mollie_key_sealed is not None:
            site.catch_up_from = min(site.catch_up_from or last_at, last_at)
            owe(tx, site, now)


def owe(tx: Tx, site: Site, now: datetime) -> None:
    """See to it that a site which is to catch up does so."""
    if not work.waiting(tx, KIND, f"site:{site.id}"):
        work.schedule(
            tx, site_id=site.id, kind=KIND, ref=f"site:{site.id}", target_id=site.id, run_at=now, now=now
        )


def reads_from(tx: Tx, site_id: int, now: datetime) -> datetime | None:
    """From when on Mollie's payments are read to catch up; None when there is nothing to catch up with."""
    since = sites.get(tx, site_id).catch_up_from
    if since is None:
        return None
    oldest = store.oldest_open(tx, site_id) or since
    return max(min(since, oldest) - _BEFORE, now - _MOST_DAYS)


def finish(tx: Tx, site_id: int, now: datetime) -> None:
    """All that Mollie knows is in the books: charging goes on, and after a restore access is given anew."""
    site = tx.get_one(Site, site_id, with_for_update=FOR_CHANGE, populate_existing=True)
    site.catch_up_from = None
    tx.flush()
    if progress.find(tx, store.restored(site_id)) is None:
        return
    progress.forget(tx, store.restored(site_id))
    # What Kajabi was told after the backup was made is not known any more. Done once more, nobody is mailed.
    for number, grant in enumerate(store.grants(tx, site_id)):
        grants.doubt(grant)
        grant.mismatches = 1
        tx.flush()
        work.add(
            tx, site_id=site_id, kind="apply_grant", ref=f"{grant.id}:{grant.version}:restored",
            target_id=grant.id, run_at=now + timedelta(seconds=number // 5), now=now,
        )  # fmt: skip


def name_customer(tx: Tx, payment: Payment, seen: PaymentSnapshot) -> None:
    """A customer whose number at Mollie was lost with the answer has the one that her payment names."""
    customer = tx.get_one(Customer, payment.customer_id, with_for_update=FOR_CHANGE)
    if customer.mollie_id is None and store.customer_id(tx, payment.site_id, seen.customer_id) is None:
        customer.mollie_id = seen.customer_id
        tx.flush()


def needs_mandate(tx: Tx, site_id: int, seen: PaymentSnapshot) -> bool:
    """Whether a payment that we do not know names a mandate that we do not know either."""
    unknown = seen.mandate_id is not None and store.mandate(tx, site_id, seen.mandate_id) is None
    return unknown and seen.customer_id is not None and seen.sequence is Sequence.RECURRING


def adopt(tx: Tx, site_id: int, seen: Sighting, now: datetime) -> bool:
    """Take in a payment of ours that our books lost; False when it is not clear what it was for.

    Its charge is raised as it was then, when that is lost as well. A payment that was prepared before and
    never answered is let go for it. Caller has seen that no attempt carries its id.
    """
    subscription = _subscription_of(tx, site_id, seen.payment)
    if subscription is None:
        return False
    site = sites.get(tx, site_id)
    period = int(seen.payment.metadata["linkpay"].split(".")[1])
    charge = _charge_of(tx, site, subscription, period, seen.payment, now)
    payment = _attempt(tx, subscription, charge, seen, now) if charge is not None else None
    if payment is None:
        return False
    journal.record(
        tx, "payment_recovered", "reconcile", now, subscription=subscription, payment=payment,
        ref=seen.payment.id, amount_cents=seen.payment.amount.cents,
    )  # fmt: skip
    settlement.settle(tx, payment.id, seen, now)
    debits.follow(tx, charges.payment(tx, payment.id), seen.payment, now)
    return True


def _subscription_of(tx: Tx, site_id: int, seen: PaymentSnapshot) -> Subscription | None:
    """Whose it is: numbers are given anew after a restore, so the customer at Mollie has to be hers."""
    named = _NAMED.fullmatch(seen.metadata.get("linkpay", ""))
    found = tx.get(Subscription, int(named[1])) if named else None
    if found is None or found.site_id != site_id or seen.customer_id is None:
        return None
    if tx.get_one(Customer, found.customer_id).mollie_id != seen.customer_id:
        return None
    return subscriptions.lock(tx, found.id) if found.currency == seen.amount.currency else None


def _charge_of(
    tx: Tx, site: Site, subscription: Subscription, period: int, seen: PaymentSnapshot, now: datetime
) -> Charge | None:
    """The charge of a period; raised, with those before it, as on the day on which it was asked for."""
    for _ in range(_MOST_PERIODS):
        known = store.charge(tx, subscription.id, period)
        if known is not None or subscription.anchor_on is None or period < subscription.next_index:
            return known
        if not subscription.terms.has_period(subscription.next_index):
            return None
        billing.raise_charge(tx, site, subscription, local_day(seen.created_at, site.zone), now)
    return None


def _attempt(
    tx: Tx, subscription: Subscription, charge: Charge, seen: Sighting, now: datetime
) -> Payment | None:
    made = seen.payment
    mandate = store.mandate(tx, subscription.site_id, made.mandate_id) if made.mandate_id else None
    if mandate is None and seen.mandate is not None:
        mandate = people.put_mandate(
            tx, site_id=subscription.site_id, customer_id=subscription.customer_id, seen=seen.mandate, now=now
        )
    if made.sequence is Sequence.RECURRING and mandate is None:
        return None
    waiting = charges.open_payment(tx, charge.id)
    if waiting is not None and waiting.mollie_id is None:
        debits.refuse(waiting)
        waiting = None
        tx.flush()
    uid = made.metadata["linkpay"]
    payment = Payment(
        site_id=subscription.site_id, charge_id=charge.id, customer_id=subscription.customer_id, uid=uid,
        sequence=made.sequence, mandate_id=mandate.id if mandate else None,
        amount_cents=made.amount.cents, currency=made.amount.currency, stroke=Stroke.KNOWN,
        is_open=made.status not in FINAL and waiting is None, idempotency_key=uid, mollie_id=made.id,
        key_used_at=made.created_at, created_at=made.created_at,
    )  # fmt: skip
    tx.add(payment)
    tx.flush()
    return payment


def reported(tx: Tx, site_id: int) -> set[str]:
    """Mollie's ids of the payments that a person was ever asked about as unknown."""
    return {
        subject.removeprefix(_AT_MOLLIE) for subject in journal.subjects_of(tx, site_id, "unknown_payment")
    }


def report_unknown(tx: Tx, site_id: int, seen: PaymentSnapshot, now: datetime) -> None:
    """Ask for a person about a payment of ours at Mollie that nothing in our books explains."""
    amount = Money(seen.amount.cents, seen.amount.currency)
    journal.need_attention(
        tx, site_id=site_id, kind="unknown_payment", subject=f"{_AT_MOLLIE}{seen.id}", now=now,
        detail=f"{seen.id} at Mollie was made by LinkPay and is in no book: {seen.description}"[:500],
        payment=seen.id, cents=amount.cents, currency=amount.currency, description=seen.description[:120],
        status=seen.status.value, made_on=seen.created_at.date().isoformat(),
    )  # fmt: skip
