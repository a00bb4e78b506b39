"""Coupons at the checkout: looked at by a page, held by a sign-up, counted when it is paid.

A use is held for an hour, which is as long as a bank's page stays open; then an unpaid sign-up has it no
more. Whoever takes a use holds the coupon's row meanwhile, so two buyers never take the last one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from linkpay.domain.calendar import local_day
from linkpay.domain.coupon import Discount, DiscountKind, Duration, Limits, Refusal, refusal
from linkpay.errors import Conflict, InputError
from linkpay.store import agreements, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Coupon, Redemption, Site, Subscription

HOLD = timedelta(hours=1)
_MOST_SIGNS = 40
_SAID = {
    Refusal.UNKNOWN: "There is no such code; check how it is spelled.",
    Refusal.NOT_YET: "This code cannot be used yet.",
    Refusal.EXPIRED: "This code has expired.",
    Refusal.OTHER_PLAN: "This code is not for the way of paying that you chose.",
    Refusal.USED_UP: "This code has been used up.",
}


def look(
    tx: Tx, site: Site, code: str, plan_slugs: Sequence[str], now: datetime
) -> dict[str, Discount | Refusal]:
    """What a code would take off each of these plans now, or why it cannot be used. Holds nothing."""
    coupon = _find(tx, site, code)
    if coupon is None:
        return dict.fromkeys(plan_slugs, Refusal.UNKNOWN)
    used = agreements.uses(tx, coupon.id, held_since=now - HOLD)
    return {slug: _refusal(site, coupon, slug, used, now) or _discount(coupon) for slug in plan_slugs}


def take(tx: Tx, site: Site, subscription: Subscription, code: str, plan_slug: str, now: datetime) -> None:
    """Hold one use for a sign-up, with what the code gives frozen into it.

    What the same customer holds for the same offer does not stand in her way: she gave up that sign-up for
    this one. Raises InputError, or Conflict ``coupon_used_up``, with a `Refusal` as code.
    """
    coupon = _find(tx, site, code)
    if coupon is None:
        raise refused(Refusal.UNKNOWN)
    agreements.lock_coupon(tx, coupon.id)
    used = agreements.uses(tx, coupon.id, held_since=now - HOLD, not_for=subscription)
    why = _refusal(site, coupon, plan_slug, used, now)
    if why is not None:
        raise refused(why)
    agreements.redeem(tx, coupon, subscription, now)


def still_held(tx: Tx, subscription: Subscription, now: datetime) -> bool:
    """Whether a sign-up has what its coupon gives: without one, while it is held, or held anew.

    Only a limited number makes a difference: a code that has expired meanwhile was used in time.
    """
    used = agreements.redemption(tx, subscription.id)
    if used is None or used.counted_at is not None or now - used.created_at < HOLD:
        return True
    coupon = agreements.lock_coupon(tx, used.coupon_id)
    others = agreements.uses(tx, coupon.id, held_since=now - HOLD, not_for=subscription)
    if coupon.max_uses is not None and others >= coupon.max_uses:
        return False
    used.created_at = now
    return True


def is_unchanged(tx: Tx, site: Site, subscription: Subscription, code: str, now: datetime) -> bool:
    """Whether a sign-up has exactly what this code (empty: none) gives today."""
    used, coupon = agreements.redemption(tx, subscription.id), _find(tx, site, code)
    if used is None or coupon is None:
        return used is None and not code
    given = _discount(used)
    return used.coupon_id == coupon.id and given == _discount(coupon) and now - used.created_at < HOLD


def refused(why: Refusal) -> InputError:
    """The error that says why a code cannot be used."""
    kind = Conflict if why is Refusal.USED_UP else InputError
    return kind(why.value, _SAID[why], "coupon")


def _find(tx: Tx, site: Site, code: str) -> Coupon | None:
    known = sites.coupon(tx, site.id, code.strip().upper()[:_MOST_SIGNS])
    return known if known is not None and known.archived_at is None else None


def _refusal(site: Site, coupon: Coupon, plan_slug: str, used: int, now: datetime) -> Refusal | None:
    limits = Limits(coupon.starts_on, coupon.ends_on, frozenset(coupon.plan_slugs), coupon.max_uses)
    return refusal(limits, plan_slug=plan_slug, used=used, today=local_day(now, site.zone))


def _discount(given: Coupon | Redemption) -> Discount:
    return Discount(DiscountKind(given.kind), given.value, Duration(given.duration), given.periods)
