"""Mollie says "not found" of something that must be there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from linkpay.clock import Clock
from linkpay.errors import Missing, Retryable
from linkpay.store.tables import Outbox

#: After this a person is asked: a customer or a payment may really have been removed.
_LOOKED_FOR = timedelta(days=2)


@contextmanager
def doubted(clock: Clock, row: Outbox) -> Iterator[None]:
    """For two days after it was owed, work that Mollie knows nothing of is done later, not set aside.

    Mollie does not promise to find at once what it has just made, so one answer proves nothing.
    """
    try:
        yield
    except Missing as problem:
        if clock.now() - row.created_at < _LOOKED_FOR:
            raise Retryable(problem.detail, status=problem.status) from problem
        raise
