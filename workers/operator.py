"""Telling whoever runs the service."""

from linkpay.services import letters, operator_mail
from linkpay.services.parts import Parts
from linkpay.store import work
from linkpay.store.tables import Outbox


def tell(parts: Parts, row: Outbox) -> None:
    """Mail what a check found, if anybody is to be mailed and it is still so."""
    with parts.database.read() as tx:
        letter = (
            operator_mail.compose(tx, row.target_id, parts.operator_email, parts.base_url)
            if parts.operator_email
            else None
        )
    if letter is not None:
        parts.mailer.send(letter)
    with parts.database.write() as tx:
        if letter is not None and row.last_error is not None:
            letters.let_in(tx, row.site_id, parts.clock.now())
        work.finish(tx, row, parts.clock.now())
