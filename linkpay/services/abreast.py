"""Doing the same for many subscriptions, several in a transaction; one odd row does not end it for all."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from linkpay.store import ahead
from linkpay.store.db import Database, Tx
from linkpay.store.together import FEW, is_of_one

log = logging.getLogger(__name__)

T = TypeVar("T")
#: So many share a transaction: others wait for the writer's turn, and for these subscriptions, no longer.
AT_ONCE = 20


def parts_of(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in their order, as many at once as share a transaction."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def done(database: Database, subscription_ids: Sequence[int], do: Callable[[Tx, int], bool]) -> int:
    """For how many of at most AT_ONCE subscriptions `do` says that it did something.

    Where it fails for one, each has a transaction of its own, and the one is logged and left: without this
    a single odd row would end the clock at each of its turns, and with it the billing of every site.
    Raises one of DATABASE_ERRORS when the database is away.
    """
    if len(subscription_ids) >= FEW:
        try:
            with database.write() as tx:
                ahead.of_subscriptions(tx, subscription_ids)
                return sum(do(tx, one) for one in subscription_ids)
        except Exception as problem:
            if not is_of_one(problem):
                raise
    return sum(_alone(database, one, do) for one in subscription_ids)


def _alone(database: Database, subscription_id: int, do: Callable[[Tx, int], bool]) -> bool:
    try:
        with database.write() as tx:
            return do(tx, subscription_id)
    except Exception as problem:
        if not is_of_one(problem):
            raise
        about = {"event": "subscription_left_out", "subscription": subscription_id}
        log.exception("subscription left out", extra=about)
        return False
