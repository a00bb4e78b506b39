"""Signing in without a password: a link by e-mail, pressed once, opens a session.

Nothing here tells anybody whether an address is known: asking always ends the same.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.errors import Conflict, NotFound
from linkpay.services import doors, letters, throttle
from linkpay.store import people, visits
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Site

SESSION_LIFE = timedelta(hours=12)
#: As many links as can be open at once; who asks on gets no more mails. The ones that were sent stay
#: good, so that a stranger who asks in somebody's name fills a mailbox no further and locks nobody out.
_LINKS_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in on one site, known by her e-mail; `customer` where she pays there."""

    site_id: int
    email: str
    customer: Customer | None


def ask(tx: Tx, site: Site, email: str, locale: str | None, address: str, now: datetime) -> None:
    """Owe a link to sign in to this e-mail (normalised), which leaves if somebody here has it.

    Whether she is known is found out when the mail is written: here the same is done for everybody, so
    that neither the time it takes nor how often one may ask tells. `locale` is the language that was asked
    for; without one the mail speaks hers. Raises SlowDown for an `address` from which too many ask.
    """
    sent = visits.mailed_since(tx, site.id, email, "sign_in", now - doors.LIFE)
    customer = people.customer_by_email(tx, site.id, email)
    subjects = {"door": f"{site.id}:{address}"}
    throttle.check(tx, subjects, now)
    throttle.failed(tx, subjects, now)
    if sent >= _LINKS_AT_ONCE:
        return
    speaks = locale or (customer.locale if customer else site.locale)
    reader = letters.Reader(email, speaks, customer.name if customer else "")
    letters.owe_to(tx, "sign_in", site.id, reader, step=f"sign_in:{uuid.uuid4()}", now=now)


def enter(tx: Tx, site_id: int, secret: str, now: datetime) -> str:
    """Use a link up: the secret of the new session. Raises Conflict ``link_spent``."""
    link = visits.spend(tx, site_id, "link", secret, now)
    if link is None:
        raise Conflict("link_spent", "This link was used before or is too old. Ask for a new one.")
    return begin(tx, site_id, link.email, now)


def begin(tx: Tx, site_id: int, email: str, now: datetime) -> str:
    """A session for somebody who proved that the address is hers; its secret."""
    return visits.make(
        tx, site_id=site_id, kind="session", email=email, expires_at=now + SESSION_LIFE, now=now
    )


def session(tx: Tx, site_id: int, secret: str, now: datetime) -> Session | None:
    """Who is signed in; None when the session is over or never was. Raises NotFound for one that
    belongs to another site."""
    found = visits.find(tx, "session", secret)
    if found is None:
        return None
    visit, customer = found
    if visit.site_id != site_id:
        raise NotFound("session_unknown", "There is no such session.")
    is_open = visit.ended_at is None and visit.expires_at > now
    return Session(site_id, visit.email, customer) if is_open else None


def leave(tx: Tx, site_id: int, secret: str, now: datetime) -> None:
    """Sign out; again is harmless."""
    visits.spend(tx, site_id, "session", secret, now)
