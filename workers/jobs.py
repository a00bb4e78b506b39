"""Running one row: claim it, hand it to its handler, and say what became of it.

A handler finishes its row in the transaction of its effect. What it cannot finish it raises, and
the three kinds of provider failure become: later, later, or a person.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from linkpay.errors import (
    Conflict,
    CredentialsRefused,
    OutcomeUnknown,
    Permanent,
    ProviderError,
    Retryable,
    TooLate,
)
from linkpay.logs import correlation
from linkpay.services.parts import Parts
from linkpay.spans import span
from linkpay.store import counters, journal, sites, work
from linkpay.store.db import Tx
from linkpay.store.tables import Inbox, Outbox
from workers import (
    access,
    books,
    bulk,
    directory,
    duties,
    mandates,
    messages,
    operator,
    payments,
    returns,
    takeovers,
)

log = logging.getLogger(__name__)

Handler = Callable[[Parts, Outbox], None]

HANDLERS: dict[str, Handler] = {
    "send_payment": payments.send,
    "poll_payment": payments.poll,
    "renew_mandate": mandates.renew,
    "revoke_mandate": mandates.revoke,
    "send_refund": returns.send,
    "apply_grant": access.apply,
    "review_access": access.review,
    "dunning_step": duties.dunning_step,
    "expire_signup": duties.expire_signup,
    "send_mail": duties.send_mail,
    "forget_person": duties.forget_person,
    "stop_payment": payments.stop,
    "turn": duties.turn,
    "withdrawal_waits": duties.withdrawal_waits,
    "watch_site": duties.watch_site,
    "verify_grant": directory.verify,
    "watch_kajabi": directory.watch,
    "drift_page": directory.drift_page,
    "check_missing": directory.check_missing,
    "sync_tags": directory.sync_tags,
    "take_over": takeovers.take_over,
    "bulk_batch": bulk.batch,
    "tell_operator": operator.tell,
    "catch_up": books.catch_up,
    "count_numbers": duties.count_numbers,
}

#: Whom a kind of work calls, where that is not Mollie.
PROVIDERS = {
    "apply_grant": "kajabi", "verify_grant": "kajabi", "watch_kajabi": "kajabi", "drift_page": "kajabi",
    "check_missing": "kajabi", "sync_tags": "kajabi", "send_mail": "mail", "tell_operator": "mail",
}  # fmt: skip

_NEWER_WAITS = timedelta(seconds=20)

# Longest wait between two tries, seconds. Access must follow within two minutes after Kajabi answers
# again, and a webhook's payment within six.
_CAPS = {"apply_grant": 60.0, "inbox": 240.0, "send_payment": 300.0, "send_refund": 300.0}


def run(parts: Parts, kind: str, row_id: int) -> None:
    """Run one row. `kind` is ``inbox`` or ``outbox``. One that is not due, or held, is left alone."""
    table: type[Inbox] | type[Outbox] = Inbox if kind == "inbox" else Outbox
    with correlation(f"{kind}:{row_id}") as identity, span("job", kind, correlation=identity) as told:
        row = _claim(parts, table, row_id)
        told.facts["taken"] = row is not None
        if row is None:
            return
        told.name = f"inbox {row.source}" if isinstance(row, Inbox) else f"outbox {row.kind}"
        try:
            _do(parts, row)
        except work.LeaseLost:
            log.warning("lease lost", extra={"event": "lease_lost"})


def _do(parts: Parts, row: Inbox | Outbox) -> None:
    """Hand the row over, and note what it cannot finish. Raises LeaseLost from anywhere in between."""
    try:
        if isinstance(row, Inbox):
            messages.handle(parts, row)
        else:
            HANDLERS.get(row.kind, _of_a_newer_version)(parts, row)
    except (Retryable, OutcomeUnknown, TooLate, Conflict) as problem:
        # A conflict is a site without a key: its work waits until it is connected.
        _later(parts, row, problem)
    except CredentialsRefused as problem:
        _halt(parts, row, problem)
    except Permanent as problem:
        _park(parts, row, problem)


def _of_a_newer_version(parts: Parts, row: Outbox) -> None:
    """While a new version is deployed, the old one leaves what it does not know to it."""
    with parts.database.write() as tx:
        work.postpone(tx, row, parts.clock.now() + _NEWER_WAITS, "unknown to this version", fresh=True)


def _claim(parts: Parts, table: type[Inbox] | type[Outbox], row_id: int) -> Inbox | Outbox | None:
    now = parts.clock.now()

    def claim(tx: Tx) -> Inbox | Outbox | None:
        row = work.claim(tx, table, row_id, now)
        if row is None or row.crashes < work.CRASH_LIMIT:
            return row
        work.park(tx, row, "It stopped its worker too often.", now)
        journal.need_attention(
            tx, site_id=row.site_id, kind="parked", subject=f"{table.__tablename__}:{row.id}", now=now,
            detail="This piece of work stopped its worker several times and was set aside.",
        )  # fmt: skip
        return None

    return parts.together.write(claim)


def _later(parts: Parts, row: Inbox | Outbox, problem: Exception) -> None:
    kind = "inbox" if isinstance(row, Inbox) else row.kind
    hint = problem.retry_after if isinstance(problem, Retryable) else None
    wait = work.backoff(row.attempts, cap_seconds=_CAPS.get(kind, 3600.0), hint=hint)
    log.warning("will try again", extra={"event": "postponed", "job": kind, "why": str(problem)})
    now = parts.clock.now()
    with parts.database.write() as tx:
        work.postpone(tx, row, now + wait, str(problem))
        _count(tx, row, problem, now)


def _halt(parts: Parts, row: Inbox | Outbox, problem: ProviderError) -> None:
    """The site's key is refused: this site stops, others go on, nothing is dropped."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        sites.halt(tx, row.site_id, now)
        journal.need_attention(
            tx, site_id=row.site_id, kind="mollie_key", subject=f"site:{row.site_id}", now=now,
            detail=f"Mollie refuses the key of this site, so nothing is charged: {problem.detail}",
        )  # fmt: skip
        work.postpone(tx, row, now + work.backoff(row.attempts, cap_seconds=600), problem.detail)
        _count(tx, row, problem, now)


def _park(parts: Parts, row: Inbox | Outbox, problem: ProviderError) -> None:
    now = parts.clock.now()
    with parts.database.write() as tx:
        work.park(tx, row, problem.detail, now)
        name = "inbox" if isinstance(row, Inbox) else "outbox"
        journal.need_attention(
            tx, site_id=row.site_id, kind="parked", subject=f"{name}:{row.id}", detail=problem.detail, now=now
        )
        _count(tx, row, problem, now)


def _count(tx: Tx, row: Inbox | Outbox, problem: Exception, now: datetime) -> None:
    """Count a call that did not end well, by whom it went to and how."""
    if isinstance(problem, ProviderError):
        whom = row.source if isinstance(row, Inbox) else PROVIDERS.get(row.kind, "mollie")
        counters.add(tx, "provider_error", f"{whom}/{type(problem).__name__.lower()}", now)
