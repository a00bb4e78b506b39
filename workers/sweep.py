"""What the clock does every few seconds: raise what is due, and ring again for what nobody did."""

from dataclasses import dataclass
from datetime import timedelta

from linkpay.services import announcing, billing, recovery
from linkpay.services.parts import Parts
from linkpay.store import due, intake, sites, work
from linkpay.store.tables import Inbox, Site

#: Rows rung in one turn. More wait for the next turn, so that Redis never holds a flood of rings.
_LIMIT = 2000
#: A watch that a person set aside goes on after so long; it is not a matter of one day.
_SET_ASIDE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did."""

    raised: int
    inbox_rung: int
    outbox_rung: int


def turn(parts: Parts, shift: billing.Shift | None = None) -> Turn:
    """One turn of the clock; harmless to run at any time, anywhere, by several processes at once.

    With a `shift` it raises for no longer than that says, and goes on with it at the next turn.
    """
    now = parts.clock.now()
    intake.catch_up(parts.database)
    _watch_sites(parts)
    announcing.run(parts.database, now)
    raised = billing.run(parts.database, now, shift)
    with parts.database.read() as tx:
        inbox_ids = due.ids(tx, Inbox, now, _LIMIT)
        outbox_ids = due.first_ids(tx, now, _LIMIT)
    parts.database.ring(inbox_ids, outbox_ids)
    return Turn(raised, len(inbox_ids), len(outbox_ids))


def _watch_sites(parts: Parts) -> None:
    """Every connected site has its daily watch, of money and of access."""
    now = parts.clock.now()
    with parts.database.read() as tx:
        known = sites.all_sites(tx)
        missing = [
            (site.id, kind)
            for site in known
            for kind in _watches(site)
            if not work.is_owed(tx, kind, f"site:{site.id}")
        ]
        behind = [site.id for site in known if site.catch_up_from is not None]
    for site_id in behind:
        with parts.database.write() as tx:
            recovery.owe(tx, sites.get(tx, site_id), now)
    for site_id, kind in missing:
        ref = f"site:{site_id}"
        with parts.database.write() as tx:
            run_at = now + _SET_ASIDE if work.exists(tx, kind, ref) else now
            work.schedule(tx, site_id=site_id, kind=kind, ref=ref, target_id=site_id, run_at=run_at, now=now)


def _watches(site: Site) -> list[str]:
    """The daily watches that a site should have."""
    money = ["watch_site"] if site.mollie_key_sealed is not None else []
    return [*money, "watch_kajabi"] if sites.is_connected(site) else money
