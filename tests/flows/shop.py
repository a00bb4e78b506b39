"""The shops of a stage: a site with an offer at the sandbox's Kajabi, and its plans."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet

from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.sandbox.app import Sandbox
from linkpay.store.db import Database, Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Offer, Plan, Site

BOX = SecretBox([Fernet.generate_key().decode()])
_PLANS = (
    ("monthly", PlanKind.MEMBERSHIP, 5000, Unit.MONTH, None),
    ("weekly", PlanKind.MEMBERSHIP, 1500, Unit.WEEK, None),
    ("terms", PlanKind.INSTALMENTS, 10000, Unit.MONTH, 3),
    ("once", PlanKind.ONE_TIME, 27500, Unit.MONTH, 1),
)


@dataclass(frozen=True)
class Shop:
    """One site and its offer, with their names at the sandbox's Kajabi."""

    site_id: int
    offer_id: int
    token: str
    kajabi_site: str
    kajabi_offer: str


def open_shop(database: Database, sandbox: Sandbox, slug: str, key: str, now: datetime) -> Shop:
    """Make the site, its offer at the sandbox's Kajabi, and its plans."""
    kajabi_site = sandbox.call("POST", "/_sandbox/kajabi/sites", {"name": "Studio Vecht"})
    made = sandbox.call(
        "POST", "/_sandbox/kajabi/offers",
        {"site_id": kajabi_site["id"], "title": "Members", "products": ["Course"]},
    )  # fmt: skip
    with database.write() as tx:
        site = Site(slug=slug, token=f"{slug}-webhook-token", name="Studio Vecht", created_at=now)
        tx.add(site)
        tx.flush()
        site.mollie_key_sealed = BOX.seal(site.id, "mollie_key", key)
        offer = _offer(tx, site, made, now)
        for slug_of_plan, kind, cents, unit, periods in _PLANS:
            plan = Plan(
                site_id=site.id, offer_id=offer.id, slug=slug_of_plan, title=slug_of_plan, created_at=now
            )
            plan.kind, plan.amount_cents, plan.interval_unit, plan.periods = kind, cents, unit, periods
            tx.add(plan)
        return Shop(site.id, offer.id, site.token, kajabi_site["id"], made["id"])


def _offer(tx: Tx, site: Site, made: dict[str, Any], now: datetime) -> Offer:
    offer = Offer(
        site_id=site.id, slug="members", title="Members", kajabi_offer_id=made["id"],
        activation_url_sealed=BOX.seal(site.id, "activation_url", made["activation_url"]),
        deactivation_url_sealed=BOX.seal(site.id, "deactivation_url", made["deactivation_url"]),
        created_at=now,
    )  # fmt: skip
    tx.add(offer)
    tx.flush()
    return offer
