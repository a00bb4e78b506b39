"""Messages as they arrive: one statement, one row, one commit."""

from datetime import datetime

from sqlalchemy import insert, literal, select

from linkpay.store.db import Tx, ring_after_commit
from linkpay.store.tables import Inbox, Site


def receive(
    tx: Tx, *, token: str, source: str, ref: str, content_type: str, body: bytes, now: datetime
) -> bool:
    """Keep a message for the site whose addresses carry `token`; False when no site does.

    Never de-duplicates: Mollie posts the same id again for every later state of a payment.
    """
    names = (
        "site_id",
        "source",
        "ref",
        "content_type",
        "body",
        "run_at",
        "created_at",
        "attempts",
        "crashes",
    )
    columns = Inbox.__table__.c
    row = select(
        Site.id,
        literal(source),
        literal(ref[:80]),
        literal(content_type[:100]),
        literal(body, columns.body.type),
        literal(now, columns.run_at.type),
        literal(now, columns.created_at.type),
        literal(0),
        literal(0),
    ).where(Site.token == token)
    row_id = tx.scalar(insert(Inbox).from_select(names, row, include_defaults=False).returning(Inbox.id))
    if row_id is not None:
        ring_after_commit(tx, inbox_id=row_id)
    return row_id is not None


def note(tx: Tx, *, site_id: int, ref: str, why: str, now: datetime) -> None:
    """Look at a payment as if Mollie had posted it; `why` says who noticed."""
    message = Inbox(
        site_id=site_id, source="mollie", ref=ref, content_type="", body=why.encode(), run_at=now,
        created_at=now,
    )  # fmt: skip
    tx.add(message)
    tx.flush()
    ring_after_commit(tx, inbox_id=message.id)
