"""Making leases longer: whoever lives and still works on a row says so, and nobody takes it over then."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, select, update

from linkpay.store.db import Tx, carry_out, core
from linkpay.store.tables import Inbox, Outbox
from linkpay.store.work import LEASE


def extend(tx: Tx, table: type[Inbox] | type[Outbox], held: Mapping[int, str], now: datetime) -> None:
    """Those of these rows (id to lease) that are still held so are held for LEASE from `now`, never shorter.

    A row that somebody writes right now is left out: it is being finished, and the next beat comes soon.
    """
    given = {"row_ids": list(held), "leases": list(set(held.values())), "ends_at": now + LEASE}
    carry_out(tx, table, _extension(table), given)


@cache
def _extension(table: type[Inbox] | type[Outbox]) -> Executable:
    columns = core(table).c
    ours = (
        select(columns.id)
        .where(
            columns.id.in_(bindparam("row_ids", expanding=True)),
            columns.lease.in_(bindparam("leases", expanding=True)),
            columns.leased_until < bindparam("ends_at"),
        )
        .with_for_update(skip_locked=True)
    )
    return update(core(table)).where(columns.id.in_(ours)).values(leased_until=bindparam("ends_at"))
