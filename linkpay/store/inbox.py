"""Messages as they arrive: each a row, durable before its sender is answered, many in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from linkpay.store.db import Database, Tx, core, ring_after_commit
from linkpay.store.gathering import Batch, Gathering
from linkpay.store.tables import Inbox, Site

#: So many messages share a commit at most, so that no answer waits long for the others.
_TOGETHER = 100


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
    """Keep messages for the sites of their tokens; False for each whose token no site has.

    Never de-duplicates: Mollie posts the same id again for every later state of a payment.
    """
    sites = dict(tx.execute(_SITES, {"tokens": {one.token for one in messages}}).all())
    rows = [
        {
            "site_id": sites[one.token], "source": one.source, "ref": one.ref[:80],
            "content_type": one.content_type[:100], "body": one.body, "run_at": one.at, "created_at": one.at,
            "attempts": 0, "crashes": 0,
        }
        for one in messages
        if one.token in sites
    ]  # fmt: skip
    if rows:
        for row_id in tx.scalars(_KEEP, rows):
            ring_after_commit(tx, inbox_id=row_id)
    return [one.token in sites for one in messages]


_SITE = core(Site).c
_SITES = select(_SITE.token, _SITE.id).where(_SITE.token.in_(bindparam("tokens", expanding=True)))
_KEEP = insert(core(Inbox)).returning(core(Inbox).c.id)


def note(tx: Tx, *, site_id: int, ref: str, why: str, now: datetime) -> None:
    """Look at a payment as if Mollie had posted it; `why` says who noticed."""
    message = Inbox(
        site_id=site_id, source="mollie", ref=ref, content_type="", body=why.encode(), run_at=now,
        created_at=now,
    )  # fmt: skip
    tx.add(message)
    tx.flush()
    ring_after_commit(tx, inbox_id=message.id)


class Intake:
    """Keeps messages for all threads of a process, those that wait together in one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages: Gathering[Message, bool] = Gathering(self._decide, _TOGETHER)

    def keep(self, message: Message) -> bool:
        """Returns once the message is committed; False when no site has its token.

        Raises one of DATABASE_ERRORS when the database cannot be had in time: then it is not kept.
        """
        return self._messages.ask(message)

    def _decide(self, batch: Batch[Message, bool]) -> None:
        try:
            with self._database.write() as tx:
                self._messages.join(batch)
                known = receive(tx, [one.item for one in batch])
        except (DataError, IntegrityError) as problem:
            if len(batch) == 1:
                batch[0].failed(problem)
                return
            for one in batch:  # one that the database refuses must not take the others along
                self._decide([one])
        else:
            for one, is_known in zip(batch, known, strict=True):
                one.answered(is_known)
