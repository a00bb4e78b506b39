"""Errands to Kajabi: claiming one grant, and what its answer means for it and for the member's others."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.domain.subscription import LIVE
from linkpay.ports import AccessAnswer, AccessOrder
from linkpay.services import access, holding, letters, verifying
from linkpay.store import charges, grants, journal, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Grant, Member, Offer
from linkpay.store.tables.people import Access


@dataclass(frozen=True, slots=True)
class Errand:
    """One trip to Kajabi: send `order` before the lease is old, then tell how it went.

    `regrant` says that this access was revoked before, or partly closed with another one, so that "already
    granted" proves nothing; `never_granted` that Kajabi never heard of this member from us.
    """

    grant_id: int
    version: int
    lease: str
    order: AccessOrder
    claimed_at: datetime
    regrant: bool
    never_granted: bool


def claim(tx: Tx, grant_id: int, box: SecretBox, now: datetime) -> Errand | str:
    """The errand for the presently wanted state, or why there is none: ``busy``, ``done``, ``no_address``."""
    lease = grants.take_lease(tx, grant_id, now)
    if lease is None:
        return "busy"
    grant = grants.get(tx, grant_id)
    if grant.applied is grant.wanted and grant.applied_version == grant.version:
        grants.drop_lease(tx, grant_id, lease)
        return "done"
    member, offer = tx.get_one(Member, grant.member_id), tx.get_one(Offer, grant.offer_id)
    granting = grant.wanted is Access.GRANTED
    url = sites.kajabi_url(offer, box, grant=granting)
    if url is None:
        grants.drop_lease(tx, grant_id, lease)
        return "no_address"
    order = AccessOrder(
        url=url,
        grant=granting,
        name=member.name or member.email,
        email=member.email,
        external_user_id=member.external_user_id,
        # Only the first grant: a member who comes back after a bounce needs no second welcome.
        send_offer_mail=granting and grant.first_granted_at is None,
    )
    doubted = grant.doubted_version > grant.applied_version
    regrant = granting and (grant.applied is Access.REVOKED or doubted)
    return Errand(grant_id, grant.version, lease, order, now, regrant, grant.first_granted_at is None)


def opposite_url(tx: Tx, errand: Errand, box: SecretBox) -> str | None:
    """The address that does the reverse of an errand."""
    offer = tx.get_one(Offer, grants.get(tx, errand.grant_id).offer_id)
    return sites.kajabi_url(offer, box, grant=not errand.order.grant)


def confirm(tx: Tx, errand: Errand, answer: AccessAnswer, external_user_id: str, now: datetime) -> None:
    """Kajabi took the errand. If the lease was lost meanwhile, who came last there is unknown."""
    family = people.lock_family(tx, grants.get(tx, errand.grant_id).member_id)
    held = grants.drop_lease(tx, errand.grant_id, errand.lease)
    grant = grants.get(tx, errand.grant_id)
    grant.answer_status, grant.answer_body = answer.status, answer.body[:2048]
    if not held:
        _start_over(tx, grant, errand, now)
        return
    before = grant.applied
    grant.applied = Access.GRANTED if errand.order.grant else Access.REVOKED
    grant.applied_version, grant.applied_at = errand.version, now
    member = family[grant.member_id]
    # An id that another member here has stays hers; ours is found again in the same way.
    if errand.order.grant and people.by_external_id(tx, grant.site_id, external_user_id) is None:
        member.external_user_id = external_user_id
    journal.solved(tx, site_id=grant.site_id, kind="access", subject=f"grant:{grant.id}", now=now)
    _tell(tx, grant, before, answer, now)
    tx.flush()
    if grant.applied is Access.REVOKED:
        for other in holding.open_anew(tx, grant):
            access.owe_apply(tx, other, now)
    access.review_resting(tx, family, grant.member_id, grant.offer_id, now)
    verifying.owe(tx, grant, now)


def _start_over(tx: Tx, grant: Grant, errand: Errand, now: datetime) -> None:
    """Somebody else went to Kajabi while this errand was under way: whose word came last is unknown.

    Who is there right now must not believe its own answer either, and finds that its lease is not its own.
    """
    if grant.lease is not None:
        grant.lease = errand.lease
    grant.applied, grant.applied_version = Access.UNKNOWN, 0
    access.owe_apply(tx, grant, now, again=f":{errand.lease[:8]}")


def leave(tx: Tx, errand: Errand, now: datetime, *, on_its_way: bool) -> None:
    """Come back without an answer.

    What may be `on_its_way` to Kajabi still is waited for as long as the lease lasts: sent before that, a
    newer wish would be undone by it.
    """
    people.lock_family(tx, grants.get(tx, errand.grant_id).member_id)
    grant = grants.get(tx, errand.grant_id)
    held = grant.lease == errand.lease if on_its_way else grants.drop_lease(tx, grant.id, errand.lease)
    if not held:
        _start_over(tx, grant, errand, now)
    elif on_its_way and not errand.order.grant:
        # A revoke may be done or not, so that "already granted" proves nothing to whoever grants next.
        grant.doubted_version = grant.version


def _tell(tx: Tx, grant: Grant, before: Access, answer: AccessAnswer, now: datetime) -> None:
    """Write down what Kajabi has now, and mail the member where she notices."""
    granted = grant.applied is Access.GRANTED
    # Opened anew after another revoke, she was hardly out, and hears nothing.
    anew = granted and before is Access.GRANTED and grant.doubted_version == grant.applied_version
    # What Kajabi did not show is no news to her either when it is done once more.
    quiet = anew or grant.mismatches > 0
    happened = "access_opened_anew" if anew else "access_granted" if granted else "access_revoked"
    said: dict[str, Any] = {
        "reason": grant.reason, "status": answer.status, "was_so_already": answer.was_so_already,
        "milliseconds": round((now - grant.wanted_at).total_seconds() * 1000),
    }  # fmt: skip
    first = granted and grant.first_granted_at is None
    if first:
        grant.first_granted_at = now
    concerned = subscriptions.for_access(tx, grant.member_id, grant.offer_id)
    if not concerned:
        member = tx.get_one(Member, grant.member_id)
        journal.record_about(tx, happened, "worker", now, member=member, offer_id=grant.offer_id, **said)
        if not quiet and member.moved_to_id is None:
            _mail_about_gift(tx, grant, member, now)
        return
    subscription = concerned[-1]
    journal.record(tx, happened, "worker", now, subscription=subscription, **said)
    if first:
        letters.owe(tx, "access_open", subscription, step=f"grant:{grant.id}:first", now=now)
    elif quiet or (granted and grant.version == 1):  # in its first version nothing was taken away
        return
    elif granted:
        letters.owe(tx, "access_back", subscription, step=f"grant:{grant.id}:{grant.version}", now=now)
    else:
        # Kajabi tells nobody that access ended, so we do.
        kind = "signup_over" if subscription.started_at is None else "access_ended"
        owed = [c for c in charges.of_subscription(tx, subscription.id) if c.asked_cents > 0]
        letters.owe(
            tx, kind, subscription, step=f"grant:{grant.id}:{grant.version}", now=now,
            charge_id=owed[0].id if owed and subscription.state in LIVE else None,
        )  # fmt: skip


def _mail_about_gift(tx: Tx, grant: Grant, member: Member, now: datetime) -> None:
    """Who has no purchase of an offer was given it; Kajabi tells her of the beginning at most."""
    site = sites.get(tx, grant.site_id)
    reader = letters.Reader(member.email, site.locale, member.name)
    kind = "gift_open" if grant.applied is Access.GRANTED else "gift_over"
    letters.owe_to(
        tx, kind, site.id, reader, step=f"grant:{grant.id}:{grant.version}", now=now, path="portal",
        offer_title=tx.get_one(Offer, grant.offer_id).title,
    )  # fmt: skip


def give_up(tx: Tx, errand: Errand, problem: str, why: str, now: datetime) -> None:
    """Kajabi refuses for good: let go of the lease and ask for a person. `problem` names the kind of refusal
    where it has words of its own: ``identity`` or ``address``."""
    people.lock_family(tx, grants.get(tx, errand.grant_id).member_id)
    held = grants.drop_lease(tx, errand.grant_id, errand.lease)
    grant = grants.get(tx, errand.grant_id)
    if not held:
        _start_over(tx, grant, errand, now)
    journal.need_attention(
        tx, site_id=grant.site_id, kind="access", subject=f"grant:{grant.id}", detail=why, now=now,
        problem=problem,
    )  # fmt: skip
