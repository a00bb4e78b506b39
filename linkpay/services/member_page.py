"""One member whole, as the desk shows her: what comes, what was, what was paid, sent and opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from linkpay.errors import NotFound
from linkpay.redaction import clean
from linkpay.services import forecast, timeline
from linkpay.services.forecast import Forecast
from linkpay.services.timeline import Moment
from linkpay.store import charges, desk, member_page, subscriptions
from linkpay.store.db import Tx
from linkpay.store.desk import Row
from linkpay.store.tables import Charge, Gift, Grant, Mail, Member, Offer, Payment, Refund

#: More than this fits no page; all of it is in the download.
_MOMENTS, _MAILS, _CHARGES = 150, 60, 60


@dataclass(frozen=True, slots=True)
class Collected:
    """A charge with every attempt to collect it and what went back."""

    charge: Charge
    attempts: Sequence[Payment]
    refunds: Sequence[Refund]


@dataclass(frozen=True, slots=True)
class Opened:
    """Access to an offer, and what Kajabi last answered, with nothing secret in it."""

    offer: Offer
    grant: Grant
    answer: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All of it. `others` are her other subscriptions by number, `moments` the newest first."""

    row: Row
    forecast: Forecast
    collected: Sequence[Collected]
    mails: Sequence[Mail]
    opened: Sequence[Opened]
    gifts: Sequence[tuple[Offer, Gift]]
    moments: Sequence[Moment]
    others: Sequence[int]
    moved_to: str | None


def whole(tx: Tx, site_id: int, subscription_id: int, now: datetime) -> Whole:
    """Everything about one subscription of this site and who has it. Raises NotFound ``member_unknown``."""
    row = _row(tx, site_id, subscription_id)
    member, customer = row.member, row.customer
    told = timeline.of_person(tx, customer.email, site_id)
    others = {one.id for one in subscriptions.of_member(tx, member.id)}
    others |= {one.id for one in subscriptions.of_payer(tx, customer.id)}
    moved = tx.get(Member, member.moved_to_id) if member.moved_to_id else None
    return Whole(
        row=row,
        forecast=forecast.of(tx, row.subscription, now),
        collected=_collected(tx, subscription_id),
        mails=member_page.mails(tx, site_id, sorted(others), {member.email, customer.email}, _MAILS),
        opened=[
            Opened(offer, grant, clean(grant.answer_body or "")[:300])
            for offer, grant in member_page.grants(tx, site_id, member.id)
        ],
        gifts=member_page.gifts(tx, site_id, member.id),
        moments=told.moments[: -_MOMENTS - 1 : -1],
        others=sorted(others - {subscription_id}),
        moved_to=moved.email if moved else None,
    )


def mail(tx: Tx, site_id: int, subscription_id: int, mail_id: int) -> Mail:
    """One mail to this member as it was sent. Raises NotFound."""
    row = _row(tx, site_id, subscription_id)
    found = tx.get(Mail, mail_id)
    if found is None or found.site_id != site_id or found.text is None:
        raise NotFound("mail_unknown", "There is no such mail.")
    if found.subscription_id is not None:
        owner = subscriptions.get(tx, found.subscription_id)
        hers = owner.customer_id == row.customer.id or owner.member_id == row.member.id
    else:
        hers = found.to in (row.member.email, row.customer.email)
    if not hers:
        raise NotFound("mail_unknown", "There is no such mail.")
    return found


def _row(tx: Tx, site_id: int, subscription_id: int) -> Row:
    row = desk.one_member(tx, site_id, subscription_id)
    if row is None:
        raise NotFound("member_unknown", "There is no such member.")
    return row


def _collected(tx: Tx, subscription_id: int) -> list[Collected]:
    """The newest charges first."""
    made = charges.of_subscription(tx, subscription_id)[-_CHARGES:]
    tries = member_page.attempts(tx, subscription_id)
    back = member_page.refunds(tx, [one.id for one in tries])
    found = []
    for charge in reversed(made):
        attempts = [one for one in tries if one.charge_id == charge.id]
        ids = {one.id for one in attempts}
        found.append(Collected(charge, attempts, [one for one in back if one.payment_id in ids]))
    return found
