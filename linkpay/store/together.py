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
class About:
    """Whom a unit is about: who is held before anything of its batch is done, and whose rows are read then.

    A payment stands for its subscription and that one's member, a grant for its member.
    """

    payment_id: int | None = None
    grant_id: int | None = None


NOBODY = About()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that is to be claimed; `about` says whom it is about."""

    table: Table
    row_id: int
    now: datetime
    about: Callable[[Row], About] = lambda _row: NOBODY


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a thread wants done, in its own context."""

    do: Callable[..., Any]
    context: Context
    about: About = NOBODY
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

    def write(self, do: Callable[[Tx], T], about: About = NOBODY) -> T:
        """What `do` returns, once it is committed. Raises what it raises, or one of DATABASE_ERRORS."""
        return cast("T", self._units.ask(_Unit(do, copy_context(), about)))

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
            except BaseException as again:
                if not is_of_one(again):
                    raise  # for all that are left: were each to wait for it, the others would for minutes
                one.failed(again)
            else:
                one.answered(answer)


def _done(tx: Tx, units: Sequence[_Unit]) -> list[Any]:
    """What came of each: rows are claimed first, and members held next, before anything is done."""
    claimed = _Claimed(tx, [unit.wanted for unit in units if unit.wanted is not None])
    with_rows = [(unit, claimed.of(unit.wanted) if unit.wanted else None) for unit in units]
    about = [_about(*pair) for pair in with_rows]
    payment_ids = sorted({one.payment_id for one in about if one.payment_id is not None})
    grant_ids = sorted({one.grant_id for one in about if one.grant_id is not None})
    if len(payment_ids) >= FEW:
        ahead.of_payments(tx, payment_ids, grant_ids)
    elif len(payment_ids) + len(grant_ids) > 1:
        ahead.hold_all(tx, payment_ids, grant_ids)
    return [_answer(tx, *pair) for pair in with_rows]


def _about(unit: _Unit, row: Row | None) -> About:
    if unit.wanted is None:
        return unit.about
    return NOBODY if row is None else unit.wanted.about(row)


def _answer(tx: Tx, unit: _Unit, row: Row | None) -> Any:
    if unit.wanted is None:
        return unit.context.run(unit.do, tx)
    return None if row is None else unit.context.run(unit.do, tx, row)


def is_of_one(problem: BaseException) -> bool:
    """Whether the database is there and it is about what one did, rather than away, full or busy."""
    return not isinstance(problem, DATABASE_ERRORS) or breaks_a_rule(problem) or _gives_way(problem)


def breaks_a_rule(problem: BaseException) -> bool:
    """Whether it would be refused at the next try as well."""
    return isinstance(problem, DataError | IntegrityError)


def _gives_way(problem: BaseException) -> bool:
    """By SQLSTATE on PostgreSQL: to break a deadlock (40), or since somebody holds a row for long (55P03)."""
    state = getattr(problem.orig, "sqlstate", None) if isinstance(problem, DBAPIError) else None
    return str(state or "").startswith(("40", "55P03"))
