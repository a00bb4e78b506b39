"""Letting go of what is old: handled messages as they came, finished work, sent mails as they went, and links
and sessions that open nothing any more."""

from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, delete, or_, select, update

from linkpay.store.db import Tx
from linkpay.store.tables import Inbox, Mail, Outbox, OwnerSession, Visit

#: Rows at once: a transaction that holds SQLite's writers up for long would cost a webhook.
BATCH = 500


def drop_messages(tx: Tx, site_id: int, before: datetime) -> int:
    """Remove messages that were handled before an instant; how many."""
    return _drop_done(tx, Inbox, site_id, before)


def drop_work(tx: Tx, site_id: int, before: datetime) -> int:
    """Remove work that was finished before an instant; how many.

    Its name kept it from being owed again: the instant has to lie so far back that nobody can ask any more.
    """
    return _drop_done(tx, Outbox, site_id, before)


def _drop_done(tx: Tx, table: type[Inbox | Outbox], site_id: int, before: datetime) -> int:
    return len(tx.execute(_dropping(table), {"site": site_id, "before": before}).all())


@cache
def _dropping(table: type[Inbox | Outbox]) -> Executable:
    old = (
        select(table.id)
        .where(table.site_id == bindparam("site"), table.done_at < bindparam("before"))
        .order_by(table.id)
        .limit(BATCH)
    )
    return delete(table).where(table.id.in_(old)).returning(table.id)


def empty_mails(tx: Tx, site_id: int, before: datetime) -> int:
    """Take the words out of mails that were sent before an instant; that they were sent stays. How many."""
    return len(tx.execute(_EMPTYING, {"site": site_id, "before": before}).all())


_FULL = (
    select(Mail.id)
    .where(Mail.site_id == bindparam("site"), Mail.sent_at < bindparam("before"), Mail.text != "")
    .order_by(Mail.id)
    .limit(BATCH)
)
_EMPTYING = update(Mail).where(Mail.id.in_(_FULL)).values(text="", html="", subject="").returning(Mail.id)


def drop_doors(tx: Tx, site_id: int, before: datetime) -> int:
    """Remove links and sessions of a site, and sessions of owners, that ended by themselves before then; how
    many of one kind. Where somebody moved to another address stays: by it she is forgotten under both.
    """
    given = {"site": site_id, "before": before}
    return max(len(tx.execute(dropping, given).all()) for dropping in (_DROPPING_VISITS, _DROPPING_SESSIONS))


_CLOSED_VISITS = (
    select(Visit.id)
    .where(
        Visit.site_id == bindparam("site"), Visit.expires_at < bindparam("before"),
        or_(Visit.kind != "move", Visit.ended_at.is_(None)),
    )
    .order_by(Visit.expires_at)
    .limit(BATCH)
)  # fmt: skip
_DROPPING_VISITS = delete(Visit).where(Visit.id.in_(_CLOSED_VISITS)).returning(Visit.id)
_CLOSED_SESSIONS = select(OwnerSession.id).where(OwnerSession.expires_at < bindparam("before")).limit(BATCH)
_DROPPING_SESSIONS = (
    delete(OwnerSession).where(OwnerSession.id.in_(_CLOSED_SESSIONS)).returning(OwnerSession.id)
)
