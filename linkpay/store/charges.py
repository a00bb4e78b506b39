"""Charges and the payments that collect them."""

from collections.abc import Sequence as ListOf
from datetime import datetime

from sqlalchemy import bindparam, exists, or_, select

from linkpay.domain.charge import UNSETTLED
from linkpay.domain.ledger import EntryKind
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.errors import Conflict, NotFound
from linkpay.store import ledger
from linkpay.store.db import Tx, core, insert_row_once
from linkpay.store.remembering import asked_once, asked_until_written, current, held, hold
from linkpay.store.tables import Charge, LedgerEntry, Payment, Refund
from linkpay.store.tables.money import Stroke

#: Checks of an account are charges as well, and no periods: nothing that asks for periods sees them.
_IS_PERIOD = Charge.period >= TRIAL_PERIOD
_RUNNING = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED)
_SEPA_DEBIT = (Sequence.RECURRING, "directdebit")


def get(tx: Tx, charge_id: int) -> Charge:
    """The charge as it is now; it must exist."""
    return held(tx, Charge, charge_id)


def by_token(tx: Tx, site_id: int, token: str) -> Charge | None:
    """The charge whose pay page carries this secret."""
    return tx.scalar(select(Charge).where(Charge.site_id == site_id, Charge.token == token, _IS_PERIOD))


@asked_until_written(Charge, "subscription_id")
def of_subscription(tx: Tx, subscription_id: int) -> ListOf[Charge]:
    """All charges of a subscription's periods, oldest first, as they are now."""
    found = tx.scalars(_OF_SUBSCRIPTION, {"subscription_id": subscription_id}).all()
    hold(tx, found)
    return found


_OF_SUBSCRIPTION = (
    select(Charge)
    .where(Charge.subscription_id == bindparam("subscription_id"), _IS_PERIOD)
    .order_by(Charge.period)
    .execution_options(populate_existing=True)
)


@asked_until_written(Charge, "subscription_id", within=True)
def has_unsettled(tx: Tx, subscription_id: int) -> bool:
    """Whether money of an earlier period is still expected."""
    return bool(tx.scalar(_HAS_UNSETTLED, {"subscription_id": subscription_id}))


def unsettled(tx: Tx, subscription_ids: ListOf[int]) -> set[int]:
    """Those of these subscriptions of which money of an earlier period is still expected."""
    return set(tx.scalars(_UNSETTLED, {"ids": list(subscription_ids)}))


_UNSETTLED = (
    select(Charge.subscription_id)
    .where(
        Charge.subscription_id.in_(bindparam("ids", expanding=True)), Charge.state.in_(UNSETTLED), _IS_PERIOD
    )
    .distinct()
)
_HAS_UNSETTLED = select(
    exists().where(
        Charge.subscription_id == bindparam("subscription_id"), Charge.state.in_(UNSETTLED), _IS_PERIOD
    )
)


def raise_once(tx: Tx, **values: object) -> Charge | None:
    """Make the charge of one period, unless it was made before."""
    return insert_row_once(tx, Charge, **values)


def new_payment(tx: Tx, **values: object) -> Payment:
    """An attempt to collect a charge. Raises Conflict ``payment_open`` when one is open already."""
    made = insert_row_once(tx, Payment, **values)
    if made is None:
        raise Conflict("payment_open", "A payment of this amount is open already.")
    return made


def payment(tx: Tx, payment_id: int) -> Payment:
    """The payment as it is now; it must exist."""
    return held(tx, Payment, payment_id)


def payment_by_mollie_id(tx: Tx, site_id: int, mollie_id: str) -> Payment | None:
    """The site's payment with this Mollie id."""
    return tx.scalar(_BY_MOLLIE_ID, {"site_id": site_id, "mollie_id": mollie_id})


def payment_id_of(tx: Tx, site_id: int, mollie_id: str) -> int | None:
    """Our id of the same."""
    return tx.scalar(_ID_OF, {"site_id": site_id, "mollie_id": mollie_id})


_PAYMENT = core(Payment).c
_ID_OF = select(_PAYMENT.id).where(
    _PAYMENT.site_id == bindparam("site_id"), _PAYMENT.mollie_id == bindparam("mollie_id")
)
_BY_MOLLIE_ID = select(Payment).where(
    Payment.site_id == bindparam("site_id"), Payment.mollie_id == bindparam("mollie_id")
)


def payment_by_uid(tx: Tx, site_id: int, uid: str) -> Payment | None:
    """The site's payment with this metadata id."""
    return tx.scalar(select(Payment).where(Payment.site_id == site_id, Payment.uid == uid))


@asked_until_written(Payment, "charge_id")
def payments(tx: Tx, charge_id: int) -> ListOf[Payment]:
    """All attempts to collect a charge, oldest first."""
    found = tx.scalars(_PAYMENTS, {"charge_id": charge_id}).all()
    hold(tx, found)
    return found


_PAYMENTS = (
    select(Payment)
    .where(Payment.charge_id == bindparam("charge_id"))
    .order_by(Payment.id)
    .execution_options(populate_existing=True)
)


@asked_once
def open_payment(tx: Tx, charge_id: int) -> Payment | None:
    """The attempt that may still bring money; there is at most one."""
    return tx.scalar(
        select(Payment)
        .where(Payment.charge_id == charge_id, Payment.is_open)
        .execution_options(populate_existing=True)
    )


def debit_runs(payment: Payment) -> bool:
    """Whether money is under way without anybody having to act."""
    if payment.mandate_id is not None:
        return payment.is_open
    return payment.is_open and payment.status in _RUNNING


def bounces(tx: Tx, charge_id: int, *, until: datetime | None = None) -> int:
    """How many SEPA debits of a charge failed or were taken back, of those made until a moment."""
    debits = [one for one in payments(tx, charge_id) if (one.sequence, one.method) == _SEPA_DEBIT]
    back = {one.payment_id for one in ledger.entries(tx, charge_id) if one.kind is EntryKind.CHARGEBACK}
    bounced = [one for one in debits if one.status is PaymentStatus.FAILED or one.id in back]
    return sum(until is None or one.created_at <= until for one in bounced)


def claim_payment(tx: Tx, payment_id: int, now: datetime) -> bool:
    """Take the right to send this attempt once; False when it is not to be sent (any more).

    The caller holds the lock of its subscription.
    """
    attempt = payment(tx, payment_id)
    if not attempt.is_open or attempt.stroke not in (Stroke.PREPARED, Stroke.SENDING, Stroke.UNKNOWN):
        return False
    attempt.stroke, attempt.claimed_at = Stroke.SENDING, now
    return True


@asked_once
def refund(tx: Tx, refund_id: int) -> Refund:
    """The refund as it is now; it must exist."""
    return current(tx, Refund, refund_id)


def was_sent_back(tx: Tx, subscription_id: int, reason: str, since: datetime) -> bool:
    """Whether money of a subscription was owed back for this reason, numbered or not, then or later."""
    named = or_(Refund.reason == reason, Refund.reason.startswith(f"{reason}:", autoescape=True))
    query = (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(Charge.subscription_id == subscription_id, named, Refund.created_at >= since)
    )
    return bool(tx.scalar(select(exists(query))))


def refund_by_mollie_id(tx: Tx, site_id: int, mollie_id: str) -> Refund | None:
    """The refund of ours that has this id at Mollie."""
    return tx.scalar(select(Refund).where(Refund.site_id == site_id, Refund.mollie_id == mollie_id))


def refunds_for(tx: Tx, charge_id: int, reason: str) -> list[Refund]:
    """The refunds of a charge's payments for one reason."""
    return list(
        tx.scalars(
            select(Refund)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Payment.charge_id == charge_id, Refund.reason == reason)
            .order_by(Refund.id)
            .execution_options(populate_existing=True)
        )
    )


def refunds_of(tx: Tx, charge_id: int) -> ListOf[Refund]:
    """Every refund of a charge's payments that was ever owed, whatever came of it."""
    return tx.scalars(
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.charge_id == charge_id)
        .order_by(Refund.id)
    ).all()


@asked_once
def refunds_under_way(tx: Tx, charge_id: int) -> dict[int, int]:
    """Cents that are on their way back and not in the ledger yet, by payment."""
    booked = select(LedgerEntry.ref).where(LedgerEntry.charge_id == charge_id)
    rows = tx.execute(
        select(Refund.payment_id, Refund.amount_cents)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Payment.charge_id == charge_id,
            Refund.stroke != Stroke.REFUSED,
            Refund.mollie_id.is_(None) | Refund.mollie_id.not_in(booked),
        )
    )
    found: dict[int, int] = {}
    for payment_id, cents in rows:
        found[payment_id] = found.get(payment_id, 0) + cents
    return found


def of_site(tx: Tx, site_id: int, charge_id: int) -> Charge:
    """A charge of this site. Raises NotFound."""
    found = tx.scalar(select(Charge).where(Charge.site_id == site_id, Charge.id == charge_id))
    if found is None:
        raise NotFound("charge_unknown", f"There is no charge {charge_id} here.", "charge")
    return found


def failing(tx: Tx, site_id: int | None) -> ListOf[Charge]:
    """Charges that failed and are still asked for, the oldest failure first; of one site when named."""
    query = select(Charge).where(Charge.failed_at.is_not(None), Charge.state.in_(UNSETTLED))
    if site_id is not None:
        query = query.where(Charge.site_id == site_id)
    return tx.scalars(query.order_by(Charge.failed_at, Charge.id)).all()


def is_failing(tx: Tx, subscription_id: int, *, besides: int) -> bool:
    """Whether money of another period is asked for after a failure."""
    return any(charge.id != besides for charge in failing_of(tx, subscription_id))


def failing_of(tx: Tx, subscription_id: int) -> ListOf[Charge]:
    """Charges of a subscription that failed and are still asked for, oldest first."""
    made = of_subscription(tx, subscription_id)
    return [charge for charge in made if charge.failed_at is not None and charge.state in UNSETTLED]
