"""A batch of a run over many members, one transaction each."""

from linkpay.services import bulk
from linkpay.services.parts import Parts
from linkpay.store import bulk as store
from linkpay.store import work
from linkpay.store.tables import Outbox


def batch(parts: Parts, row: Outbox) -> None:
    """Do everybody of the batch who is still to be done."""
    number = int(row.ref.rpartition(":")[2])
    with parts.database.read() as tx:
        waiting = store.waiting(tx, row.target_id, number)
    for item_id in waiting:
        with parts.database.write() as tx:
            bulk.do_item(tx, item_id, parts.clock.now())
    with parts.database.write() as tx:
        work.finish(tx, row, parts.clock.now())
