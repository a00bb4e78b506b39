"""Access that is not taken away yet, or has to be opened anew, because of what else the member has.

Three reasons keep what nothing of its own covers any more: another offer of hers opens all the same things
at Kajabi, so that a revoke would only make them blink; her access moves to another address and is not
open there yet; or we were down and do not know how she stands. None ever lets anybody in who was not in.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from linkpay.domain.coverage import Source, Wanted
from linkpay.domain.sharing import closed_with, nothing_to_close
from linkpay.services import lateness
from linkpay.store import grants, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Grant, Member, Offer, Site
from linkpay.store.tables.people import Access

#: What a member's own purchases and gifts of an offer give her: `access.wanted_access`.
OwnAccess = Callable[[Tx, Site, int, int, datetime], Wanted]
#: Reasons that rest on somebody or something else, to be looked at again when that changes.
_BORROWED = frozenset({Source.SHARED.value, Source.MOVING.value})


def kept_open(tx: Tx, site: Site, grant: Grant, own: OwnAccess, now: datetime) -> Wanted | None:
    """Why access stays that nothing of its own covers, and until when at most; None when it goes."""
    member = tx.get_one(Member, grant.member_id)
    if member.blocked_at is not None or grant.wanted is not Access.GRANTED:
        return None
    return (
        _shared(tx, site, grant, own, now)
        or _moving(tx, site, member, grant.offer_id, own, now)
        or lateness.keeps_open(tx, site, grant, now)
    )


def _shared(tx: Tx, site: Site, grant: Grant, own: OwnAccess, now: datetime) -> Wanted | None:
    mine = tx.get_one(Offer, grant.offer_id).products
    if not mine:
        return None
    others = []
    for offer in sites.all_offers(tx, site.id):
        if offer.id != grant.offer_id and closed_with(mine, {offer.id: offer.products}):
            wanted = own(tx, site, grant.member_id, offer.id, now)
            others += [(offer.products, wanted.until)] if wanted.granted else []
    if not nothing_to_close(mine, [products for products, _ in others]):
        return None
    # As soon as one of them ends, it is decided anew.
    return Wanted(True, Source.SHARED, min((until for _, until in others if until is not None), default=None))


def _moving(
    tx: Tx, site: Site, member: Member, offer_id: int, own: OwnAccess, now: datetime
) -> Wanted | None:
    target = _where_to(tx, member)
    if target is None:
        return None
    wanted = own(tx, site, target.id, offer_id, now)
    there = grants.find(tx, target.id, offer_id)
    is_open = there is not None and there.applied is Access.GRANTED and there.wanted is Access.GRANTED
    if not wanted.granted or is_open:
        return None
    return Wanted(True, Source.MOVING, wanted.until)


def _where_to(tx: Tx, member: Member) -> Member | None:
    """Where a member's access is in the end, after any number of moves; None when it never moved."""
    seen = {member.id}
    target: Member | None = None
    next_id = member.moved_to_id
    while next_id is not None and next_id not in seen:
        seen.add(next_id)
        target = tx.get_one(Member, next_id)
        next_id = target.moved_to_id
    return target


def resting_on(tx: Tx, family: dict[int, Member], member_id: int, offer_id: int) -> Iterator[tuple[int, int]]:
    """(member, offer) whose access rests on this member's access to this offer, to be decided anew."""
    for grant in grants.of_member(tx, member_id):
        if grant.offer_id != offer_id and grant.reason == Source.SHARED.value:
            yield member_id, grant.offer_id
    for other in family.values():
        if other.id == member_id or other.moved_to_id is None:
            continue
        there = grants.find(tx, other.id, offer_id)
        if there is not None and there.wanted is Access.GRANTED and there.reason in _BORROWED:
            yield other.id, offer_id


def open_anew(tx: Tx, revoked: Grant) -> list[Grant]:
    """The member's other grants of which a revoke closed a part at Kajabi, which shows them all the same."""
    granted = {
        grant.id: grant
        for grant in grants.of_member(tx, revoked.member_id)
        if grant.id != revoked.id and grant.wanted is Access.GRANTED
    }
    products = {grant.id: tx.get_one(Offer, grant.offer_id).products for grant in granted.values()}
    mine = tx.get_one(Offer, revoked.offer_id).products
    touched = [granted[grant_id] for grant_id in closed_with(mine, products)]
    for grant in touched:
        grants.doubt_shown(grant)
    return touched
