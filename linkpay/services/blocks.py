"""Shutting a member out, whatever was paid or given, and letting her in again."""

from datetime import datetime

from linkpay.domain.subscription import LIVE, SubscriptionEvent, SubscriptionState
from linkpay.services import access, lifecycle
from linkpay.store import journal, people, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Member

_MAY_COLLECT = LIVE | {SubscriptionState.PENDING}


def block(
    tx: Tx, member_id: int, reason: str, actor: str, now: datetime, *, stop_billing: bool = True
) -> Member:
    """Nothing is granted to her from now on. Unless told otherwise nothing is collected for her either:
    taking money for access that is not given would be wrong. What she paid is not sent back by itself."""
    running = subscriptions.of_member(tx, member_id)
    held = [subscriptions.lock(tx, one.id) for one in running if one.state in _MAY_COLLECT]
    member = people.lock_family(tx, member_id)[member_id]
    if member.blocked_at is None:
        member.blocked_at, member.blocked_reason = now, reason[:200]
        journal.record_about(tx, "member_blocked", actor, now, member=member, why=reason[:200])
    if stop_billing:
        for subscription in held:
            lifecycle.end(tx, subscription, SubscriptionEvent.STOPPED, actor, now)
    _review_all(tx, member_id, now)
    return member


def unblock(tx: Tx, member_id: int, actor: str, now: datetime) -> Member:
    """What was paid and given counts again; a subscription that was stopped stays stopped."""
    member = people.lock_family(tx, member_id)[member_id]
    if member.blocked_at is not None:
        member.blocked_at = member.blocked_reason = None
        journal.record_about(tx, "member_unblocked", actor, now, member=member)
        _review_all(tx, member_id, now)
    return member


def _review_all(tx: Tx, member_id: int, now: datetime) -> None:
    tx.flush()
    for offer_id in people.offers_of(tx, member_id):
        access.review(tx, member_id=member_id, offer_id=offer_id, now=now)
