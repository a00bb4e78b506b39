"""Withdrawing from a contract: a declaration that anybody can make, and what a proven one does.

The declaration counts from the moment at which it comes in. It takes effect once it is proven to be the
customer's: by the link that is mailed to her, by her session, or by an owner who vouches for her. Until
then the same is done for everybody, so that nobody learns who is a customer here.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.domain.charge import UNSETTLED, ChargeEvent, move
from linkpay.domain.subscription import OVER, SubscriptionEvent, SubscriptionState
from linkpay.errors import Conflict
from linkpay.services import (
    access,
    contracts,
    debits,
    letters,
    lifecycle,
    throttle,
    turning,
    withdrawal_money,
)
from linkpay.services.contracts import Coming
from linkpay.store import charges, journal, sites, subscriptions, withdrawals, work
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Site, Subscription, Withdrawal

#: How long a link proves; after that a declaration is for people to settle.
LINK_LIFE = timedelta(days=60)
#: The same declaration within this time is a button pressed twice.
_SAME = timedelta(minutes=10)
#: As many declarations in one name as can be open at once; the earlier ones stay good, and count earlier.
_AT_ONCE, _OPEN_FOR = 3, timedelta(days=1)
#: A declaration that nobody proved is shown to the owner after this.
_WAITS = timedelta(days=2)
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody declares. `email` is normalised; `text` is all of it in the words she read."""

    name: str
    email: str
    reference: str
    locale: str
    text: str


def declare(tx: Tx, site: Site, said: Statement, address: str, now: datetime) -> Withdrawal:
    """Take a declaration in and owe the mail that confirms it, whoever made it.

    Raises SlowDown for an `address` from which too many come. What others declare in her name keeps nobody
    from declaring herself: the law gives her that until the last minute.
    """
    door = f"withdraw:{site.id}:{address}"
    subjects = {"person": f"{door}:{said.email}", "address": door}
    throttle.check(tx, subjects, now)
    throttle.failed(tx, subjects, now)
    open_ones = withdrawals.unproven_since(tx, site.id, said.email, now - _OPEN_FOR)
    same = [one for one in open_ones if one.statement == said.text and one.received_at > now - _SAME]
    if same or len(open_ones) >= _AT_ONCE:
        return (same or open_ones)[-1]
    made = _write_down(tx, site, said, now)
    reader = letters.Reader(said.email, said.locale, said.name)
    letters.owe_to(
        tx, "withdrawal_received", site.id, reader, step=f"withdrawal:{made.id}", now=now,
        withdrawal_id=made.id,
    )  # fmt: skip
    work.add(
        tx, site_id=site.id, kind="withdrawal_waits", ref=str(made.id), target_id=made.id,
        run_at=now + _WAITS, now=now,
    )  # fmt: skip
    return made


def _write_down(tx: Tx, site: Site, said: Statement, now: datetime) -> Withdrawal:
    made = Withdrawal(
        site_id=site.id, token=secrets.token_urlsafe(32), email=said.email, name=said.name,
        reference=said.reference, locale=said.locale, statement=said.text, received_at=now, created_at=now,
    )  # fmt: skip
    tx.add(made)
    tx.flush()
    return made


def by_member(tx: Tx, site: Site, subscription_id: int, text: str, now: datetime) -> Coming:
    """Withdraw as the customer herself, who is signed in. Raises Conflict as `carry_out` does."""
    subscription = subscriptions.get(tx, subscription_id)
    customer = tx.get_one(Customer, subscription.customer_id)
    said = Statement(customer.name, customer.email, "", customer.locale, text)
    made = _write_down(tx, site, said, now)
    return carry_out(tx, made.id, subscription_id, "member", now)


def carry_out(tx: Tx, withdrawal_id: int, subscription_id: int, actor: str, now: datetime) -> Coming:
    """Do what a proven declaration asks: stop, send back, close. Done before, it changes nothing.

    The caller has seen that the contract is the declaring customer's. Raises Conflict
    ``withdrawal_late`` after its days, ``withdrawal_done`` where this declaration ended another contract.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    withdrawal = withdrawals.lock(tx, withdrawal_id)
    site = sites.get(tx, subscription.site_id)
    if withdrawal.done_at is not None or withdrawals.of_subscription(tx, subscription.id) is not None:
        if withdrawal.done_at is not None and withdrawal.subscription_id != subscription.id:
            raise Conflict("withdrawal_done", "This declaration was for another order.")
        return contracts.preview(tx, subscription.id, withdrawal.received_at)
    found = contracts.contract(tx, site, subscription, withdrawal.received_at)
    if found is None or not found.in_time:
        raise Conflict("withdrawal_late", "The days to withdraw from this order were over by then.")
    coming = contracts.preview(tx, subscription.id, withdrawal.received_at)
    withdrawal.subscription_id, withdrawal.outcome = subscription.id, WITHDRAWN
    withdrawal.proven_at, withdrawal.done_at = withdrawal.proven_at or now, now
    withdrawal.refund_cents = coming.refund.cents
    journal.record(
        tx, "withdrawal_received", "buyer", withdrawal.received_at, subscription=subscription,
        order=found.number,
    )  # fmt: skip
    journal.record(
        tx, "withdrawn", actor, now, subscription=subscription, amount_cents=coming.refund.cents
    )  # fmt: skip
    tx.flush()
    _stop_collecting(tx, subscription, now)
    withdrawal_money.owe(tx, subscription, now)
    for extra in subscriptions.paid_within(tx, subscription.id):
        if extra.started_at is not None:
            _close(tx, extra, withdrawal, actor, now)
    _close(tx, subscription, withdrawal, actor, now)
    _confirm(tx, subscription, withdrawal, coming, now)
    _settled(tx, withdrawal, now)
    return coming


def _stop_collecting(tx: Tx, subscription: Subscription, now: datetime) -> None:
    """Nothing is asked for any more; what is under way is stopped, or goes back when it lands."""
    if subscription.paid_within_id is not None:
        return
    for charge in charges.of_subscription(tx, subscription.id):
        payment = charges.open_payment(tx, charge.id)
        if payment is not None and payment.mandate_id is not None:
            if payment.key_used_at is None:
                debits.let_go(charge, payment)
            else:
                debits.owe_stop(tx, payment, now)
                continue
        if charge.state in UNSETTLED:
            charge.state = move(charge.state, ChargeEvent.VOIDED)


def _close(tx: Tx, subscription: Subscription, withdrawal: Withdrawal, actor: str, now: datetime) -> None:
    subscription.access_ends_at = min(subscription.access_ends_at or now, now)
    subscription.next_plan_id, subscription.next_charge_on = None, None
    turning.forget_pause(subscription)
    if subscription.state in OVER and subscription.state is not SubscriptionState.COMPLETED:
        tx.flush()
        access.review_purchase(tx, subscription, now)
        return
    subscription.cancel_asked_at, subscription.cancel_reason = withdrawal.received_at, WITHDRAWN
    subscription.canceled_by = actor
    lifecycle.end(tx, subscription, SubscriptionEvent.STOPPED, actor, now)


def _confirm(
    tx: Tx, subscription: Subscription, withdrawal: Withdrawal, coming: Coming, now: datetime
) -> None:
    letters.owe(
        tx, "withdrawal_done", subscription, step=f"withdrawal:{withdrawal.id}:done", now=now,
        received_at=withdrawal.received_at.isoformat(), statement=withdrawal.statement,
        refund_cents=coming.refund.cents, debit_runs=coming.debit_runs, pro_rata=coming.pro_rata,
    )  # fmt: skip


def pass_on(tx: Tx, withdrawal_id: int, now: datetime) -> None:
    """A declaration that its maker proved, and that is about no purchase under her address: ask a person."""
    withdrawal = withdrawals.lock(tx, withdrawal_id)
    withdrawal.proven_at = withdrawal.proven_at or now
    if withdrawal.done_at is None:
        _ask(tx, withdrawal, "unknown", now)


def ask_owner(tx: Tx, withdrawal_id: int, now: datetime) -> None:
    """Nobody pressed the link for days: where it may be a customer's, a person has to ask her."""
    withdrawal = withdrawals.lock(tx, withdrawal_id)
    if withdrawal.proven_at is not None:
        return
    site = sites.get(tx, withdrawal.site_id)
    found = contracts.of_customer(tx, site, withdrawal.email, withdrawal.received_at)
    if any(one.in_time for one in found):
        _ask(tx, withdrawal, "unproven", now)


def vouch(tx: Tx, withdrawal_id: int, actor: str, now: datetime) -> Coming:
    """An owner says that a declaration is the customer's. Raises Conflict where it is not sure for what."""
    withdrawal = withdrawals.get(tx, withdrawal_id)
    site = sites.get(tx, withdrawal.site_id)
    found = contracts.of_customer(tx, site, withdrawal.email, withdrawal.received_at)
    chosen = contracts.meant([one for one in found if one.in_time], withdrawal.reference)
    if chosen is None:
        raise Conflict("withdrawal_unclear", "It is not clear which order is meant; settle it by hand.")
    return carry_out(tx, withdrawal_id, chosen.subscription_id, actor, now)


def _ask(tx: Tx, withdrawal: Withdrawal, problem: str, now: datetime) -> None:
    journal.need_attention(
        tx, site_id=withdrawal.site_id, kind="withdrawal", subject=f"withdrawal:{withdrawal.id}", now=now,
        detail=f"A declaration of withdrawal waits for a person: {problem}.", problem=problem,
        email=withdrawal.email, reference=withdrawal.reference,
    )  # fmt: skip


def _settled(tx: Tx, withdrawal: Withdrawal, now: datetime) -> None:
    journal.solved(
        tx, site_id=withdrawal.site_id, kind="withdrawal", subject=f"withdrawal:{withdrawal.id}", now=now
    )
    work.needless(tx, "withdrawal_waits", str(withdrawal.id), now)
