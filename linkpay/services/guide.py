"""The guided set-up: which steps a site has behind it, found by looking and not by ticking boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from linkpay.services import checkup
from linkpay.services.checkup import Found, Level
from linkpay.services.parts import Parts
from linkpay.store import audit, shelf, sites
from linkpay.store.tables import Offer, Site

#: Offers that one look checks; each asks a name server.
_MOST_OFFERS = 10


@dataclass(frozen=True, slots=True)
class Guide:
    """How a site stands. `tried_at` and `mailed_at` are when it was last proven, None while never."""

    site: Site
    mollie: Found
    webhook: Found
    offers: Sequence[tuple[Offer, Found]]
    selling: bool
    tried_at: datetime | None
    tried_well: bool
    mailed_at: datetime | None

    @property
    def is_ready(self) -> bool:
        """Whether somebody can buy and get in."""
        fine = self.mollie.level is not Level.BAD and self.webhook.level is not Level.BAD
        shaped = bool(self.offers) and all(found.level is Level.OK for _, found in self.offers)
        return fine and shaped and self.selling and self.tried_well and self.mailed_at is not None


def look(parts: Parts, site_id: int) -> Guide:
    """Look at everything, Mollie and the name servers included."""
    with parts.database.read() as tx:
        site = sites.get(tx, site_id)
        offers = [offer for offer in shelf.offers(tx, site_id) if offer.archived_at is None][:_MOST_OFFERS]
        for_sale = {plan.offer_id for plan in shelf.plans(tx, site_id) if plan.archived_at is None}
        tried, changed = audit.newest(tx, site_id, "grant_tried"), audit.newest(tx, site_id, "offer_changed")
        trial = audit.newest(tx, site_id, "mail_tried")
        mailed = [audit.last_mail_at(tx, site_id), trial.created_at if trial else None]
        came_at = audit.last_webhook_at(tx, site_id)
    stale = tried is not None and changed is not None and changed.id > tried.id
    return Guide(
        site, checkup.mollie(parts, site), _webhook(parts, came_at),
        [(offer, checkup.kajabi(parts, offer)) for offer in offers],
        selling=any(offer.id in for_sale for offer in offers),
        tried_at=tried.created_at if tried and not stale else None,
        tried_well=bool(tried and not stale and tried.data.get("ok")),
        mailed_at=max((at for at in mailed if at is not None), default=None),
    )  # fmt: skip


def _webhook(parts: Parts, came_at: datetime | None) -> Found:
    """Whether Mollie reaches us, proven by what came. (Without a public address LinkPay does not start.)"""
    if came_at is not None:
        return Found(Level.OK, "came")
    return Found(Level.WARN, "nothing_yet", facts={"address": parts.base_url})
