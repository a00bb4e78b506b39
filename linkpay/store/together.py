"""Transactions that several threads share, each with a unit of work of its own.

All units of a batch are committed together or not at all. Where one of them raises, nothing of the batch
happened, and each is done again in a transaction of its own: so a unit does nothing but read and write.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from linkpay.store import ahead, work
from linkpay.store.db import DATABASE_ERRORS, Tx
from linkpay.store.gathering import Batch, Gathering
from linkpay.store.tables import Inbox, Outbox

log = logging.getLogger(__name__)

T = TypeVar("T")
#: So many units share a transaction at most: nobody waits long for the others, nor for a lock of theirs.
_TOGETHER = 32
#: Of so few it costs as much to read what each needs when it asks for it.
FEW = 3


Row = Inbox | Outbox
Table = type[Inbox] | type[Outbox]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that is to be claimed; `payment_of` says which payment it is about, if any."""

    table: Table
    row_id: int
    now: datetime
    payment_of: Callable[[Row], int | None] = lambda _row: None


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a thread wants done, in its own context; `payment_id` is whose subscription it is about."""

    do: Callable[..., Any]
    context: Context
    payment_id: int | None = None
    wanted: Wanted | None = None


class _Claimed:
    """The rows of a batch, each for the first who wants it."""

    def __init__(self, tx: Tx, wanted: Sequence[Wanted]) -> None:
        self._rows: dict[tuple[Table, int], Row] = {}
        for table in {one.table for one in wanted}:
            of_table = [one for one in wanted if one.table is table]
            row_ids = sorted({one.row_id for one in of_table})
            found = work.claim(tx, table, row_ids, max(one.now for one in of_table))
            self._rows |= {(table, row_id): row for row_id, row in found.items()}

    def of(self, wanted: Wanted) -> Row | None:
        """The row, unless it is not due, is held, or was given to another of this batch."""
        return self._rows.pop((wanted.table, wanted.row_id), None)


class Together:
    """Shares the writing transactions that `write` opens."""

    def __init__(self, write: Callable[[], AbstractContextManager[Tx]]) -> None:
        self._write = write
        self._units: Gathering[_Unit, Any] = Gathering(self._decide, _TOGETHER)

    def write(self, do: Callable[[Tx], T], payment_id: int | None = None) -> T:
        """What `do` returns, once it is committed. Raises what it raises, or one of DATABASE_ERRORS."""
        return cast("T", self._units.ask(_Unit(do, copy_context(), payment_id)))

    def claim(self, wanted: Wanted, do: Callable[[Tx, Row], T]) -> T | None:
        """The same with a row that is claimed by the same commit; None where it is not to be had."""
        return cast("T | None", self._units.ask(_Unit(do, copy_context(), wanted=wanted)))

    def _decide(self, batch: Batch[_Unit, Any]) -> None:
        try:
            self._all(batch)
        except DATABASE_ERRORS as problem:
            if not is_of_one(problem):
                raise
            self._each_alone(batch, problem)
        except Exception as problem:  # noqa: BLE001 - it shows again in the one whose doing it was
            self._each_alone(batch, problem)

    def _all(self, batch: Batch[_Unit, Any]) -> None:
        with self._write() as tx:
            self._units.join(batch)
            answers = _done(tx, [one.item for one in batch])
        for one, answer in zip(batch, answers, strict=True):
            one.answered(answer)

    def _each_alone(self, batch: Batch[_Unit, Any], problem: Exception) -> None:
        if len(batch) == 1:
            batch[0].failed(problem)
            return
        log.info("a shared transaction is done one by one", extra={"error": type(problem).__name__})
        for one in batch:
            try:
                with self._write() as tx:
                    (answer,) = _done(tx, [one.item])
            except BaseException as again:  # noqa: BLE001 - raised again in the thread that waits
                one.failed(again)
            else:
                one.answered(answer)


def _done(tx: Tx, units: Sequence[_Unit]) -> list[Any]:
    """What came of each: rows are claimed first, and members held next, before anything is done."""
    claimed = _Claimed(tx, [unit.wanted for unit in units if unit.wanted is not None])
    with_rows = [(unit, claimed.of(unit.wanted) if unit.wanted else None) for unit in units]
    about = {number for pair in with_rows if (number := _payment_of(*pair)) is not None}
    if len(about) >= FEW:
        ahead.of_payments(tx, sorted(about))
    return [_answer(tx, *pair) for pair in with_rows]


def _payment_of(unit: _Unit, row: Row | None) -> int | None:
    if unit.wanted is None:
        return unit.payment_id
    return None if row is None else unit.wanted.payment_of(row)


def _answer(tx: Tx, unit: _Unit, row: Row | None) -> Any:
    if unit.wanted is None:
        return unit.context.run(unit.do, tx)
    return None if row is None else unit.context.run(unit.do, tx, row)


def is_of_one(problem: BaseException) -> bool:
    """Whether the database is there and refused what one did, rather than being away, full or locked.

    By SQLSTATE on PostgreSQL: broken rules (22, 23) and who had to give way to break a deadlock (40).
    """
    if isinstance(problem, DataError | IntegrityError):
        return True
    state = getattr(problem.orig, "sqlstate", None) if isinstance(problem, DBAPIError) else None
    return str(state or "").startswith("40")
