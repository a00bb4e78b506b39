"""Another e-mail address: asked for by who is signed in, confirmed by who reads the new one."""

import uuid
from datetime import datetime

from linkpay.errors import Conflict
from linkpay.services import doors, letters, moves, throttle, visits
from linkpay.store import people
from linkpay.store import visits as links
from linkpay.store.db import Tx
from linkpay.store.tables import Site

_LINKS_AT_ONCE = 3


def ask(tx: Tx, site: Site, old: str, new: str, locale: str, now: datetime) -> None:
    """Mail a link to the new address (normalised). Says nothing of whether somebody here has it already.

    Raises Conflict ``same_email``, and SlowDown for somebody who has many strangers mailed.
    """
    if new == old:
        raise Conflict("same_email", "This is the address that you have.", "email")
    subject = {"person": f"move:{site.id}:{old}"}
    throttle.check(tx, subject, now)
    throttle.failed(tx, subject, now)
    if links.mailed_since(tx, site.id, new, "email_change", now - doors.LIFE) >= _LINKS_AT_ONCE:
        return
    customer = people.customer_by_email(tx, site.id, old)
    reader = letters.Reader(new, locale, customer.name if customer else "")
    letters.owe_to(
        tx, "email_change", site.id, reader, step=f"email_change:{uuid.uuid4()}", now=now, moves_from=old
    )


def confirm(tx: Tx, site: Site, secret: str, now: datetime) -> str:
    """Use a link up: access and payer move to the address that it was sent to; the secret of a session there.

    Raises Conflict ``link_spent``, ``payer_exists`` or ``member_blocked``; then nothing moves.
    """
    link = links.spend(tx, site.id, "move", secret, now)
    if link is None or link.moves_from is None:
        raise Conflict("link_spent", "This link was used before or is too old. Ask for a new one.")
    old, new = link.moves_from, link.email
    member = people.by_email(tx, site.id, old)
    payer = people.customer_by_email(tx, site.id, old)
    language = payer.locale if payer else site.locale
    name = payer.name if payer else ""
    if member is not None:
        moves.move_access(tx, member.id, new, "member", now, payer_too=True)
    elif payer is not None:
        if people.customer_by_email(tx, site.id, new) is not None:
            raise Conflict("payer_exists", "Somebody pays under this address already.", "email")
        moves.give_address(tx, payer, new, now)
    links.close_all(tx, site.id, old, now)
    reader = letters.Reader(old, language, name)
    letters.owe_to(
        tx, "email_changed", site.id, reader, step=f"email_changed:{link.id}", now=now, path="portal"
    )
    return visits.begin(tx, site.id, new, now)
