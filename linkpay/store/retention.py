"""Letting go of what is old: handled messages as they came, finished work, sent mails as they went."""

from datetime import datetime

from sqlalchemy import delete, select, update

from linkpay.store.db import Tx
from linkpay.store.tables import Inbox, Mail, Outbox

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
    old = (
        select(table.id)
        .where(table.site_id == site_id, table.done_at < before)
        .order_by(table.id)
        .limit(BATCH)
    )
    gone = tx.execute(delete(table).where(table.id.in_(old)).returning(table.id))
    return len(gone.all())


def empty_mails(tx: Tx, site_id: int, before: datetime) -> int:
    """Take the words out of mails that were sent before an instant; that they were sent stays. How many."""
    old = (
        select(Mail.id)
        .where(Mail.site_id == site_id, Mail.sent_at < before, Mail.text != "")
        .order_by(Mail.id)
        .limit(BATCH)
    )
    emptied = tx.execute(
        update(Mail).where(Mail.id.in_(old)).values(text="", html="", subject="").returning(Mail.id)
    )
    return len(emptied.all())
