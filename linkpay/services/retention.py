"""Letting go of what a site has kept for as long as its owner said: once a day, a little at a time."""

from datetime import timedelta

from linkpay.services.parts import Parts
from linkpay.store import retention, sites

#: Turns of one day; what is more waits for tomorrow.
_TURNS = 40
#: A debit may come back for 13 months, and nothing of a charge is decided anew after that.
_WORK_IS_OLD = timedelta(days=500)
#: A link or session that nobody can use any more is kept a little, for whoever asks what became of it.
_DOOR_IS_OLD = timedelta(days=30)


def let_go(parts: Parts, site_id: int) -> None:
    """Remove handled messages and empty sent mails that are older than the site keeps them, and finished
    work that nobody can owe again; so do links and sessions that ended long ago."""
    now = parts.clock.now()
    for _ in range(_TURNS):
        with parts.database.write() as tx:
            site = sites.get(tx, site_id)
            gone = retention.drop_messages(tx, site_id, now - timedelta(days=site.keep_messages_days))
            emptied = retention.empty_mails(tx, site_id, now - timedelta(days=site.keep_mails_days))
            finished = retention.drop_work(tx, site_id, now - _WORK_IS_OLD)
            closed = retention.drop_doors(tx, site_id, now - _DOOR_IS_OLD)
        if max(gone, emptied, finished, closed) < retention.BATCH:
            return
