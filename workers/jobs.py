"""Running one row: claim it, hand it to its handler, and say what became of it.

A handler finishes its row in the transaction of its effect. What it cannot finish it raises, and
the three kinds of provider failure become: later, later, or a person.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

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
from linkpay.services import letters
from linkpay.services.parts import Parts
from linkpay.spans import span
from linkpay.store import counters, journal, sites, work
from linkpay.store.db import DATABASE_ERRORS, Tx
from linkpay.store.tables import Inbox, Outbox
from linkpay.store.together import NOBODY, About, Row, Wanted, breaks_a_rule
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
#: What holds a row for as long as it is worked on.
Keep = Callable[[Row], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class InTwo:
    """A handler that begins within the transaction that claims its row, and goes on with what came of it.

    `about` says whom a row is about, by its target.
    """

    begin: Callable[[Parts, Tx, Any, datetime], Any]
    go_on: Callable[[Parts, Any, Any], None]
    about: Callable[[int], About] = lambda _target_id: NOBODY


def _payment(target_id: int) -> About:
    return About(payment_id=target_id)


def _grant(target_id: int) -> About:
    return About(grant_id=target_id)


HANDLERS: dict[str, Handler | InTwo] = {
    "send_payment": InTwo(payments.begin, payments.send, _payment),
    "poll_payment": payments.poll,
    "renew_mandate": mandates.renew,
    "revoke_mandate": mandates.revoke,
    "send_refund": returns.send,
    "apply_grant": InTwo(access.begin, access.apply, _grant),
    "review_access": access.review,
    "dunning_step": duties.dunning_step,
    "expire_signup": duties.expire_signup,
    "send_mail": InTwo(duties.write_mail, duties.send_mail),
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

MESSAGES = InTwo(messages.begin, messages.handle)

_NEWER_WAITS = timedelta(seconds=20)

# Longest wait between two tries, seconds. Access must follow within two minutes after Kajabi answers
# again, and a webhook's payment within six.
_CAPS = {"apply_grant": 60.0, "inbox": 240.0, "send_payment": 300.0, "send_refund": 300.0}


@dataclass(frozen=True, slots=True)
class _Taken:
    """A row of ours, and what its handler began with it, or what came in between."""

    row: Row
    begun: Any = None
    problem: Exception | None = None


def run(parts: Parts, kind: str, row_id: int, *, keep: Keep = nullcontext) -> None:
    """Run one row. `kind` is ``inbox`` or ``outbox``. One that is not due, or held, is left alone.

    Without a `keep` it is held for no longer than its lease.
    """
    table: type[Inbox] | type[Outbox] = Inbox if kind == "inbox" else Outbox
    with correlation(f"{kind}:{row_id}") as identity, span("job", kind, correlation=identity) as told:
        taken = _take(parts, table, row_id)
        told.facts["taken"] = taken is not None
        if taken is None:
            return
        row = taken.row
        told.name = f"inbox {row.source}" if isinstance(row, Inbox) else f"outbox {row.kind}"
        try:
            with keep(row):
                _do(parts, taken)
        except work.LeaseLost:
            log.warning("lease lost", extra={"event": "lease_lost"})


def _do(parts: Parts, taken: _Taken) -> None:
    """Hand the row over, and note what it cannot finish. Raises LeaseLost from anywhere in between."""
    row = taken.row
    try:
        if taken.problem is not None:
            raise taken.problem
        handler = _handler(row)
        if isinstance(handler, InTwo):
            handler.go_on(parts, row, taken.begun)
        else:
            handler(parts, cast("Outbox", row))
    except (Retryable, OutcomeUnknown, TooLate, Conflict) as problem:
        # A conflict is a site without a key: its work waits until it is connected.
        _later(parts, row, problem)
    except CredentialsRefused as problem:
        (_halt if _whom(row) == "mollie" else _wait_outside)(parts, row, problem)
    except Permanent as problem:
        _park(parts, row, problem)


def _handler(row: Row) -> Handler | InTwo:
    return MESSAGES if isinstance(row, Inbox) else HANDLERS.get(row.kind, _of_a_newer_version)


def _of_a_newer_version(parts: Parts, row: Outbox) -> None:
    """While a new version is deployed, the old one leaves what it does not know to it."""
    with parts.database.write() as tx:
        work.postpone(tx, row, parts.clock.now() + _NEWER_WAITS, "unknown to this version", fresh=True)


def _take(parts: Parts, table: type[Inbox] | type[Outbox], row_id: int) -> _Taken | None:
    """Claim the row and let its handler begin, in one transaction.

    Where the beginning fails nothing of it happened, and the row is claimed all the same: its tries count.
    """
    now = parts.clock.now()
    wanted = Wanted(table, row_id, now, _about)

    def begin(tx: Tx, row: Row) -> _Taken | None:
        if _stopped_too_often(tx, row, now):
            return None
        handler = _handler(row)
        return _Taken(row, handler.begin(parts, tx, row, now) if isinstance(handler, InTwo) else None)

    try:
        return parts.together.claim(wanted, begin)
    except Exception as problem:
        if isinstance(problem, DATABASE_ERRORS) and not breaks_a_rule(problem):
            raise  # the row is left as it was, and rung again
        came = problem
    return parts.together.claim(
        wanted, lambda tx, row: None if _stopped_too_often(tx, row, now) else _Taken(row, problem=came)
    )


def _about(row: Row) -> About:
    handler = _handler(row)
    return handler.about(row.target_id) if isinstance(row, Outbox) and isinstance(handler, InTwo) else NOBODY


def _stopped_too_often(tx: Tx, row: Row, now: datetime) -> bool:
    """Whether the row is set aside, since its worker never came back from it."""
    if row.crashes < work.CRASH_LIMIT:
        return False
    work.park(tx, row, "It stopped its worker too often.", now)
    journal.need_attention(
        tx, site_id=row.site_id, kind="parked", subject=f"{row.__tablename__}:{row.id}", now=now,
        detail="This piece of work stopped its worker several times and was set aside.",
    )  # fmt: skip
    return True


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
    """Mollie refuses the site's key: this site stops, others go on, nothing is dropped."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        sites.halt(tx, row.site_id, now)
        journal.need_attention(
            tx, site_id=row.site_id, kind="mollie_key", subject=f"site:{row.site_id}", now=now,
            detail=f"Mollie refuses the key of this site, so nothing is charged: {problem.detail}",
        )  # fmt: skip
        work.postpone(tx, row, now + work.backoff(row.attempts, cap_seconds=600), problem.detail)
        _count(tx, row, problem, now)


def _wait_outside(parts: Parts, row: Row, problem: ProviderError) -> None:
    """Another than Mollie lets us in no more: its work waits, somebody hears of it, and money goes on."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        if _whom(row) == "mail":
            letters.shut_out(tx, row.site_id, problem.detail, now)
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
        counters.add(tx, "provider_error", f"{_whom(row)}/{type(problem).__name__.lower()}", now)


def _whom(row: Row) -> str:
    """Whom this work calls."""
    return row.source if isinstance(row, Inbox) else PROVIDERS.get(row.kind, "mollie")
