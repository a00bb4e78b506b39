"""Every part of the owner's desk."""

from linkpay.web.owner import (
    account,
    colleagues,
    coupons,
    door,
    home,
    joining,
    log,
    members,
    numbers,
    offers,
    plans,
    policies,
    today,
)

BLUEPRINTS = (
    door.bp,
    joining.bp,
    home.bp,
    account.bp,
    today.bp,
    members.bp,
    offers.bp,
    plans.bp,
    policies.bp,
    coupons.bp,
    numbers.bp,
    log.bp,
    colleagues.bp,
)
