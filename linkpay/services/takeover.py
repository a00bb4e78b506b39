"""Taking one subscription over from Mollie, stroke by stroke; the calls in between are the worker's.

planned -> canceling (committed before Mollie is asked) -> canceled (Mollie showed it) -> taken (ours
begins). Whoever dies in between goes on where the row stands: until `canceled` Mollie charges, after
it we do.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from linkpay.domain import takeover as rules
from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.pricing import Line, LineKind
from linkpay.domain.snapshots import (
    MandateSnapshot,
    MandateStatus,
    PaymentSnapshot,
    SubscriptionSnapshot,
    SubscriptionStatus,
)
from linkpay.domain.snapshots import (
    Sequence as PaymentSequence,
)
from linkpay.domain.subscription import SubscriptionState
from linkpay.domain.takeover import Course, Promise, Verdict
from linkpay.services import charging, debits, imported, settlement
from linkpay.store import charges, journal, people, sites, takeovers
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Charge, Customer, Mandate, Payment, Plan, Site, Subscription, Takeover
from linkpay.store.tables.money import Stroke
from linkpay.store.tables.terms import agreed

#: Mollie's own payments come in the morning; whoever waits for one looks again at noon.
_NOON = timedelta(hours=12)


class Move(StrEnum):
    """What the worker does next. stop: cancel at Mollie. go_on: it is canceled. wait: look again later."""

    DONE = "done"
    WAIT = "wait"
    STOP = "stop"
    GO_ON = "go_on"


@dataclass(frozen=True, slots=True)
class Next:
    """`at` is when to look again, for a wait."""

    move: Move
    at: datetime | None = None


def claim(tx: Tx, takeover_id: int, seen: SubscriptionSnapshot, now: datetime) -> Next:
    """Decide by what Mollie shows now; with `stop` the row says `canceling` before anything is sent."""
    row = takeovers.lock(tx, takeover_id)
    if row.state in ("taken", "refused"):
        return Next(Move.DONE)
    if row.state == "canceled":
        return Next(Move.GO_ON)
    if row.state == "canceling" and seen.status is SubscriptionStatus.CANCELED:
        _canceled(tx, row, now)
        return Next(Move.GO_ON)
    site = sites.get(tx, row.site_id)
    standing = rules.standing(seen, site.mode)
    plan = tx.get_one(Plan, row.plan_id)
    if standing is Verdict.TAKE and takeovers.runs(tx, row.customer_id or 0, plan.offer_id):
        standing = Verdict.ALREADY_HERE
    if standing is not Verdict.TAKE or seen.interval is None or seen.next_on is None:
        refuse(tx, row, standing, now)
        return Next(Move.DONE)
    row.next_on, row.remaining = seen.next_on, seen.remaining
    today = local_day(now, site.zone)
    if not rules.may_stop(seen.next_on, today, seen.interval):
        # Mollie's payment is too near to be outrun: let it happen, then take over behind it.
        at = _noon(max(seen.next_on, today), site)
        return Next(Move.WAIT, at if at > now else _noon(today + timedelta(days=1), site))
    row.state = "canceling"
    return Next(Move.STOP)


def _noon(day: date, site: Site) -> datetime:
    return day_starts_at(day, site.zone) + _NOON


def confirm(tx: Tx, takeover_id: int, now: datetime) -> None:
    """Mollie showed it canceled: from here on the charges are ours."""
    _canceled(tx, takeovers.lock(tx, takeover_id), now)


def _canceled(tx: Tx, row: Takeover, now: datetime) -> None:
    if row.state == "canceling":
        row.state = "canceled"
        journal.solved(tx, site_id=row.site_id, kind="takeover", subject=f"takeover:{row.id}", now=now)


def not_canceled(tx: Tx, takeover_id: int, why: str, now: datetime) -> None:
    """Mollie refuses to cancel: it goes on charging, and we go on asking. A person may want to know."""
    row = takeovers.get(tx, takeover_id)
    journal.need_attention(
        tx, site_id=row.site_id, kind="takeover", subject=f"takeover:{row.id}", now=now,
        detail=f"Mollie does not cancel {row.mollie_subscription_id}, so it goes on charging there and is "
        f"not taken over yet: {why} LinkPay keeps asking; you can cancel it in Mollie's dashboard, too.",
    )  # fmt: skip


def refuse(tx: Tx, row: Takeover, verdict: Verdict, now: datetime) -> None:
    """It stays as it is, with Mollie or over. A person is told, since she was promised otherwise."""
    row.state, row.why = "refused", verdict.value
    journal.need_attention(
        tx, site_id=row.site_id, kind="takeover", subject=f"takeover:{row.id}", now=now,
        detail=f"{row.mollie_subscription_id} was not taken over: {verdict.value.replace('_', ' ')}.",
    )  # fmt: skip


def gone(tx: Tx, takeover_id: int, now: datetime) -> None:
    """Mollie knows neither the subscription nor its customer any more."""
    row = takeovers.lock(tx, takeover_id)
    if row.state not in ("taken", "refused"):
        refuse(tx, row, Verdict.CANCELED, now)


def where_to_go_on(
    tx: Tx, takeover_id: int, seen: SubscriptionSnapshot, payments: Collection[PaymentSnapshot]
) -> Course | None:
    """From which day we charge, and what Mollie's subscription asked for before; None when all is paid."""
    row = takeovers.get(tx, takeover_id)
    assert row.next_on is not None, "was seen active"  # noqa: S101 - said to mypy
    zone = sites.get(tx, row.site_id).zone
    return rules.course(seen, Promise(row.next_on, row.remaining), payments, zone)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read after the cancellation. `adopted` is the current period's payment, read whole."""

    seen: SubscriptionSnapshot
    course: Course | None
    adopted: PaymentSnapshot | None
    mandates: Sequence[MandateSnapshot]


def take(tx: Tx, takeover_id: int, evidence: Evidence, now: datetime) -> None:
    """The last stroke: our subscription begins where Mollie's stopped. Done before, it does nothing."""
    row = takeovers.lock(tx, takeover_id)
    if row.state != "canceled":
        return
    if evidence.course is None:
        refuse(tx, row, Verdict.COMPLETED, now)
        return
    payer = tx.get_one(Customer, row.customer_id, with_for_update=FOR_CHANGE)
    plan = tx.get_one(Plan, row.plan_id)
    bought = takeovers.runs(tx, payer.id, plan.offer_id)
    if bought is not None:
        # She bought it here between two strokes: that one is charged, and Mollie's is no more.
        row.state, row.subscription_id, row.why = "taken", bought.id, "bought_meanwhile"
        _told(tx, row, bought, bought.next_charge_on, now)
        return
    mandate = _mandate(tx, row, evidence, now)
    subscription = _begin(tx, row, plan, mandate, evidence, now)
    row.state, row.subscription_id = "taken", subscription.id
    _current_period(tx, subscription, evidence, now)
    _told(tx, row, subscription, evidence.course.next_on, now)
    imported.consent(tx, subscription, mandate, now)
    imported.told_before(tx, subscription, mandate, now)
    imported.let_in(tx, subscription, now)


def _told(tx: Tx, row: Takeover, subscription: Subscription, next_on: date | None, now: datetime) -> None:
    journal.record(
        tx, "taken_over", "import", now, subscription=subscription, next_on=str(next_on),
        mollie_subscription=row.mollie_subscription_id,
    )  # fmt: skip


def _mandate(tx: Tx, row: Takeover, evidence: Evidence, now: datetime) -> Mandate | None:
    """The mandate that Mollie charged; one that broke meanwhile is found out by the first debit."""
    seen = rules.mandate_of(evidence.seen, evidence.mandates) or next(iter(evidence.mandates), None)
    if seen is None and evidence.adopted is not None and evidence.adopted.mandate_id is not None:
        method = evidence.adopted.method or ""
        seen = MandateSnapshot(
            evidence.adopted.mandate_id, MandateStatus.REVOKED, method, None, None, None, None
        )
    if seen is None:
        return None
    return people.put_mandate(tx, site_id=row.site_id, customer_id=row.customer_id or 0, seen=seen, now=now)


def _begin(
    tx: Tx, row: Takeover, plan: Plan, mandate: Mandate | None, evidence: Evidence, now: datetime
) -> Subscription:
    course = evidence.course
    assert course is not None  # noqa: S101 - the caller looked
    terms = rules.terms(evidence.seen, course.remaining)
    frozen = agreed(plan) | {
        "kind": terms.kind, "amount_cents": terms.amount.cents, "currency": terms.amount.currency,
        "interval_unit": terms.interval.unit, "interval_count": terms.interval.count,
        "periods": terms.periods, "term_cents": [], "minimum_periods": 0, "trial_days": 0,
        "trial_cents": 0, "setup_fee_cents": 0,
    }  # fmt: skip
    subscription = Subscription(
        site_id=row.site_id, token=secrets.token_urlsafe(24), customer_id=row.customer_id,
        member_id=row.member_id, offer_id=plan.offer_id, plan_id=plan.id, origin="import",
        mandate_id=mandate.id if mandate else None, state=SubscriptionState.ACTIVE, started_at=now,
        anchor_on=course.anchor_on, anchor_index=course.anchor_index, next_index=1,
        next_charge_on=course.next_on, created_at=now, **frozen,
    )  # fmt: skip
    tx.add(subscription)
    tx.flush()
    return subscription


def _current_period(tx: Tx, subscription: Subscription, evidence: Evidence, now: datetime) -> None:
    """The period that runs: with the payment by which Mollie asked for it, or as one that costs nothing."""
    course, adopted = evidence.course, evidence.adopted
    assert course is not None  # noqa: S101 - the caller looked
    lines = [Line(LineKind.PERIOD, adopted.amount.cents if adopted else 0, subscription.vat_basis_points)]
    charge = charges.raise_once(
        tx, site_id=subscription.site_id, subscription_id=subscription.id, token=secrets.token_urlsafe(24),
        period=0, starts_on=course.current.starts_on, ends_on=course.current.ends_on,
        due_on=course.current.starts_on, created_at=now, state=ChargeState.SCHEDULED,
        **charging.values(lines, subscription),
    )  # fmt: skip
    assert charge is not None, "the subscription was made in this transaction"  # noqa: S101 - said to mypy
    charging.raised(tx, subscription, charge)
    if adopted is not None:
        payment = _adopt(tx, subscription, charge, adopted, now)
        settlement.settle(tx, payment.id, settlement.Sighting(adopted, None, "import"), now)
        debits.follow(tx, payment, adopted, now)


def _adopt(
    tx: Tx, subscription: Subscription, charge: Charge, seen: PaymentSnapshot, now: datetime
) -> Payment:
    """A payment of Mollie's subscription as one of ours. It carries no id of ours, so its own serves."""
    payment = Payment(
        site_id=subscription.site_id, charge_id=charge.id, customer_id=subscription.customer_id,
        uid=rules.adopted_uid(seen.id),
        sequence=PaymentSequence.RECURRING if subscription.mandate_id else PaymentSequence.ONEOFF,
        mandate_id=subscription.mandate_id, amount_cents=seen.amount.cents, currency=seen.amount.currency,
        stroke=Stroke.KNOWN, idempotency_key=rules.adopted_uid(seen.id), key_used_at=seen.created_at,
        mollie_id=seen.id, created_at=seen.created_at,
    )  # fmt: skip
    tx.add(payment)
    tx.flush()
    return payment
