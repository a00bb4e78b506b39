"""Access under another e-mail address: a whole move of a member, or one purchase for somebody else.

The new address is let in first; the old one loses access when Kajabi has confirmed that (see
`services.holding`), however often the move is cut off, repeated, changed or taken back meanwhile.
"""

from datetime import datetime

from linkpay.domain.email import normalise_email
from linkpay.errors import Conflict, NotFound
from linkpay.services import access
from linkpay.store import journal, people, subscriptions, upsells
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Gift, Member, Site, Subscription


def move_access(
    tx: Tx, member_id: int, new_email: str, actor: str, now: datetime, *, payer_too: bool = False
) -> Member:
    """Move all that a member has to another address and return the member there.

    `payer_too` gives the address to the customer of the old one as well, so that mails about money follow.
    Doing it again changes nothing. Raises InputError, and Conflict for a blocked member, the address that she
    has, access that moved elsewhere meanwhile, or a payer's address that is another payer's.
    """
    email = normalise_email(new_email)
    for subscription in subscriptions.of_member(tx, member_id):
        subscriptions.lock(tx, subscription.id)
    old = tx.get_one(Member, member_id)
    if old.email == email:
        raise Conflict("same_email", "Her access is under this address already.", "email")
    new = people.member_for(tx, old.site_id, email, old.name, None, now)
    family = people.lock_family(tx, old.id, new.id)
    old, new = family[old.id], family[new.id]
    if old.blocked_at is not None or new.blocked_at is not None:
        raise Conflict("member_blocked", "A blocked member cannot be moved. Unblock her first.", "email")
    if payer_too:
        _move_payer(tx, old, email, now)
    offers = people.offers_of(tx, old.id)
    bought, given = subscriptions.of_member(tx, old.id), people.gifts_of(tx, old.id)
    for subscription in bought:
        subscription.member_id = new.id
    for gift in given:
        _hand_gift_over(tx, gift, new, now)
    _note(tx, old, new, family, moves_anything=bool(bought or given), actor=actor, now=now)
    tx.flush()
    for offer_id in offers:
        access.review(tx, member_id=new.id, offer_id=offer_id, now=now)
        access.review(tx, member_id=old.id, offer_id=offer_id, now=now)
    return new


def _note(
    tx: Tx, old: Member, new: Member, family: dict[int, Member], *, moves_anything: bool, actor: str,
    now: datetime,
) -> None:  # fmt: skip
    """Write down where her access went. Raises Conflict when it went elsewhere before."""
    if not moves_anything and old.moved_to_id not in (None, new.id):
        there = family[old.moved_to_id].email
        raise Conflict(
            "moved_already", f"Her access moved to {there} meanwhile; move it from there.", "email"
        )
    if moves_anything or old.moved_to_id != new.id:
        if old.id in _way(family, new):
            new.moved_to_id = None
        old.moved_to_id = new.id
        journal.record_about(tx, "access_moved", actor, now, member=old, to=new.email)
        journal.record_about(tx, "access_moved_here", actor, now, member=new, came_from=old.email)


def set_member(tx: Tx, subscription_id: int, email: str, name: str, actor: str, now: datetime) -> Member:
    """Let one purchase count for somebody else than it did: the payer stays, the other one is let in."""
    subscription = subscriptions.lock(tx, subscription_id)
    address = normalise_email(email)
    new = people.member_for(tx, subscription.site_id, address, name or address, None, now)
    old_id = subscription.member_id
    if new.id == old_id:
        return new
    if people.lock_family(tx, new.id, old_id)[new.id].blocked_at is not None:
        raise Conflict("member_blocked", f"{address} is blocked. Unblock her first.", "email")
    moved = [subscription, *subscriptions.paid_within(tx, subscription.id)]
    for one in moved:
        one.member_id = new.id
    journal.record(tx, "member_changed", actor, now, subscription=subscription, to=new.email)
    tx.flush()
    for one in moved:
        access.review(tx, member_id=new.id, offer_id=one.offer_id, now=now)
        access.review(tx, member_id=old_id, offer_id=one.offer_id, now=now)
    return new


def require_own(tx: Tx, site: Site, subscription_id: int) -> None:
    """Raise NotFound unless the subscription is this site's."""
    subscription = tx.get(Subscription, subscription_id)
    if subscription is None or subscription.site_id != site.id:
        raise NotFound(
            "subscription_unknown", f"{site.slug} has no purchase {subscription_id}.", "subscription"
        )


def _hand_gift_over(tx: Tx, gift: Gift, new: Member, now: datetime) -> None:
    """Hers is the longer of both where she has one already: an offer is given once."""
    for hers in people.gifts(tx, new.id, gift.offer_id):
        hers.until = max(hers.until, gift.until) if hers.until and gift.until else None
        gift.taken_back_at = now
        return
    gift.member_id = new.id


def _way(family: dict[int, Member], member: Member) -> set[int]:
    """Everybody to whom a member's access was moved on."""
    way: set[int] = set()
    while member.moved_to_id is not None and member.moved_to_id not in way:
        way.add(member.moved_to_id)
        member = family[member.moved_to_id]
    return way


def _move_payer(tx: Tx, old: Member, email: str, now: datetime) -> None:
    payer = people.customer_by_email(tx, old.site_id, old.email)
    if payer is None:
        return
    if people.customer_by_email(tx, old.site_id, email) is not None:
        raise Conflict("payer_exists", f"Somebody pays under {email} already; move access alone.", "email")
    give_address(tx, payer, email, now)


def give_address(tx: Tx, payer: Customer, email: str, now: datetime) -> None:
    """Let a payer have this address. Who reads the old one can buy nothing by the links that lie there."""
    payer.email = email
    upsells.close_all(tx, payer.id, now)
