"""One member whole, as the desk shows her: what comes, what was, what was paid, sent and opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from linkpay.errors import NotFound
from linkpay.redaction import clean
from linkpay.services import dunning, forecast, timeline
from linkpay.services.forecast import Forecast
from linkpay.services.timeline import Moment
from linkpay.store import desk, foresight, member_page, subscriptions
from linkpay.store.db import Tx
from linkpay.store.desk import Row
from linkpay.store.tables import Charge, Gift, Grant, Mail, Member, Offer, Payment, Refund, Subscription

#: More than this fits no page; all of it is in the download.
_MOMENTS, _MAILS, _CHARGES = 150, 60, 60
_Made = tuple[Charge, Payment | None, Refund | None]


@dataclass(frozen=True, slots=True)
class Collected:
    """A charge with every attempt to collect it and what went back."""

    charge: Charge
    attempts: list[Payment]
    refunds: list[Refund]


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
    """Everything about one subscription of this site and who has it. Raises NotFound ``member_unknown``.

    What its parts ask about the same rows is read before any of them asks (`store.foresight`).
    """
    lines = desk.lines_of_person(tx, site_id, subscription_id)
    if subscription_id not in lines:
        raise NotFound("member_unknown", "There is no such member.")
    row = lines[subscription_id]
    member, customer = row.member, row.customer
    theirs = sorted(
        number for number, one in lines.items() if customer is one.customer or member is one.member
    )
    found = _foresee(tx, row, [one.subscription for one in lines.values()])
    offers = member_page.offers(tx, site_id, member.id)
    moved = tx.get(Member, member.moved_to_id) if member.moved_to_id else None
    return Whole(
        row=row,
        forecast=forecast.of(tx, row.subscription, now),
        collected=_collected(found, subscription_id),
        mails=member_page.mails(tx, site_id, theirs, {member.email, customer.email}, _MAILS),
        opened=[Opened(o, grant, clean(grant.answer_body or "")[:300]) for o, grant, _ in offers if grant],
        gifts=[(offer, gift) for offer, _, gift in offers if gift],
        moments=_moments(tx, lines, row, found)[: -_MOMENTS - 1 : -1],
        others=[number for number in theirs if number != subscription_id],
        moved_to=moved.email if moved else None,
    )


def foreseen(tx: Tx, site_id: int, subscription_id: int) -> Subscription:
    """The subscription as it is now, with what its forecast asks read before; nothing is written any more."""
    lines = desk.lines_of_person(tx, site_id, subscription_id)
    row = lines[subscription_id]
    _foresee(tx, row, [one.subscription for one in lines.values()])
    return row.subscription


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


def _foresee(tx: Tx, row: Row, bought: Sequence[Subscription]) -> Sequence[_Made]:
    """What is asked about all that somebody has; her charges with their attempts and refunds."""
    foresight.these(tx, bought)
    foresight.access(tx, row.member.id, bought)
    foresight.prices(tx, bought)
    foresight.told(tx, bought)
    found = foresight.collections(tx, bought)
    shown = row.subscription.id
    foresight.ladders(tx, dunning.KIND, [one for one, _, _ in found if one.subscription_id == shown])
    return found


def _collected(found: Sequence[_Made], subscription_id: int) -> list[Collected]:
    """The newest charges of a subscription first."""
    made = {c.id: Collected(c, [], []) for c, _, _ in found if _is_shown(c, subscription_id)}
    for charge, payment, refund in found:
        one = made.get(charge.id)
        if one is not None and payment is not None and payment not in one.attempts:
            one.attempts.append(payment)
        if one is not None and refund is not None:
            one.refunds.append(refund)
    return list(made.values())[: -_CHARGES - 1 : -1]


def _is_shown(charge: Charge, subscription_id: int) -> bool:
    return charge.subscription_id == subscription_id and not charge.is_check


def _moments(tx: Tx, lines: Mapping[int, Row], row: Row, found: Sequence[_Made]) -> list[Moment]:
    """All that happened to what her payer has, and to her as a member."""
    email = row.customer.email
    hers = [number for number, one in lines.items() if email in (one.customer.email, one.member.email)]
    members = {one.member.id for one in lines.values() if one.member.email == email} | {row.member.id}
    attempts = {p.id: (c.subscription_id, p) for c, p, _ in found if p and c.subscription_id in hers}
    return timeline.moments(tx, hers, sorted(members), [attempts[number] for number in sorted(attempts)])
