"""What Kajabi's public API is asked: reading back, the nightly comparison, tags. Never about money.

A refused key stops none of the work that matters: access goes on by the offers' addresses.
"""

from collections.abc import Callable
from datetime import timedelta

from linkpay.errors import CredentialsRefused, Missing, Permanent
from linkpay.services import connection, drift, tagging, verifying
from linkpay.services.parts import Parts
from linkpay.store import work
from linkpay.store.tables import Outbox

_DAILY = timedelta(days=1)
_KEY_WAIT = timedelta(hours=1)
#: Somebody who pays right now is let in within moments; until then Kajabi may not know her.
_NOT_YET = timedelta(minutes=1)
_TIMES_NOT_YET = 5


def _with_key(handle: Callable[[Parts, Outbox], None]) -> Callable[[Parts, Outbox], None]:
    """Wait, and tell the owner, while the key is refused."""

    def run(parts: Parts, row: Outbox) -> None:
        try:
            handle(parts, row)
        except CredentialsRefused as problem:
            now = parts.clock.now()
            with parts.database.write() as tx:
                connection.key_refused(tx, row.site_id, problem.detail, now)
                work.postpone(tx, row, now + _KEY_WAIT, problem.detail, fresh=True)

    return run


@_with_key
def verify(parts: Parts, row: Outbox) -> None:
    """Look whether Kajabi has what was done there."""
    with parts.database.read() as tx:
        asked = verifying.ask(tx, row.target_id, parts.box)
    seen = parts.directory.find_contact(asked.key, asked.email) if asked else None
    now = parts.clock.now()
    with parts.database.write() as tx:
        if asked is not None:
            verifying.read_back(tx, row.target_id, asked, seen, now)
        work.finish(tx, row, now)
        verifying.owe_newer(tx, row.target_id, asked, now)


@_with_key
def watch(parts: Parts, row: Outbox) -> None:
    """Once a day: what every offer opens, who has it, and tags that were missed."""
    with parts.database.read() as tx:
        key = connection.key_of(tx, row.site_id, parts.box)
    offers = parts.directory.offers(key) if key else []
    now = parts.clock.now()
    with parts.database.write() as tx:
        if key is not None:
            connection.key_works(tx, row.site_id, now)
            drift.begin(tx, connection.site(tx, row.site_id), offers, now)
            tagging.owe_all(tx, connection.site(tx, row.site_id), now)
        work.postpone(tx, row, now + _DAILY, fresh=True)


@_with_key
def drift_page(parts: Parts, row: Outbox) -> None:
    """One page of who has an offer; the next one a moment later."""
    with parts.database.read() as tx:
        asked = drift.page(tx, row.target_id, parts.box)
    contacts, more = (
        parts.directory.holders(asked.key, asked.offer_id, asked.number) if asked else ([], False)
    )
    now = parts.clock.now()
    with parts.database.write() as tx:
        if asked is not None and drift.book_page(tx, row.target_id, asked, contacts, more, now):
            work.postpone(tx, row, now + drift.PAUSE, fresh=True)
        else:
            work.finish(tx, row, now)


@_with_key
def check_missing(parts: Parts, row: Outbox) -> None:
    """Look for one member whom a list did not show."""
    with parts.database.read() as tx:
        asked = drift.ask_missing(tx, row.target_id, parts.box)
    seen = parts.directory.find_contact(asked.key, asked.email) if asked else None
    now = parts.clock.now()
    with parts.database.write() as tx:
        drift.missing_seen(tx, row.target_id, asked, seen, now)
        work.finish(tx, row, now)


@_with_key
def sync_tags(parts: Parts, row: Outbox) -> None:
    """Give a member the tags that fit her subscriptions now, and take ours off that do not."""
    with parts.database.read() as tx:
        plan = tagging.plan(tx, row.target_id, parts.box)
    contact = parts.directory.find_contact(plan.key, plan.email) if plan else None
    if plan is not None and contact is not None:
        _tag(parts, row, plan, contact.id)
        return
    now = parts.clock.now()
    with parts.database.write() as tx:
        if plan is not None and plan.wanted and row.attempts < _TIMES_NOT_YET:
            work.postpone(tx, row, now + _NOT_YET, "not known at Kajabi yet")
        else:
            work.finish(tx, row, now)


def _tag(parts: Parts, row: Outbox, plan: tagging.Tagging, contact_id: str) -> None:
    known = parts.directory.tags(plan.key)
    off = [known[name] for name in sorted(plan.unwanted) if name in known]
    on = [known[name] for name in sorted(plan.wanted) if name in known]
    try:
        parts.directory.remove_tags(plan.key, contact_id, off)
        parts.directory.add_tags(plan.key, contact_id, on)
    except Missing as problem:
        raise Permanent(problem.detail, status=problem.status) from None
    now = parts.clock.now()
    with parts.database.write() as tx:
        if tagging.done(tx, row.target_id, plan, frozenset(plan.wanted - known.keys()), now):
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, now, fresh=True)
