"""Work that a worker made for itself, done here at once; and rings that have become old news."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from linkpay.adapters.queue_ring import Ring
from linkpay.ports import Bell
from linkpay.services.parts import Parts
from linkpay.store import due
from linkpay.store.db import STORE_ERRORS
from workers.pool import Pool

log = logging.getLogger(__name__)

#: Rings of so few messages are not worth a look: claiming a row in vain costs as much.
_FEW = 4


class NearBell:
    """`ports.Bell` inside a worker: what a commit owes goes to its own pool, what can wait through `far`.

    A payment that was just booked owes a grant, and the worker that booked it sends it next, ahead of
    all that waits and without the way through Redis; what finds no room, and mails, others hear of.
    Nothing is lost by keeping a row here: the row stays the job, and the sweep rings for what this
    process did not do.
    """

    def __init__(self, far: Bell) -> None:
        self._far = far
        self._pool: Pool | None = None

    def serve(self, pool: Pool) -> None:
        """From now on rows go to this pool first."""
        self._pool = pool

    def ring(
        self, inbox_ids: Sequence[int] = (), outbox_ids: Sequence[int] = (), patient_ids: Sequence[int] = ()
    ) -> None:
        """Never raises and never waits."""
        taken = 0
        if self._pool is not None:
            while taken < len(outbox_ids) and self._pool.offer("outbox", outbox_ids[taken]):
                taken += 1
        if inbox_ids or patient_ids or taken < len(outbox_ids):
            self._far.ring(inbox_ids, outbox_ids[taken:], patient_ids)


@dataclass(frozen=True, slots=True)
class Due:
    """Rows that wait to be done, in the order in which they are handed over."""

    inbox_ids: tuple[int, ...]
    outbox_ids: tuple[int, ...]
    patient_ids: tuple[int, ...] = ()  # outbox rows that can wait for all others


def still_due(parts: Parts, ring: Ring) -> Due:
    """The ring without the rows that somebody has done, or holds, by now; and which of them can wait.

    After an outage the sweep rings for the same rows again and again while workers are at them; one
    look at a hundred rows saves a hundred transactions that claim nothing.
    """
    whole = Due(ring.inbox_ids, ring.outbox_ids)
    if not ring.outbox_ids and len(ring.inbox_ids) <= _FEW:
        return whole
    now = parts.clock.now()
    try:
        with parts.database.read() as tx:
            return Due(tuple(due.still(tx, ring.inbox_ids, now)), *due.still_owed(tx, ring.outbox_ids, now))
    except STORE_ERRORS as error:
        log.warning("could not look which rows are still due", extra={"error": type(error).__name__})
        return whole
