"""Every part of the owner's desk."""

from linkpay.web.owner import account, colleagues, door, home, joining, log, members, numbers, today

BLUEPRINTS = (
    door.bp,
    joining.bp,
    home.bp,
    account.bp,
    today.bp,
    members.bp,
    numbers.bp,
    log.bp,
    colleagues.bp,
)
