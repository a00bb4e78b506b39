"""Sealing every secret anew with the newest key, so that an older one can be taken away."""

from linkpay.store import sealed
from linkpay.store.db import Database
from linkpay.store.secrets import SecretBox

_BATCH = 50


def run(database: Database, box: SecretBox, *, batch: int = _BATCH) -> int:
    """Seal all secrets with the first key of `box`; returns how many there were.

    Safe while everything runs, to be stopped anywhere, and to run again: each batch is a transaction of its
    own, and every key of the set opens what is not done yet. Raises SealBroken when none does.
    """
    count = 0
    for place in sealed.columns():
        after, last = -1, 0
        while last != after:
            after = last
            with database.write() as tx:
                last, changed = sealed.change_some(tx, place, after, batch, box.rotate)
            count += changed
    return count
