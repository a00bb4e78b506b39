"""Access that an owner gives to somebody, until a day or for ever, and takes back."""

from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain.calendar import local_day
from linkpay.domain.email import normalise_email
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import access
from linkpay.store import journal, people, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Gift, Member, Offer, Site


@dataclass(frozen=True, slots=True)
class Present:
    """What is given to whom. `until` is the first day without it, None for ever; `name` may be empty."""

    email: str
    offer: str
    until: date | None = None
    name: str = ""
    reason: str = ""


def give(tx: Tx, site: Site, present: Present, actor: str, now: datetime) -> Gift:
    """Let somebody in without paying; giving again changes the day. Raises InputError, NotFound, Conflict."""
    if present.until is not None and present.until <= local_day(now, site.zone):
        raise InputError("gift_until_past", "A gift ends on a day to come; leave it out for ever.", "until")
    offer = find_offer(tx, site, present.offer)
    email = normalise_email(present.email)
    member = people.member_for(tx, site.id, email, present.name or email, None, now)
    member = people.lock_family(tx, member.id)[member.id]
    if member.blocked_at is not None:
        raise Conflict("member_blocked", f"{email} is blocked. Unblock her first.", "email")
    gift = next(iter(people.gifts(tx, member.id, offer.id)), None)
    if gift is None:
        gift = Gift(
            site_id=site.id, member_id=member.id, offer_id=offer.id, given_by=actor, created_at=now,
            until=present.until, reason=present.reason[:200],
        )  # fmt: skip
        tx.add(gift)
    elif gift.until == present.until:
        return gift
    gift.until, gift.given_by = present.until, actor
    gift.reason = present.reason[:200] or gift.reason
    journal.record_about(
        tx, "gift_given", actor, now, member=member, offer_id=offer.id, why=gift.reason,
        until=present.until.isoformat() if present.until else None,
    )  # fmt: skip
    tx.flush()
    access.review(tx, member_id=member.id, offer_id=offer.id, now=now)
    return gift


def take_back(tx: Tx, site: Site, email: str, offer: str, actor: str, now: datetime) -> None:
    """End a gift now; what was bought stays. Raises NotFound when there is none."""
    member, found = find_member(tx, site, email), find_offer(tx, site, offer)
    people.lock_family(tx, member.id)
    gifts = people.gifts(tx, member.id, found.id)
    if not gifts:
        raise NotFound("gift_unknown", f"{member.email} has no gift of {found.slug}.", "email")
    for gift in gifts:
        gift.taken_back_at = now
    journal.record_about(tx, "gift_taken_back", actor, now, member=member, offer_id=found.id)
    tx.flush()
    access.review(tx, member_id=member.id, offer_id=found.id, now=now)


def find_member(tx: Tx, site: Site, email: str) -> Member:
    """The site's member with this e-mail. Raises InputError and NotFound."""
    member = people.by_email(tx, site.id, normalise_email(email))
    if member is None:
        raise NotFound("member_unknown", f"{site.slug} has no member {normalise_email(email)}.", "email")
    return member


def find_offer(tx: Tx, site: Site, slug: str) -> Offer:
    """The site's offer with this name. Raises NotFound."""
    offer = sites.offer(tx, site.id, slug)
    if offer is None:
        known = ", ".join(one.slug for one in sites.all_offers(tx, site.id)) or "none"
        raise NotFound("offer_unknown", f"{site.slug} has no offer {slug!r}; there is {known}.", "offer")
    return offer
