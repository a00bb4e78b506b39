"""Why a member has access to an offer, or has not: everything that bears on it, in plain values."""

from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain.coverage import Cover, covers
from linkpay.services import access
from linkpay.store import grants, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Member, Offer, Site


@dataclass(frozen=True, slots=True)
class Given:
    """A gift: until the day before `until`, or for ever."""

    until: date | None
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Bought:
    """One purchase and the stretches of access that it gives, in order."""

    subscription_id: int
    state: str
    covers: list[Cover]


@dataclass(frozen=True, slots=True)
class Story:
    """`wanted`, `reason` and `until` as decided now; what Kajabi confirmed, and when its API showed it."""

    email: str
    external_user_id: str
    offer: str
    blocked: str | None
    moved_to: str | None
    gifts: list[Given]
    bought: list[Bought]
    granted: bool
    reason: str
    until: datetime | None
    applied: str
    in_step: bool
    applied_at: datetime | None
    verified_at: datetime | None


def tell(tx: Tx, site: Site, member: Member, offer: Offer, now: datetime) -> Story:
    """Everything that bears on this member's access to this offer."""
    grant = grants.find(tx, member.id, offer.id)
    own = access.wanted_access(tx, site, member.id, offer.id, now)
    owned = subscriptions.for_access(tx, member.id, offer.id)
    reason = own.source.value if own.source else "not_covered"
    return Story(
        email=member.email,
        external_user_id=member.external_user_id,
        offer=offer.slug,
        blocked=(member.blocked_reason or "blocked") if member.blocked_at else None,
        moved_to=tx.get_one(Member, member.moved_to_id).email if member.moved_to_id else None,
        gifts=[Given(one.until, one.given_by, one.reason) for one in people.gifts(tx, member.id, offer.id)],
        bought=[
            Bought(
                one.id,
                one.state.value,
                sorted(covers(access.facts(tx, site, one), site.zone), key=lambda cover: cover.starts_at),
            )
            for one in owned
        ],
        granted=grant.wanted.value == "granted" if grant else own.granted,
        reason=grant.reason if grant else reason,
        until=grant.until if grant else own.until,
        applied=grant.applied.value if grant else "unknown",
        in_step=grant is None or (grant.applied is grant.wanted and grant.applied_version == grant.version),
        applied_at=grant.applied_at if grant else None,
        verified_at=grant.verified_at if grant else None,
    )


def offers_of(tx: Tx, member: Member) -> list[Offer]:
    """Every offer that this member has to do with."""
    wanted = people.offers_of(tx, member.id)
    return [offer for offer in sites.all_offers(tx, member.site_id) if offer.id in wanted]
