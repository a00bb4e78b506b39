"""The rows that this process works on right now; while it lives nobody else takes them over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from linkpay.services.parts import Parts
from linkpay.store import leases
from linkpay.store.tables import Inbox, Outbox
from linkpay.store.together import Row, Table

#: No piece of work takes so long: every call has a time limit. A thread that hangs holds its row no longer.
LONGEST = timedelta(minutes=10)


class Leases:
    """Keeps the leases of what is worked on, at each beat, for at most LONGEST from its start.

    A process that was killed or stands still does not beat, and loses its rows when their leases run out.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._since: dict[tuple[Table, int, str], datetime] = {}

    @contextmanager
    def keep(self, row: Row) -> Iterator[None]:
        """Within the block the row, which was just claimed, is worked on."""
        held = (type(row), row.id, row.lease or "")
        with self._lock:
            self._since[held] = self._parts.clock.now()
        try:
            yield
        finally:
            with self._lock:
                del self._since[held]

    def beat(self) -> None:
        """Make longer what is held now. Raises one of DATABASE_ERRORS; what was lost stays lost."""
        if not self._since:
            return
        with self._parts.database.write() as tx:
            now = self._parts.clock.now()  # after the wait for one's turn
            for table in (Inbox, Outbox):
                held = self._held(table, now)
                if held:
                    leases.extend(tx, table, held, now)

    def _held(self, of_table: Table, now: datetime) -> dict[int, str]:
        with self._lock:
            return {
                row_id: lease
                for (table, row_id, lease), since in self._since.items()
                if table is of_table and now - since < LONGEST
            }
