"""Mollie's books first: catching up after a restore or a long outage, while nothing is charged."""

from datetime import datetime, timedelta

from linkpay.services import reconciling, recovery
from linkpay.services.parts import Parts
from linkpay.store import sites, work
from linkpay.store.db import Tx
from linkpay.store.tables import Outbox

_AGAIN = timedelta(seconds=15)
#: So many payments are looked at before Mollie's list is read anew, which is long where many were lost.
_AT_ONCE = 100
#: Differences that so many looks do not explain are on the attention list, and no reason to wait longer.
_LOOKS = 40


def catch_up(parts: Parts, row: Outbox) -> None:
    """Read what Mollie knows and we may not; when all of it is booked the site charges again.

    However many payments our books have lost, each is looked at before: it may be of a period that would be
    charged again.
    """
    now = parts.clock.now()
    with parts.database.read() as tx:
        since = recovery.reads_from(tx, row.site_id, now)
    report = None
    if since is not None:
        report = reconciling.run(parts, row.site_id, since, at_once=_AT_ONCE)
    now = parts.clock.now()
    with parts.database.write() as tx:
        if report is not None and report.unread:
            look_at = now if report.unread > _AT_ONCE else now + _AGAIN
            work.postpone(tx, row, look_at, f"{report.unread} payments are still to be looked at", fresh=True)
            return
        if report is not None and report.waiting and row.attempts < _LOOKS:
            work.postpone(tx, row, now + _AGAIN, f"{report.waiting} payments are being looked at")
            return
        recovery.finish(tx, row.site_id, now)
        work.finish(tx, row, now)


def holds_back(tx: Tx, row: Outbox, now: datetime) -> bool:
    """Whether work that moves money has to wait because its site catches up; it is put off then."""
    if sites.get(tx, row.site_id).catch_up_from is None:
        return False
    work.postpone(tx, row, now + _AGAIN, "Mollie's books are read first", fresh=True)
    return True
