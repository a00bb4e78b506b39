"""A new bank account or card: proven by a small first payment, charged once it is valid, and only then
is the old one revoked.

A recurring payment always names its subscription's mandate, so several of them never get mixed up; a
debit that runs on the old one finishes on it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from linkpay.domain import proof
from linkpay.domain.calendar import local_day
from linkpay.domain.charge import UNSETTLED, ChargeState
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import LIVE
from linkpay.errors import Conflict, InputError
from linkpay.services import charging, letters, notices
from linkpay.store import charges, journal, mandates, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Customer, Mandate, Payment, Renewal, Site, Subscription

#: A mandate that Mollie calls pending is asked about again after this, for so long. Banks that deliver
#: the account late take up to three days.
ASK_AGAIN, GIVE_UP = timedelta(hours=1), timedelta(days=14)
#: A debit that runs on a mandate takes days; it is looked for again after this.
_WAIT_FOR_DEBIT = timedelta(hours=6)


def begin(tx: Tx, subscription_id: int, method: str, *, for_all: bool, now: datetime) -> Charge:
    """The check by which the payer of a subscription proves a new account or card; hers to pay.

    Asking again goes on with the same check as long as nothing came of it. Raises Conflict
    ``nothing_collected`` where nothing will be, ``amount_open`` while a failed amount is (paying that
    renews as well), and InputError ``method_unknown``.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    if method not in proof.PROOF_CENTS:
        raise InputError("method_unknown", "Choose one of the ways of paying that are offered.", "method")
    check_renewable(tx, subscription.id)
    site = sites.get(tx, subscription.site_id)
    for check in mandates.checks(tx, subscription.id):
        renewal = mandates.renewal_by_charge(tx, check.id)
        untouched = renewal is not None and renewal.outcome is None and check.paid_at is None
        if renewal is not None and untouched and charging.proof_method(check) == method:
            renewal.for_all = for_all
            return check
    return _new_check(tx, site, subscription, method, for_all=for_all, now=now)


def check_renewable(tx: Tx, subscription_id: int) -> None:
    """Raises Conflict where a new account or card makes no sense now (see `begin`)."""
    subscription = subscriptions.get(tx, subscription_id)
    if subscription.state not in LIVE:
        raise Conflict("nothing_collected", "Nothing is collected for this any more.")
    made = charges.of_subscription(tx, subscription.id)
    if any(one.failed_at is not None and one.state in UNSETTLED for one in made):
        raise Conflict("amount_open", "Pay the open amount: that renews the permission as well.")


def _new_check(
    tx: Tx, site: Site, subscription: Subscription, method: str, *, for_all: bool, now: datetime
) -> Charge:
    line, today = proof.check_line(method), local_day(now, site.zone)
    made = mandates.checks(tx, subscription.id)
    charge = Charge(
        site_id=site.id, subscription_id=subscription.id, token=secrets.token_urlsafe(24),
        period=min((one.period for one in made), default=TRIAL_PERIOD) - 1, starts_on=today,
        ends_on=today + timedelta(days=1), due_on=today, state=ChargeState.OPEN, created_at=now,
        **charging.values([line] if line else [], subscription),
    )  # fmt: skip
    tx.add(charge)
    tx.flush()
    tx.add(
        Renewal(
            site_id=site.id, subscription_id=subscription.id, charge_id=charge.id,
            replaces_id=subscription.mandate_id, for_all=for_all, created_at=now,
        )
    )  # fmt: skip
    tx.flush()
    journal.record(tx, "renewal_asked", "member", now, subscription=subscription, method=method)
    return charge


def made(tx: Tx, subscription: Subscription, payment: Payment, mandate: Mandate, now: datetime) -> None:
    """A paid first payment made this mandate. Caller holds the subscription's lock.

    The first mandate of a subscription is its own at once, and so is one in the place of a mandate that
    ended. A working one is only left for another that is valid, and never for an older one.
    """
    if subscription.mandate_id is None:
        subscription.mandate_id = mandate.id
        return
    is_renewal = charges.get(tx, payment.charge_id).is_check
    if subscription.mandate_id == mandate.id and not is_renewal:
        return
    if mandate.status is MandateStatus.VALID or not mandates.get(tx, subscription.mandate_id).may_be_tried:
        _move(tx, subscription, payment, mandate, now)
    work.add(
        tx, site_id=payment.site_id, kind="renew_mandate", ref=payment.uid, target_id=payment.id, run_at=now,
        now=now,
    )  # fmt: skip


def _move(tx: Tx, subscription: Subscription, payment: Payment, mandate: Mandate, now: datetime) -> bool:
    """Collect on this mandate from now on, unless a newer one is in use; says whether it is in use."""
    old = subscription.mandate_id
    if old == mandate.id:
        return True
    if old is not None and _is_newer(tx, old, payment):
        return False
    subscription.mandate_id = mandate.id
    journal.record(
        tx, "mandate_replaced", "linkpay", now, subscription=subscription, payment=payment,
        method=mandate.method, account=mandate.account_hint,
    )  # fmt: skip
    tx.flush()
    notices.agreed_with_account(tx, subscription)
    if old is not None:
        owe_revocation(tx, subscription.site_id, old, now)
    return True


def _is_newer(tx: Tx, mandate_id: int, payment: Payment) -> bool:
    given_at = mandates.given_at(tx, mandate_id)
    return given_at is not None and payment.paid_at is not None and given_at > payment.paid_at


def owe_revocation(tx: Tx, site_id: int, mandate_id: int, now: datetime) -> None:
    """Revoke a mandate as soon as no subscription names it and no debit runs on it."""
    work.schedule(
        tx, site_id=site_id, kind="revoke_mandate", ref=str(mandate_id), target_id=mandate_id, run_at=now,
        now=now,
    )  # fmt: skip


def unproven(tx: Tx, payment_id: int) -> tuple[str, str] | None:
    """(customer, mandate) at Mollie when the mandate that a payment made is not known as valid."""
    payment = charges.payment(tx, payment_id)
    mandate = mandates.get(tx, payment.mandate_id or 0)
    if mandate.status is MandateStatus.VALID:
        return None
    return tx.get_one(Customer, payment.customer_id).mollie_id or "", mandate.mollie_id


def go_on(tx: Tx, payment_id: int, now: datetime) -> datetime | None:
    """Take the next step with the mandate that a payment made; when to look again, None when all is done."""
    payment = charges.payment(tx, payment_id)
    mandate = mandates.get(tx, payment.mandate_id or 0)
    renewal = mandates.renewal_by_charge(tx, payment.charge_id)
    given_at = payment.paid_at or payment.created_at
    if mandate.status is MandateStatus.PENDING and now - given_at < GIVE_UP:
        return now + ASK_AGAIN
    asked_for = charges.get(tx, payment.charge_id).subscription_id
    concerned = {asked_for}
    if renewal is not None and renewal.for_all and renewal.replaces_id is not None:
        concerned |= set(mandates.subscriptions_on(tx, payment.customer_id, renewal.replaces_id))
    held = {one: subscriptions.lock(tx, one) for one in sorted(concerned)}
    if mandate.status is not MandateStatus.VALID:
        _never_valid(tx, held[asked_for], renewal, now)
        return None
    moved = [_move(tx, one, payment, mandate, now) for one in held.values()]
    if not any(moved):
        owe_revocation(tx, payment.site_id, mandate.id, now)
    if renewal is not None and renewal.outcome is None:
        renewal.outcome, renewal.done_at = ("moved" if any(moved) else "overtaken"), now
        if any(moved):
            letters.owe(tx, "mandate_renewed", held[asked_for], step=f"renewal:{renewal.id}", now=now)
    return None


def _never_valid(tx: Tx, subscription: Subscription, renewal: Renewal | None, now: datetime) -> None:
    """The new account or card cannot be collected from; the old one stays what it was."""
    if renewal is None or renewal.outcome is not None:
        return
    renewal.outcome, renewal.done_at = "never_valid", now
    journal.record(tx, "renewal_failed", "mollie", now, subscription=subscription)
    letters.owe(tx, "renewal_failed", subscription, step=f"renewal:{renewal.id}", now=now)


class Stage(StrEnum):
    """How far a renewal is, as its page tells it.

    to_pay: nothing was paid. waiting: she is at the bank. proving: paid, and the bank has yet to confirm
    that it may be collected from. moved, overtaken, never_valid: how it ended.
    """

    TO_PAY = "to_pay"
    WAITING = "waiting"
    PROVING = "proving"
    MOVED = "moved"
    OVERTAKEN = "overtaken"
    NEVER_VALID = "never_valid"


def stage(tx: Tx, renewal: Renewal, check: Charge) -> Stage:
    """How far a renewal is."""
    if renewal.outcome is not None:
        return Stage(renewal.outcome)
    if check.paid_at is not None:
        return Stage.PROVING
    payment = charges.open_payment(tx, check.id)
    return Stage.WAITING if payment is not None and payment.mollie_id else Stage.TO_PAY


def look_now(tx: Tx, check_id: int, now: datetime) -> None:
    """She looks at the page of her renewal: find a payment whose webhook was lost while she waits."""
    payment = charges.open_payment(tx, check_id)
    if payment is not None and payment.mollie_id is not None:
        work.bring_forward(tx, "poll_payment", payment.uid, now)


class Retiring(StrEnum):
    """What is to be done with a mandate that something left: nothing, wait for its debits, or revoke it."""

    IN_USE = "in_use"
    DEBIT_RUNS = "debit_runs"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Retired:
    """`at` is when to look again, for a debit that runs; the ids are Mollie's, for what is to be revoked."""

    what: Retiring
    at: datetime | None = None
    customer: str = ""
    mandate: str = ""


def retire(tx: Tx, mandate_id: int, now: datetime) -> Retired:
    """Let go of a mandate that no subscription names; from here on nothing is prepared on it any more."""
    mandate = mandates.get(tx, mandate_id)
    if mandates.is_used(tx, mandate_id):
        return Retired(Retiring.IN_USE)
    if mandates.debit_runs(tx, mandate_id):
        return Retired(Retiring.DEBIT_RUNS, at=now + _WAIT_FOR_DEBIT)
    mandate.status = MandateStatus.REVOKED
    customer = tx.get_one(Customer, mandate.customer_id)
    return Retired(Retiring.REVOKE, customer=customer.mollie_id or "", mandate=mandate.mollie_id)


def retired(tx: Tx, mandate_id: int, now: datetime) -> None:
    """Mollie knows the mandate no more."""
    mandate = mandates.get(tx, mandate_id)
    mandate.status = MandateStatus.REVOKED
    told_of = mandates.newest_subscription(tx, mandate.customer_id)
    if told_of is not None:
        journal.record(
            tx, "mandate_revoked", "linkpay", now, subscription=told_of, account=mandate.account_hint
        )
