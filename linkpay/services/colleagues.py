"""Who helps to manage a site: inviting, accepting, changing roles, leaving."""

import secrets
from datetime import datetime, timedelta

from linkpay.domain.email import normalise_email
from linkpay.domain.roles import Role
from linkpay.errors import Conflict, NotFound
from linkpay.services import signin
from linkpay.store import owners
from linkpay.store.db import Tx
from linkpay.store.tables import Invitation, Owner

INVITATION_LIFE = timedelta(days=7)


def invite(tx: Tx, site_id: int, email: str, role: Role, by: str, now: datetime) -> str:
    """The secret part of a link by which somebody joins a site. Raises InputError for a bad address."""
    token = secrets.token_urlsafe(32)
    tx.add(
        Invitation(
            site_id=site_id, email=normalise_email(email), role=role, hash=signin.hash_of(token),
            invited_by=by, created_at=now, expires_at=now + INVITATION_LIFE,
        )
    )  # fmt: skip
    return token


def accept(tx: Tx, token: str, name: str, password_hash: str | None, now: datetime) -> Owner:
    """Join the site. A person who is new brings the hash of a password; who is known keeps hers.

    Raises NotFound ``invitation_unknown``, and Conflict ``password_needed`` for somebody new without one.
    """
    invitation = owners.invitation(tx, signin.hash_of(token), now)
    if invitation is None:
        raise NotFound("invitation_unknown", "This invitation was used, withdrawn or is too old.")
    owner = owners.owner_for(tx, invitation.email, now)
    if owner.password_hash is None:
        if password_hash is None:
            raise Conflict("password_needed", "Choose a password.", "password")
        owner.password_hash, owner.name = password_hash, name
    invitation.accepted_at = now
    owners.put_role(tx, invitation.site_id, owner.id, invitation.role, now)
    return owner


def withdraw(tx: Tx, site_id: int, invitation_id: int, now: datetime) -> None:
    """The link opens nothing any more."""
    found = tx.get(Invitation, invitation_id)
    if found is None or found.site_id != site_id:
        raise NotFound("invitation_unknown", "There is no such invitation.")
    found.withdrawn_at = found.withdrawn_at or now


def change_role(tx: Tx, site_id: int, owner_id: int, role: Role | None, now: datetime) -> None:
    """Give somebody another role, or none. A site is never left without an owner."""
    roles = {owner.id: had for owner, had in owners.of_site(tx, site_id)}
    if owner_id not in roles:
        raise NotFound("colleague_unknown", "Nobody like that manages this site.")
    left = [one for one, had in roles.items() if had is Role.OWNER and one != owner_id]
    if roles[owner_id] is Role.OWNER and role is not Role.OWNER and not left:
        raise Conflict(
            "last_owner", "A site keeps at least one owner. Make somebody else owner first.", "role"
        )
    if role is None:
        owners.drop_role(tx, site_id, owner_id)
    else:
        owners.put_role(tx, site_id, owner_id, role, now)
