"""Every sealed secret there is, found by the name of its column: ``..._sealed``."""

from collections.abc import Callable

from sqlalchemy import Column, Table, select, update

from linkpay.store.db import Tx
from linkpay.store.tables import Site


def columns() -> list[tuple[Table, Column[str | None]]]:
    """Each column that holds sealed secrets, with its table."""
    tables = Site.metadata.sorted_tables
    return [(table, column) for table in tables for column in table.c if column.name.endswith("_sealed")]


def change_some(
    tx: Tx, place: tuple[Table, Column[str | None]], after: int, limit: int, change: Callable[[str], str]
) -> tuple[int, int]:
    """Put `change` of each secret of a column in its place, for at most `limit` rows beyond id `after`.

    Returns the last id seen, or `after` when there are no more, and how many were changed. A secret that
    somebody replaced meanwhile is left as it is.
    """
    table, column = place
    wanted = select(table.c.id, column).where(table.c.id > after, column.is_not(None))
    rows = tx.execute(wanted.order_by(table.c.id).limit(limit)).all()
    changed = 0
    for row_id, sealed in rows:
        query = update(table).where(table.c.id == row_id, column == sealed)
        changed += tx.scalar(query.values({column.name: change(sealed)}).returning(table.c.id)) is not None
    return (rows[-1][0] if rows else after), changed
