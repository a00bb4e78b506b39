"""Transactions that several threads share, each with a unit of work of its own.

All units of a batch are committed together or not at all. Where one of them raises, nothing of the batch
happened, and each is done again in a transaction of its own: so a unit does nothing but read and write.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from linkpay.store import ahead
from linkpay.store.db import DATABASE_ERRORS, Tx
from linkpay.store.gathering import Batch, Gathering

log = logging.getLogger(__name__)

T = TypeVar("T")
#: So many units share a transaction at most: nobody waits long for the others, nor for a lock of theirs.
_TOGETHER = 32
#: Of so few it costs as much to read what each needs when it asks for it.
FEW = 3


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a thread wants done, in its own context; `payment_id` is whose subscription it is about."""

    do: Callable[[Tx], Any]
    payment_id: int | None
    context: Context


class Together:
    """Shares the writing transactions that `write` opens."""

    def __init__(self, write: Callable[[], AbstractContextManager[Tx]]) -> None:
        self._write = write
        self._units: Gathering[_Unit, Any] = Gathering(self._decide, _TOGETHER)

    def write(self, do: Callable[[Tx], T], payment_id: int | None = None) -> T:
        """What `do` returns, once it is committed. Raises what it raises, or one of DATABASE_ERRORS."""
        return cast("T", self._units.ask(_Unit(do, payment_id, copy_context())))

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
            about = {one.item.payment_id for one in batch if one.item.payment_id is not None}
            if len(about) >= FEW:
                ahead.of_payments(tx, sorted(about))
            answers = [one.item.context.run(one.item.do, tx) for one in batch]
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
                    answer = one.item.context.run(one.item.do, tx)
            except BaseException as again:  # noqa: BLE001 - raised again in the thread that waits
                one.failed(again)
            else:
                one.answered(answer)


def is_of_one(problem: BaseException) -> bool:
    """Whether the database is there and refused what one did, rather than being away, full or locked.

    By SQLSTATE on PostgreSQL: broken rules (22, 23) and who had to give way to break a deadlock (40).
    """
    if isinstance(problem, DataError | IntegrityError):
        return True
    state = getattr(problem.orig, "sqlstate", None) if isinstance(problem, DBAPIError) else None
    return str(state or "").startswith("40")
