"""Who helps to manage a site: inviting, accepting, changing roles, leaving."""

import secrets
from datetime import datetime, timedelta

from linkpay.domain.email import normalise_email
from linkpay.domain.roles import Role, wider
from linkpay.errors import Conflict, NotFound
from linkpay.services import signin
from linkpay.store import journal, owners
from linkpay.store.db import Tx
from linkpay.store.tables import Invitation, Owner

INVITATION_LIFE = timedelta(days=7)


def invite(tx: Tx, site_id: int, email: str, role: Role, by: str, now: datetime) -> str:
    """The secret part of a link by which somebody joins a site. Raises InputError for a bad address."""
    token, email = secrets.token_urlsafe(32), normalise_email(email)
    tx.add(
        Invitation(
            site_id=site_id, email=email, role=role, hash=signin.hash_of(token),
            invited_by=by, created_at=now, expires_at=now + INVITATION_LIFE,
        )
    )  # fmt: skip
    journal.record_site(tx, site_id, "colleague_invited", _named(by), now, email=email, role=role.value)
    return token


def accept(tx: Tx, token: str, name: str, password_hash: str | None, now: datetime) -> Owner:
    """Join the site. A person who is new brings the hash of a password; who is known keeps hers, and a role
    that may more than the one she is invited to.

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
    had = {one.id: role for one, role in owners.of_site(tx, invitation.site_id)}.get(owner.id)
    role = wider(had, invitation.role)
    owners.put_role(tx, invitation.site_id, owner.id, role, now)
    actor = f"owner:{owner.email}"[:60]
    journal.record_site(tx, invitation.site_id, "colleague_joined", actor, now, role=role.value)
    return owner


def _named(by: str) -> str:
    """The actor as the audit finds her: whoever works at the command line is an owner too."""
    return by if by.startswith("owner") else "owner"


def withdraw(tx: Tx, site_id: int, invitation_id: int, by: str, now: datetime) -> None:
    """The link opens nothing any more."""
    found = tx.get(Invitation, invitation_id)
    if found is None or found.site_id != site_id:
        raise NotFound("invitation_unknown", "There is no such invitation.")
    if found.withdrawn_at is None:
        found.withdrawn_at = now
        journal.record_site(tx, site_id, "invitation_withdrawn", by, now, email=found.email)


def change_role(tx: Tx, site_id: int, owner_id: int, role: Role | None, by: str, now: datetime) -> None:
    """Give somebody another role, or none; links that she was sent before open nothing any more, or she
    would come back by one. A site is never left without an owner."""
    people = owners.of_site(tx, site_id, held=True)
    roles, emails = {one.id: had for one, had in people}, {one.id: one.email for one, _ in people}
    if owner_id not in roles:
        raise NotFound("colleague_unknown", "Nobody like that manages this site.")
    left = [one for one, had in roles.items() if had is Role.OWNER and one != owner_id]
    if roles[owner_id] is Role.OWNER and role is not Role.OWNER and not left:
        raise Conflict(
            "last_owner", "A site keeps at least one owner. Make somebody else owner first.", "role"
        )
    if role is None:
        owners.drop_role(tx, site_id, owner_id)
        journal.record_site(tx, site_id, "colleague_dropped", by, now, email=emails[owner_id])
    elif role is not roles[owner_id]:
        owners.put_role(tx, site_id, owner_id, role, now)
        journal.record_site(
            tx, site_id, "colleague_changed", by, now, email=emails[owner_id], role=role.value
        )
    if role is not roles[owner_id]:
        for one in owners.invitations(tx, site_id, now):
            if one.email == emails[owner_id]:
                withdraw(tx, site_id, one.id, by, now)
