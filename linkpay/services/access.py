"""Access follows money: what a member should have, and what Kajabi confirmed."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from linkpay.domain.charge import ChargeState
from linkpay.domain.coverage import ChargeFacts, Source, SubscriptionFacts, Wanted, access_wanted, covers
from linkpay.domain.subscription import LIVE
from linkpay.ports import AccessAnswer, AccessOrder
from linkpay.services import charging, letters
from linkpay.store import charges, grants, journal, people, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Charge, Grant, Member, Offer, Site, Subscription
from linkpay.store.tables.people import Access

#: Origins that let the member in before her first money came: her mandate was proven elsewhere.
_TRUSTED = frozenset({"import", "upsell"})


def review(tx: Tx, *, member_id: int, offer_id: int, now: datetime, force: bool = False) -> None:
    """Decide anew whether this member should have this offer, and owe Kajabi the change.

    Called inside every transaction that changes money or time facts. A member who never had a
    grant gets no row just to be refused, unless `force` (access that Kajabi gave by itself).
    """
    member = people.lock_member(tx, member_id)
    site = sites.get(tx, member.site_id)
    wanted = wanted_access(tx, site, member_id, offer_id, now)
    grant = grants.find(tx, member_id, offer_id)
    if grant is None and not wanted.granted and not force:
        return
    if wanted.source is Source.SIGNUP and (grant is None or grant.wanted is Access.REVOKED):
        return  # Kajabi gave this access itself; a webhook alone never makes us grant.
    grant = grants.want(
        tx, site_id=site.id, member_id=member_id, offer_id=offer_id, now=now,
        wanted=Access.GRANTED if wanted.granted else Access.REVOKED,
        reason=wanted.source.value if wanted.source else "not_covered",
    )  # fmt: skip
    grant.until = wanted.until
    if force and grant.applied is Access.REVOKED:
        # We revoked it once, and then Kajabi gave it by itself: what we knew counts no more.
        grants.doubt(grant)
    tx.flush()
    owe_apply(tx, grant, now)
    if wanted.until is not None:
        work.schedule(
            tx, site_id=site.id, kind="review_access", ref=str(grant.id), target_id=grant.id,
            run_at=wanted.until, now=now,
        )  # fmt: skip


def review_purchase(tx: Tx, subscription: Subscription, now: datetime, *, force: bool = False) -> None:
    """Decide anew about everything that a purchase gives: its own offer, and what was paid within it."""
    for one in (subscription, *subscriptions.paid_within(tx, subscription.id)):
        review(tx, member_id=one.member_id, offer_id=one.offer_id, now=now, force=force)


def owe_apply(tx: Tx, grant: Grant, now: datetime, *, again: str = "") -> None:
    """Owe Kajabi the wanted state where it is not the applied one."""
    if grant.applied is grant.wanted and grant.applied_version == grant.version:
        return
    work.add(
        tx, site_id=grant.site_id, kind="apply_grant", ref=f"{grant.id}:{grant.version}{again}",
        target_id=grant.id, run_at=now, now=now,
    )  # fmt: skip


def wanted_access(tx: Tx, site: Site, member_id: int, offer_id: int, now: datetime) -> Wanted:
    """What access follows from the ledger, the policies and `now`, over all purchases of the offer."""
    stretches = [
        cover
        for subscription in subscriptions.for_access(tx, member_id, offer_id)
        for cover in covers(facts(tx, site, subscription), site.zone)
    ]
    return access_wanted(stretches, now)


def facts(tx: Tx, site: Site, subscription: Subscription) -> SubscriptionFacts:
    """What the rules of coverage need to know of a subscription."""
    return SubscriptionFacts(
        state=subscription.state,
        terms=subscription.terms,
        policy=sites.policy_of(site, subscription.policy),
        charges=_all_charge_facts(tx, subscription),
        next_due_on=subscription.next_charge_on,
        cancel_on=subscription.cancel_on,
        signup_ends_at=subscription.signup_ends_at,
        started=subscription.started_at is not None,
        on_trust=subscription.origin in _TRUSTED,
        open_pause=_open_pause(subscription),
        access_ends_at=subscription.access_ends_at,
    )


def _all_charge_facts(tx: Tx, subscription: Subscription) -> list[ChargeFacts]:
    if subscription.paid_within_id is not None:
        # An extra has no charge of its own: the one that it was paid within is all there is to pay.
        paid_within = charges.get(tx, subscription.paid_within_id)
        return [replace(_charge_facts(tx, paid_within), index=0, only_checks=False)]
    return [_charge_facts(tx, charge) for charge in charges.of_subscription(tx, subscription.id)]


def _open_pause(subscription: Subscription) -> tuple[date, date] | None:
    if not subscription.pause_keeps_access or subscription.pause_on is None or subscription.resume_on is None:
        return None
    return subscription.pause_on, subscription.resume_on


def _charge_facts(tx: Tx, charge: Charge) -> ChargeFacts:
    running = charge.state is ChargeState.COLLECTING and any(
        charges.debit_runs(payment) for payment in charges.payments(tx, charge.id)
    )
    return ChargeFacts(
        index=charge.period,
        starts_on=charge.starts_on,
        ends_on=charge.ends_on,
        state=charge.state,
        money=charge.money,
        debit_running=running,
        failed_at=charge.failed_at,
        taken_back=charge.taken_back,
        asked_at=charge.created_at,
        paid_at=charge.paid_at,
        grace_until=charge.grace_until,
        only_checks=charging.only_checks(charge),
    )


@dataclass(frozen=True, slots=True)
class Errand:
    """One trip to Kajabi: send `order` before the lease is old, then tell how it went.

    `regrant` says that we revoked this access before, so that "already granted" proves nothing;
    `never_granted` that Kajabi never heard of this member from us.
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
    regrant = granting and grant.applied is Access.REVOKED
    return Errand(grant_id, grant.version, lease, order, now, regrant, grant.first_granted_at is None)


def opposite_url(tx: Tx, errand: Errand, box: SecretBox) -> str | None:
    """The address that does the reverse of an errand."""
    offer = tx.get_one(Offer, grants.get(tx, errand.grant_id).offer_id)
    return sites.kajabi_url(offer, box, grant=not errand.order.grant)


def confirm(tx: Tx, errand: Errand, answer: AccessAnswer, external_user_id: str, now: datetime) -> None:
    """Kajabi took the errand. If the lease was lost meanwhile, who came last there is unknown."""
    held = grants.drop_lease(tx, errand.grant_id, errand.lease)
    grant = grants.get(tx, errand.grant_id)
    grant.answer_status, grant.answer_body = answer.status, answer.body[:2048]
    if not held:
        grant.applied, grant.applied_version = Access.UNKNOWN, 0
        owe_apply(tx, grant, now, again=f":{errand.lease[:8]}")
        return
    grant.applied = Access.GRANTED if errand.order.grant else Access.REVOKED
    grant.applied_version, grant.applied_at = errand.version, now
    member = tx.get_one(Member, grant.member_id)
    # An id that another member here has stays hers; ours is found again in the same way.
    if errand.order.grant and people.by_external_id(tx, grant.site_id, external_user_id) is None:
        member.external_user_id = external_user_id
    journal.solved(tx, site_id=grant.site_id, kind="access", subject=f"grant:{grant.id}", now=now)
    _tell(tx, grant, answer, now)


def _tell(tx: Tx, grant: Grant, answer: AccessAnswer, now: datetime) -> None:
    concerned = subscriptions.for_access(tx, grant.member_id, grant.offer_id)
    if not concerned:
        return
    subscription = concerned[-1]
    granted = grant.applied is Access.GRANTED
    journal.record(
        tx, "access_granted" if granted else "access_revoked", "worker", now, subscription=subscription,
        reason=grant.reason, status=answer.status, was_so_already=answer.was_so_already,
        milliseconds=round((now - grant.wanted_at).total_seconds() * 1000),
    )  # fmt: skip
    if granted and grant.first_granted_at is None:
        grant.first_granted_at = now
        letters.owe(tx, "access_open", subscription, step=f"grant:{grant.id}:first", now=now)
    elif granted:
        letters.owe(tx, "access_back", subscription, step=f"grant:{grant.id}:{grant.version}", now=now)
    else:
        # Kajabi tells nobody that access ended, so we do.
        kind = "signup_over" if subscription.started_at is None else "access_ended"
        owed = [c for c in charges.of_subscription(tx, subscription.id) if c.money.owed_cents > 0]
        letters.owe(
            tx, kind, subscription, step=f"grant:{grant.id}:{grant.version}", now=now,
            charge_id=owed[0].id if owed and subscription.state in LIVE else None,
        )  # fmt: skip


def give_up(tx: Tx, errand: Errand, why: str, now: datetime) -> None:
    """Kajabi refuses for good: let go of the lease and ask for a person."""
    grants.drop_lease(tx, errand.grant_id, errand.lease)
    grant = grants.get(tx, errand.grant_id)
    journal.need_attention(
        tx, site_id=grant.site_id, kind="access", subject=f"grant:{grant.id}", detail=why, now=now
    )
