"""Coupons as their owner changes them. Who used a code keeps what it gave: it is frozen with her order."""

from linkpay.errors import Conflict
from linkpay.services.shelf import By, fill_coupon
from linkpay.services.specs import CouponSpec
from linkpay.store import journal, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Coupon, Site


def make(tx: Tx, site: Site, spec: CouponSpec, by: By) -> Coupon:
    """A new code. Raises Conflict ``code_taken``, also where an archived coupon has it."""
    if sites.coupon(tx, site.id, spec.code) is not None:
        raise Conflict("code_taken", "There is a coupon with this code.", "code")
    coupon = Coupon(site_id=site.id, code=spec.code, created_at=by.now)
    fill_coupon(coupon, spec)
    tx.add(coupon)
    tx.flush()
    journal.record_site(tx, site.id, "coupon_made", by.actor, by.now, code=coupon.code)
    return coupon


def change(tx: Tx, coupon: Coupon, spec: CouponSpec, by: By) -> None:
    """Let the code give something else to who uses it from now on; the code itself stays."""
    archived_at = coupon.archived_at
    fill_coupon(coupon, spec)
    coupon.archived_at = archived_at
    journal.record_site(tx, coupon.site_id, "coupon_changed", by.actor, by.now, code=coupon.code)


def archive(tx: Tx, coupon: Coupon, by: By) -> None:
    """Nobody can use it any more."""
    if coupon.archived_at is None:
        coupon.archived_at = by.now
        journal.record_site(tx, coupon.site_id, "coupon_archived", by.actor, by.now, code=coupon.code)


def restore(tx: Tx, coupon: Coupon, by: By) -> None:
    """Let it be used (again)."""
    if coupon.archived_at is not None:
        coupon.archived_at = None
        journal.record_site(tx, coupon.site_id, "coupon_restored", by.actor, by.now, code=coupon.code)
