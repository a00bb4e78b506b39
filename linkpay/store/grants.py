"""Grants: what access is wanted, who is applying it, and what Kajabi last confirmed."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update

from linkpay.store.db import Tx, core, insert_row_once
from linkpay.store.remembering import asked_once, asked_until_written, current
from linkpay.store.tables import Grant, Outbox
from linkpay.store.tables.people import Access

#: Longer than the wait before one call to Kajabi (5 s) and the call itself (10 s) may take.
LEASE = timedelta(seconds=16)
_GRANT = core(Grant)


def get(tx: Tx, grant_id: int) -> Grant:
    """The grant as it is now; it must exist."""
    return current(tx, Grant, grant_id)


def members(tx: Tx, grant_ids: Sequence[int]) -> set[int]:
    """Whose these grants are, by id."""
    return set(tx.scalars(_MEMBERS, {"ids": list(grant_ids)}))


_MEMBERS = select(Grant.member_id).where(Grant.id.in_(bindparam("ids", expanding=True)))


@asked_once
def find(tx: Tx, member_id: int, offer_id: int) -> Grant | None:
    """The one grant of this member to this offer."""
    return next((grant for grant in of_member(tx, member_id) if grant.offer_id == offer_id), None)


@asked_until_written(Grant, "member_id")
def of_member(tx: Tx, member_id: int) -> Sequence[Grant]:
    """All grants of a member as they are now, oldest first."""
    return tx.scalars(_OF_MEMBER, {"member_id": member_id}).all()


_OF_MEMBER = (
    select(Grant)
    .where(Grant.member_id == bindparam("member_id"))
    .order_by(Grant.id)
    .execution_options(populate_existing=True)
)


def want(
    tx: Tx, *, site_id: int, member_id: int, offer_id: int, wanted: Access, reason: str, now: datetime
) -> Grant:
    """The grant with this wanted state: made, or moved to its next version where it changes."""
    grant = find(tx, member_id, offer_id)
    if grant is None:
        grant = insert_row_once(
            tx, Grant, site_id=site_id, member_id=member_id, offer_id=offer_id, wanted=wanted,
            reason=reason, wanted_at=now, created_at=now,
        ) or find(tx, member_id, offer_id)  # fmt: skip
    assert grant is not None, "just inserted or already there"  # noqa: S101 - said to mypy
    if grant.wanted is not wanted:
        grant.wanted, grant.wanted_at = wanted, now
        grant.version += 1
        grant.mismatches = 0
    grant.reason = reason
    return grant


def doubt(grant: Grant) -> None:
    """Somebody else may have changed what Kajabi has: what is wanted must be applied anew."""
    grant.version += 1
    grant.applied = Access.UNKNOWN


def doubt_shown(grant: Grant) -> None:
    """A revoke of another offer may have closed what this one opened: Kajabi's "granted" proves nothing."""
    grant.version += 1
    grant.doubted_version = grant.version


def is_late(before: datetime) -> ColumnElement[bool]:
    """Whether Kajabi has not confirmed what was wanted, and owed to it, before an instant.

    What is doubted is done anew long after it was wanted, and after a restore by turns: such an errand is in
    time when it was owed since, or when its turn comes only now.
    """
    in_time = exists(
        select(Outbox.id).where(
            Outbox.kind == "apply_grant", Outbox.target_id == Grant.id, Outbox.done_at.is_(None),
            Outbox.parked_at.is_(None),
            or_(Outbox.created_at >= before, and_(Outbox.attempts == 0, Outbox.run_at >= before)),
        )
    )  # fmt: skip
    return and_(Grant.applied_version < Grant.version, Grant.wanted_at < before, ~in_time)


def take_lease(tx: Tx, grant_id: int, now: datetime) -> str | None:
    """Be the only one that talks to Kajabi about this grant; None while somebody else is."""
    lease = str(uuid.uuid4())
    given = {"grant_id": grant_id, "moment": now, "new_lease": lease, "ends_at": now + LEASE}
    return lease if tx.execute(_TAKE, given).one_or_none() is not None else None


_TAKE = (
    update(_GRANT)
    .where(
        _GRANT.c.id == bindparam("grant_id"),
        or_(_GRANT.c.leased_until.is_(None), _GRANT.c.leased_until <= bindparam("moment")),
    )
    .values(lease=bindparam("new_lease"), leased_until=bindparam("ends_at"))
    .returning(_GRANT.c.id)
)


def prolong_lease(tx: Tx, grant_id: int, lease: str, version: int, now: datetime) -> bool:
    """Go on as if the lease were taken now; False when it is somebody else's, or another state is wanted."""
    given = {"grant_id": grant_id, "old_lease": lease, "same_version": version, "ends_at": now + LEASE}
    return tx.execute(_PROLONG, given).one_or_none() is not None


_PROLONG = (
    update(_GRANT)
    .where(
        _GRANT.c.id == bindparam("grant_id"),
        _GRANT.c.lease == bindparam("old_lease"),
        _GRANT.c.version == bindparam("same_version"),
    )
    .values(leased_until=bindparam("ends_at"))
    .returning(_GRANT.c.id)
)


def drop_lease(tx: Tx, grant_id: int, lease: str) -> bool:
    """Let go; False when the lease had run out and somebody else took it meanwhile."""
    return tx.execute(_DROP, {"grant_id": grant_id, "old_lease": lease}).one_or_none() is not None


_DROP = (
    update(_GRANT)
    .where(_GRANT.c.id == bindparam("grant_id"), _GRANT.c.lease == bindparam("old_lease"))
    .values(lease=None, leased_until=None)
    .returning(_GRANT.c.id)
)
