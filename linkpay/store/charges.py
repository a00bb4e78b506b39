"""Charges, the payments that collect them, and their ledger."""

from collections.abc import Sequence as ListOf
from datetime import datetime

from sqlalchemy import bindparam, exists, select, update

from linkpay.domain.charge import UNSETTLED
from linkpay.domain.ledger import Entry, EntryKind
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.errors import NotFound
from linkpay.store.db import Tx, asked_once, core, current, held, insert_once, read_anew
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


@asked_once
def of_subscription(tx: Tx, subscription_id: int) -> ListOf[Charge]:
    """All charges of a subscription's periods, oldest first, as they are now."""
    return tx.scalars(_OF_SUBSCRIPTION, {"subscription_id": subscription_id}).all()


_OF_SUBSCRIPTION = (
    select(Charge)
    .where(Charge.subscription_id == bindparam("subscription_id"), _IS_PERIOD)
    .order_by(Charge.period)
    .execution_options(populate_existing=True)
)


@asked_once
def has_unsettled(tx: Tx, subscription_id: int) -> bool:
    """Whether money of an earlier period is still expected."""
    return bool(tx.scalar(_HAS_UNSETTLED, {"subscription_id": subscription_id}))


_HAS_UNSETTLED = select(
    exists().where(
        Charge.subscription_id == bindparam("subscription_id"), Charge.state.in_(UNSETTLED), _IS_PERIOD
    )
)


def raise_once(tx: Tx, **values: object) -> Charge | None:
    """Make the charge of one period, unless it was made before."""
    charge_id = insert_once(tx, Charge, **values)
    return None if charge_id is None else tx.get_one(Charge, charge_id)


def payment(tx: Tx, payment_id: int) -> Payment:
    """The payment as it is now; it must exist."""
    return held(tx, Payment, payment_id)


def payment_by_mollie_id(tx: Tx, site_id: int, mollie_id: str) -> Payment | None:
    """The site's payment with this Mollie id."""
    return tx.scalar(_BY_MOLLIE_ID, {"site_id": site_id, "mollie_id": mollie_id})


_BY_MOLLIE_ID = select(Payment).where(
    Payment.site_id == bindparam("site_id"), Payment.mollie_id == bindparam("mollie_id")
)


def payment_by_uid(tx: Tx, site_id: int, uid: str) -> Payment | None:
    """The site's payment with this metadata id."""
    return tx.scalar(select(Payment).where(Payment.site_id == site_id, Payment.uid == uid))


@asked_once
def payments(tx: Tx, charge_id: int) -> ListOf[Payment]:
    """All attempts to collect a charge, oldest first."""
    return tx.scalars(_PAYMENTS, {"charge_id": charge_id}).all()


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
    back = {one.payment_id for one in entries(tx, charge_id) if one.kind is EntryKind.CHARGEBACK}
    bounced = [one for one in debits if one.status is PaymentStatus.FAILED or one.id in back]
    return sum(until is None or one.created_at <= until for one in bounced)


def claim_payment(tx: Tx, payment_id: int, now: datetime) -> bool:
    """Take the right to send this attempt once; False when it is not to be sent (any more)."""
    tx.flush()
    columns = core(Payment).c
    changed = tx.execute(
        update(core(Payment))
        .where(
            columns.id == payment_id,
            columns.stroke.in_((Stroke.PREPARED, Stroke.SENDING, Stroke.UNKNOWN)),
            columns.is_open,
        )
        .values(stroke=Stroke.SENDING, claimed_at=now)
        .returning(columns.id)
    )
    read_anew(tx)
    return changed.one_or_none() is not None


def booked_refs(tx: Tx, payment_id: int) -> set[str]:
    """The outside references that the ledger already holds for a payment."""
    return set(tx.scalars(_BOOKED_REFS, {"payment_id": payment_id}))


_BOOKED_REFS = select(LedgerEntry.ref).where(LedgerEntry.payment_id == bindparam("payment_id"))


def book(tx: Tx, payment: Payment, entry: Entry, now: datetime) -> bool:
    """Write one fact; False when it was there. Facts are never changed or removed."""
    return (
        insert_once(
            tx, LedgerEntry, site_id=payment.site_id, charge_id=payment.charge_id,
            payment_id=payment.id, kind=entry.kind, ref=entry.ref, amount_cents=entry.amount.cents,
            currency=entry.amount.currency, occurred_at=entry.occurred_at, created_at=now,
        )
        is not None
    )  # fmt: skip


def book_outside(tx: Tx, charge: Charge, ref: str, cents: int, now: datetime) -> bool:
    """Write down money that came past Mollie, or (negative) did not come after all; once for each `ref`."""
    kind = EntryKind.OUTSIDE if cents > 0 else EntryKind.OUTSIDE_UNDONE
    booked = insert_once(
        tx, LedgerEntry, site_id=charge.site_id, charge_id=charge.id, kind=kind, ref=ref, amount_cents=cents,
        currency=charge.currency, occurred_at=now, created_at=now,
    )  # fmt: skip
    return booked is not None


def find_outside(tx: Tx, site_id: int, ref: str) -> LedgerEntry | None:
    """The money from outside that is booked under this reference."""
    return tx.scalar(
        select(LedgerEntry).where(
            LedgerEntry.site_id == site_id, LedgerEntry.ref == ref, LedgerEntry.kind == EntryKind.OUTSIDE
        )
    )


@asked_once
def entries(tx: Tx, charge_id: int) -> ListOf[LedgerEntry]:
    """The ledger of one charge, oldest first."""
    return tx.scalars(_ENTRIES, {"charge_id": charge_id}).all()


_ENTRIES = select(LedgerEntry).where(LedgerEntry.charge_id == bindparam("charge_id")).order_by(LedgerEntry.id)


def entries_of_payment(tx: Tx, payment_id: int) -> ListOf[LedgerEntry]:
    """The ledger of one payment, oldest first."""
    return tx.scalars(
        select(LedgerEntry).where(LedgerEntry.payment_id == payment_id).order_by(LedgerEntry.id)
    ).all()


@asked_once
def refund(tx: Tx, refund_id: int) -> Refund:
    """The refund as it is now; it must exist."""
    return current(tx, Refund, refund_id)


def was_sent_back(tx: Tx, subscription_id: int, reason: str, since: datetime) -> bool:
    """Whether money of a subscription was owed back for this reason, at that moment or later."""
    query = (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(
            Charge.subscription_id == subscription_id, Refund.reason == reason, Refund.created_at >= since
        )
    )  # fmt: skip
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
    return bool(tx.scalar(_IS_FAILING, {"subscription_id": subscription_id, "besides": besides}))


_IS_FAILING = select(
    exists().where(
        Charge.subscription_id == bindparam("subscription_id"), Charge.id != bindparam("besides"),
        Charge.failed_at.is_not(None), Charge.state.in_(UNSETTLED),
    )
)  # fmt: skip
