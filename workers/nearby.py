"""Work that a worker made for itself, done here at once; and rings that have become old news."""

import logging
from collections.abc import Sequence

from linkpay.adapters.queue_ring import Ring
from linkpay.ports import Bell
from linkpay.services.parts import Parts
from linkpay.store import work
from linkpay.store.db import STORE_ERRORS
from linkpay.store.tables import Inbox, Outbox
from workers.pool import Pool

log = logging.getLogger(__name__)

#: Rings of so few rows are not worth a look: claiming a row in vain costs as much.
_FEW = 4


class NearBell:
    """`ports.Bell` inside a worker: what a commit owes first goes to its own pool, the rest through `far`.

    A payment that was just booked owes a grant, and the worker that booked it sends it next, ahead of
    all that waits and without the way through Redis; mails queue up behind. Nothing is lost by keeping
    a row here: the row stays the job, and the sweep rings for what this process did not do.
    """

    def __init__(self, far: Bell) -> None:
        self._far = far
        self._pool: Pool | None = None

    def serve(self, pool: Pool) -> None:
        """From now on rows go to this pool first."""
        self._pool = pool

    def ring(self, inbox_ids: Sequence[int] = (), outbox_ids: Sequence[int] = ()) -> None:
        """Never raises and never waits."""
        if outbox_ids and self._pool is not None and self._pool.offer("outbox", outbox_ids[0]):
            outbox_ids = outbox_ids[1:]
        if inbox_ids or outbox_ids:
            self._far.ring(inbox_ids, outbox_ids)


def still_due(parts: Parts, ring: Ring) -> Ring:
    """The ring without the rows that somebody has done, or holds, by now.

    After an outage the sweep rings for the same rows again and again while workers are at them; one
    look at a hundred rows saves a hundred transactions that claim nothing.
    """
    if len(ring.inbox_ids) + len(ring.outbox_ids) <= _FEW:
        return ring
    now = parts.clock.now()
    try:
        with parts.database.read() as tx:
            return Ring(
                tuple(work.still_due(tx, Inbox, ring.inbox_ids, now)),
                tuple(work.still_due(tx, Outbox, ring.outbox_ids, now)),
            )
    except STORE_ERRORS as error:
        log.warning("could not look which rows are still due", extra={"error": type(error).__name__})
        return ring
