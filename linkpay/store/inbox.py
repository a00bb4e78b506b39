"""Messages as they arrive: each a row, and nothing is decided yet."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, column, func, insert, select
from sqlalchemy.dialects import postgresql

from linkpay.store.db import Tx, core, ring_after_commit
from linkpay.store.tables import Inbox, Site


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody posted to the address that carries `token`."""

    token: str
    source: str
    ref: str
    content_type: str
    body: bytes
    at: datetime


def receive(tx: Tx, messages: Sequence[Message]) -> list[bool]:
    """Keep at least one message for the sites of their tokens; False for each whose token no site has.

    Never de-duplicates: Mollie posts the same id again for every later state of a payment.
    """
    rows = [
        {
            "token": one.token, "source": one.source, "ref": one.ref[:80], "body": one.body,
            "content_type": one.content_type[:100], "run_at": one.at, "created_at": one.at, "attempts": 0,
            "crashes": 0,
        }
        for one in messages
    ]  # fmt: skip
    keep = _keep_at_once if tx.get_bind().dialect.name == "postgresql" else _keep_known
    made, known = keep(tx, rows)
    for row_id in made:
        ring_after_commit(tx, inbox_id=row_id)
    return [one.token in known for one in messages]


Rows = list[dict[str, Any]]


def _keep_known(tx: Tx, rows: Rows) -> tuple[Sequence[int], Set[str]]:
    """The ids of the new rows, and the tokens that a site has: it is asked for its sites first."""
    sites = with_site(tx, {row["token"] for row in rows})
    known = [row | {"site_id": sites[token]} for row in rows if (token := row.pop("token")) in sites]
    return tx.scalars(_KEEP, known).all() if known else [], sites.keys()


def _keep_at_once(tx: Tx, rows: Rows) -> tuple[Sequence[int], Set[str]]:
    """The same by one statement, which is one way to a server."""
    made = tx.execute(_keeping(), {name: [row[name] for row in rows] for name in rows[0]}).all()
    if len(made) == len(rows):
        return [row_id for row_id, _ in made], {row["token"] for row in rows}
    kept = {site_id for _, site_id in made}
    known = {
        token for token, site_id in with_site(tx, {row["token"] for row in rows}).items() if site_id in kept
    }
    return [row_id for row_id, _ in made], known


def with_site(tx: Tx, tokens: Set[str]) -> dict[str, int]:
    """Of tokens, those that a site has, and its id."""
    return dict(tx.execute(_SITES, {"tokens": tokens}).all())


_SITE = core(Site).c
_SITES = select(_SITE.token, _SITE.id).where(_SITE.token.in_(bindparam("tokens", expanding=True)))
_INBOX = core(Inbox).c
_KEEP = insert(core(Inbox)).returning(_INBOX.id)


@cache
def _keeping() -> Executable:
    """Rows from one list for each column, joined to their sites."""
    given = [_INBOX[name] for name in (
        "source", "ref", "content_type", "body", "run_at", "created_at", "attempts", "crashes"
    )]  # fmt: skip
    columns = [_SITE.token, *given]
    lists = [bindparam(one.name, type_=postgresql.ARRAY(one.type)) for one in columns]
    posted = func.unnest(*lists).table_valued(*(column(one.name, one.type) for one in columns))
    posted = posted.render_derived(name="posted")
    rows = select(_SITE.id, *(posted.c[one.name] for one in given)).where(_SITE.token == posted.c.token)
    into = insert(core(Inbox)).from_select([_INBOX.site_id, *given], rows, include_defaults=False)
    return into.returning(_INBOX.id, _INBOX.site_id)


def awaited(tx: Tx, site_id: int) -> set[str]:
    """The payments of a site that are going to be looked at, though nobody is at it yet."""
    waits = (Inbox.done_at.is_(None), Inbox.parked_at.is_(None), Inbox.lease.is_(None))
    return set(tx.scalars(select(Inbox.ref).where(Inbox.site_id == site_id, *waits)))


def note(tx: Tx, *, site_id: int, ref: str, why: str, now: datetime) -> None:
    """Look at a payment as if Mollie had posted it; `why` says who noticed."""
    message = Inbox(
        site_id=site_id, source="mollie", ref=ref, content_type="", body=why.encode(), run_at=now,
        created_at=now,
    )  # fmt: skip
    tx.add(message)
    tx.flush()
    ring_after_commit(tx, inbox_id=message.id)
