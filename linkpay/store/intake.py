"""Taking messages in: durable before their sender is answered, many in one commit."""

import logging
import sqlite3
from collections.abc import Sequence

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from linkpay.store.db import DATABASE_ERRORS, Database
from linkpay.store.gathering import Batch, Gathering
from linkpay.store.inbox import Message, receive, with_site
from linkpay.store.measures import Waiting
from linkpay.store.spool import Spool, beside
from linkpay.store.turnstile import LockTimeout

log = logging.getLogger(__name__)

#: So many messages share a commit at most, so that no answer waits long for the others.
_TOGETHER = 100


class Intake:
    """Keeps messages for all threads of a process, those that wait together in one commit.

    While somebody writes to SQLite for long they are kept beside it, so that nobody waits for that.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spool = beside(database)
        self._messages: Gathering[Message, bool] = Gathering(self._decide, _TOGETHER)

    def keep(self, message: Message) -> bool:
        """Returns once the message is on the disk; False when no site has its token.

        Raises one of DATABASE_ERRORS when the database cannot be had in time: then it is not kept.
        """
        return self._messages.ask(message)

    def _decide(self, batch: Batch[Message, bool]) -> None:
        try:
            with self._database.write(brief=True) as tx:
                self._messages.join(batch)
                known = receive(tx, [one.item for one in batch])
        except (DataError, IntegrityError) as problem:
            if len(batch) == 1:
                batch[0].failed(problem)
                return
            for one in batch:  # one that the database refuses must not take the others along
                self._decide([one])
            return
        except DATABASE_ERRORS as problem:
            if self._spool is None or not _is_busy(problem):
                raise
            self._messages.join(batch)  # who came while this one waited need not wait as long once more
            known = self._set_aside(self._spool, [one.item for one in batch], problem)
        for one, is_known in zip(batch, known, strict=True):
            one.answered(is_known)

    def _set_aside(self, spool: Spool, messages: Sequence[Message], problem: Exception) -> list[bool]:
        """Keep messages until there is a turn to write. Raises `problem` when that cannot be done either."""
        with self._database.read() as tx:
            tokens = with_site(tx, {one.token for one in messages})
        known = [one for one in messages if one.token in tokens]
        try:
            spool.keep(known)
        except (sqlite3.Error, OSError):
            log.exception("messages cannot be set aside")
            raise problem from None
        log.warning("somebody writes for long; messages are set aside", extra={"messages": len(known)})
        return [one.token in tokens for one in messages]


def catch_up(database: Database) -> int:
    """Bring what was set aside into the inbox, now that there is a turn; how many messages.

    Raises one of DATABASE_ERRORS while there is none, and then all of it waits on. What cannot be read, or is
    refused, is told in the log and holds up nothing else: money and access go on.
    """
    spool = beside(database)
    try:
        moved = spool.move_on(database) if spool else 0
    except (sqlite3.Error, OSError):
        log.exception("messages that were set aside cannot be read")
        return 0
    if moved:
        log.warning("messages that were set aside are in the inbox", extra={"messages": moved})
    return moved


def set_aside(database: Database) -> dict[str, Waiting]:
    """What was set aside and is not in the inbox yet, by source."""
    spool = beside(database)
    try:
        return spool.waiting() if spool else {}
    except (sqlite3.Error, OSError):
        log.exception("messages that were set aside cannot be counted")
        return {}


def _is_busy(problem: Exception) -> bool:
    """Whether the database is there and whole, and somebody else's for now."""
    code = getattr(problem.orig, "sqlite_errorcode", 0) if isinstance(problem, DBAPIError) else 0
    return isinstance(problem, LockTimeout) or code & 0xFF == sqlite3.SQLITE_BUSY
