"""Access follows money: what a member should have. What Kajabi made of it is `services.errands`'."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from linkpay.domain.charge import ChargeState
from linkpay.domain.coverage import (
    ChargeFacts,
    Cover,
    Source,
    SubscriptionFacts,
    Wanted,
    access_wanted,
    covers,
    gift,
    without_running_debits,
)
from linkpay.domain.policy import Policy
from linkpay.services import charging, holding, tagging
from linkpay.store import charges, grants, people, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Grant, Member, Site, Subscription
from linkpay.store.tables.people import Access

#: Origins that let the member in before her first money came: her mandate was proven elsewhere.
_TRUSTED = frozenset({"import", "upsell"})


def review(tx: Tx, *, member_id: int, offer_id: int, now: datetime, force: bool = False) -> None:
    """Decide anew whether this member should have this offer, and owe Kajabi the change.

    Called inside every transaction that changes money or time facts. A member who never had a
    grant gets no row just to be refused, unless `force` (access that Kajabi gave by itself).
    """
    family = people.lock_family(tx, member_id)
    _decide(tx, family[member_id], offer_id, now, force=force)
    review_resting(tx, family, member_id, offer_id, now)
    tagging.owe(tx, family[member_id], now)


def review_resting(tx: Tx, family: dict[int, Member], member_id: int, offer_id: int, now: datetime) -> None:
    """Decide anew what rests on this member's access to this offer. Caller holds the `family`."""
    for other_id, other_offer_id in list(holding.resting_on(tx, family, member_id, offer_id)):
        _decide(tx, family[other_id], other_offer_id, now)


def _decide(tx: Tx, member: Member, offer_id: int, now: datetime, *, force: bool = False) -> None:
    site = sites.get(tx, member.site_id)
    wanted = wanted_access(tx, site, member.id, offer_id, now)
    grant = grants.find(tx, member.id, offer_id)
    if not wanted.granted and grant is not None:
        wanted = holding.kept_open(tx, site, grant, wanted_access, now) or wanted
    if grant is None and not wanted.granted and not force:
        return
    if wanted.source is Source.SIGNUP and (grant is None or grant.wanted is Access.REVOKED):
        return  # Kajabi gave this access itself; a webhook alone never makes us grant.
    grant = grants.want(
        tx, site_id=site.id, member_id=member.id, offer_id=offer_id, now=now,
        wanted=Access.GRANTED if wanted.granted else Access.REVOKED,
        reason=wanted.source.value if wanted.source else _why_not(member),
    )  # fmt: skip
    grant.until = wanted.until
    if force and grant.applied is Access.REVOKED:
        # We revoked it once, and then Kajabi gave it by itself: what we knew counts no more.
        grants.doubt(grant)
    owe_apply(tx, grant, now)
    if wanted.until is not None:
        work.schedule(
            tx, site_id=site.id, kind="review_access", ref=str(grant.id), target_id=grant.id,
            run_at=wanted.until, now=now,
        )  # fmt: skip


def _why_not(member: Member) -> str:
    return "blocked" if member.blocked_at is not None else "not_covered"


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


def wanted_access(
    tx: Tx, site: Site, member_id: int, offer_id: int, now: datetime, *, if_debits_fail: bool = False
) -> Wanted:
    """What access follows from ledger, policies and `now`, over all purchases and gifts of the offer.

    `if_debits_fail` asks what is left when no running debit brings its money: all that can be promised.
    """
    found = stretches(tx, site, member_id, offer_id, if_debits_fail=if_debits_fail)
    return access_wanted(found, now, blocked=tx.get_one(Member, member_id).blocked_at is not None)


def stretches(
    tx: Tx, site: Site, member_id: int, offer_id: int, *, if_debits_fail: bool = False,
    instead: Mapping[int, SubscriptionFacts] | None = None,
) -> list[Cover]:  # fmt: skip
    """Every stretch of access that purchases and gifts of the offer give, in no particular order.

    `instead` are facts of subscriptions, by id, that are supposed rather than known.
    """
    supposed = instead or {}
    found = [
        supposed.get(one.id) or facts(tx, site, one)
        for one in subscriptions.for_access(tx, member_id, offer_id)
    ]
    if if_debits_fail:
        found = [without_running_debits(one) for one in found]
    given = [gift(g.created_at, g.until, site.zone) for g in people.gifts(tx, member_id, offer_id)]
    return [*(cover for one in found for cover in covers(one, site.zone)), *given]


def facts(tx: Tx, site: Site, subscription: Subscription) -> SubscriptionFacts:
    """What the rules of coverage need to know of a subscription."""
    policy = sites.policy_of(site, subscription.policy)
    return SubscriptionFacts(
        state=subscription.state,
        terms=subscription.terms,
        policy=policy,
        charges=_all_charge_facts(tx, subscription),
        next_due_on=subscription.next_charge_on,
        cancel_on=subscription.cancel_on,
        signup_ends_at=subscription.signup_ends_at,
        started=subscription.started_at is not None,
        on_trust=_on_trust(subscription, policy),
        open_pause=_open_pause(subscription),
        not_before_on=subscription.not_before_on,
        access_ends_at=subscription.access_ends_at,
    )


def _on_trust(subscription: Subscription, policy: Policy) -> bool:
    waits = subscription.origin == "upsell" and policy.upsell_access == "when_paid"
    return subscription.origin in _TRUSTED and not waits


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
