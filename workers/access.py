"""Grants: telling Kajabi what is wanted now, one at a time per member and offer."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from linkpay.errors import (
    CredentialsRefused,
    IdentityConflict,
    Missing,
    OutcomeUnknown,
    Permanent,
    ProviderError,
    TooLate,
)
from linkpay.ports import AccessAnswer, AccessOrder
from linkpay.services import access, billing, connection, errands
from linkpay.services.parts import Parts
from linkpay.store import counters, grants, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Outbox
from linkpay.store.together import About

#: Sending later than this after taking or prolonging the lease could overtake its next holder.
_SEND_WITHIN = timedelta(seconds=5)
#: Somebody else is talking to Kajabi about this grant: look again shortly.
_BUSY_WAIT = timedelta(seconds=2)


def begin(parts: Parts, tx: Tx, row: Outbox, now: datetime) -> errands.Errand | str:
    """Claim the presently wanted state, whatever it was when this row was made; or why there is no errand."""
    errand = errands.claim(tx, row.target_id, parts.box, now)
    if errand == "busy":
        work.postpone(tx, row, now + _BUSY_WAIT, "being applied")
    elif errand == "done":
        work.finish(tx, row, now)
    return errand


def apply(parts: Parts, row: Outbox, errand: errands.Errand | str) -> None:
    """Run the errand that `begin` claimed."""
    if errand == "no_address":
        raise Permanent(
            "The offer has no Kajabi addresses yet. Paste its activation and deactivation address."
        )
    if isinstance(errand, str):
        return
    try:
        answer, external_user_id = _deliver(parts, errand)
    except (Missing, CredentialsRefused, IdentityConflict, Permanent) as problem:
        with parts.database.write() as tx:
            errands.give_up(tx, errand, *_explained(problem), parts.clock.now())
            with suppress(work.LeaseLost):
                work.park(tx, row, problem.detail, parts.clock.now())
            counters.add(tx, "provider_error", f"kajabi/{type(problem).__name__.lower()}", parts.clock.now())
        return
    except (ProviderError, TooLate) as problem:
        with parts.database.write() as tx:
            errands.leave(tx, errand, parts.clock.now(), on_its_way=isinstance(problem, OutcomeUnknown))
        raise
    now = parts.clock.now()

    def confirm(tx: Tx) -> None:
        errands.confirm(tx, errand, answer, external_user_id, now)
        # What Kajabi answered counts by the grant's own lease; whoever has the row by now finds it done.
        with suppress(work.LeaseLost):
            work.finish(tx, row, now)

    parts.together.write(confirm, About(grant_id=errand.grant_id))


def _deliver(parts: Parts, errand: errands.Errand) -> tuple[AccessAnswer, str]:
    """Send the order; on an identity conflict try the ids that carts commonly used, each once."""
    order = errand.order
    for candidate in _identities(order):
        try:
            return _once(parts, errand, replace(order, external_user_id=candidate)), candidate
        except IdentityConflict as problem:
            conflict = problem
    told = _id_by_api(parts, errand)
    if told is not None and told not in _identities(order):
        return _once(parts, errand, replace(order, external_user_id=told)), told
    if errand.never_granted and not order.grant:
        return _name_and_revoke(parts, errand), order.external_user_id
    raise conflict


def _id_by_api(parts: Parts, errand: errands.Errand) -> str | None:
    """The id by which Kajabi knows her, where its public API may be asked and says so."""
    with parts.database.read() as tx:
        key = connection.key_of(tx, grants.get(tx, errand.grant_id).site_id, parts.box)
    if key is None:
        return None
    try:
        contact = parts.directory.find_contact(key, errand.order.email)
    except ProviderError:
        return None  # the conflict is what a person should hear of
    return contact.external_user_id if contact else None


def _name_and_revoke(parts: Parts, errand: errands.Errand) -> AccessAnswer:
    """Take away what Kajabi gave by itself: it revokes by an external id, which it learns by a grant.

    The grant finds her access there already, so nothing is given that she did not have.
    """
    grant_url = _opposite(parts, errand)
    if grant_url is not None:
        _send(parts, errand, replace(errand.order, url=grant_url, grant=True))
    return _send(parts, errand, errand.order)


def _opposite(parts: Parts, errand: errands.Errand) -> str | None:
    with parts.database.read() as tx:
        return errands.opposite_url(tx, errand, parts.box)


def _once(parts: Parts, errand: errands.Errand, order: AccessOrder) -> AccessAnswer:
    answer = _send(parts, errand, order)
    if not (errand.regrant and answer.was_so_already):
        return answer
    # We revoked this before, so "already granted" proves nothing: revoke and grant once more.
    revoke_url = _opposite(parts, errand)
    if revoke_url is None:
        return answer
    _send(parts, errand, replace(order, url=revoke_url, grant=False))
    answer = _send(parts, errand, order)
    if answer.was_so_already:
        raise Permanent("Kajabi says that access is there, but it was revoked before and cannot be proven.")
    return answer


def _send(parts: Parts, errand: errands.Errand, order: AccessOrder) -> AccessAnswer:
    """One of the calls of an errand. Where the ones before it were slow, the lease is prolonged first."""
    now = parts.clock.now()
    if now - errand.claimed_at > _SEND_WITHIN:
        with parts.database.write() as tx:
            ours = grants.prolong_lease(tx, errand.grant_id, errand.lease, errand.version, now)
        if not ours or parts.clock.now() - now > _SEND_WITHIN:
            raise TooLate("too much time passed since the lease was taken")
    return parts.access.apply(order)


def _identities(order: AccessOrder) -> list[str]:
    # Most carts use the e-mail as external id, one large one the MD5 of it (Digistore24's help).
    digest = hashlib.md5(order.email.encode(), usedforsecurity=False).hexdigest()
    return list(dict.fromkeys((order.external_user_id, order.email, digest)))


def _explained(problem: ProviderError) -> tuple[str, str]:
    """(kind of refusal, a sentence about it)."""
    match problem:
        case Missing():
            return (
                "address",
                "Kajabi does not know the address of this offer any more. Copy both addresses again.",
            )
        case IdentityConflict():
            return (
                "identity",
                "Kajabi knows this e-mail address under another external id. Say which one is right.",
            )
        case _:
            return "refused", f"Kajabi refused: {problem.detail}"


def review(parts: Parts, row: Outbox) -> None:
    """A stretch of access ends about now: ask for what is due, so that our delay is not hers; decide anew."""
    now = parts.clock.now()
    with parts.database.write() as tx:
        grant = grants.get(tx, row.target_id)
        for subscription in subscriptions.for_access(tx, grant.member_id, grant.offer_id):
            billing.raise_next(tx, subscription.id, now)
        access.review(tx, member_id=grant.member_id, offer_id=grant.offer_id, now=now)
        until = grants.get(tx, grant.id).until
        if until is None or until <= now:
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, until, fresh=True)
