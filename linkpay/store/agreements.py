"""What bears on the price of a subscription: coupons used, prices announced, credit in hand."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, func, select, update

from linkpay.store.db import FOR_CHANGE, Tx, insert_once
from linkpay.store.remembering import asked_once, asked_until_written
from linkpay.store.tables import Coupon, Credit, PriceChange, Redemption, Subscription, Withdrawal


@asked_until_written(Redemption, "subscription_id")
def redemption(tx: Tx, subscription_id: int) -> Redemption | None:
    """The coupon that a subscription uses; at most one."""
    return tx.scalar(_REDEMPTION, {"subscription_id": subscription_id})


_REDEMPTION = select(Redemption).where(Redemption.subscription_id == bindparam("subscription_id"))


def redeem(tx: Tx, coupon: Coupon, subscription: Subscription, now: datetime) -> None:
    """Let a sign-up use a coupon as it is now."""
    tx.add(
        Redemption(
            site_id=subscription.site_id, coupon_id=coupon.id, subscription_id=subscription.id,
            kind=coupon.kind, value=coupon.value, duration=coupon.duration, periods=coupon.periods,
            created_at=now,
        )
    )  # fmt: skip
    tx.flush()


def lock_coupon(tx: Tx, coupon_id: int) -> Coupon:
    """The coupon, held against others who would use it."""
    return tx.scalars(
        select(Coupon)
        .where(Coupon.id == coupon_id)
        .with_for_update(**FOR_CHANGE)
        .execution_options(populate_existing=True)
    ).one()


def uses(
    tx: Tx, coupon_id: int, *, held_since: datetime, not_for: Subscription | None = None
) -> int:  # fmt: skip
    """How often a coupon was paid with, or is held by a sign-up made since.

    `not_for` leaves out what the same customer holds for the same offer.
    """
    held = Redemption.created_at > held_since
    if not_for is not None:
        held &= (Subscription.customer_id != not_for.customer_id) | (
            Subscription.offer_id != not_for.offer_id
        )
    query = (
        select(func.count())
        .select_from(Redemption)
        .join(Subscription, Subscription.id == Redemption.subscription_id)
        .where(Redemption.coupon_id == coupon_id, Redemption.counted_at.is_not(None) | held)
    )
    return int(tx.scalar(query) or 0)


def price_on(tx: Tx, subscription_id: int, due_on: date) -> int | None:
    """The newest price that was told to the member and counts on a day, in cents; None: the agreed one."""
    return counting_on(announced(tx, subscription_id), due_on)


@asked_until_written(PriceChange)
def announced(tx: Tx, subscription_id: int) -> Sequence[tuple[date, int]]:
    """(first day, cents) of every price that was told to the member and not withdrawn, oldest first."""
    found = tx.execute(_ANNOUNCED, {"subscription_id": subscription_id})
    return [(day, cents) for day, cents in found]


_ANNOUNCED = (
    select(PriceChange.effective_on, PriceChange.amount_cents)
    .where(
        PriceChange.subscription_id == bindparam("subscription_id"), PriceChange.told_at.is_not(None),
        PriceChange.withdrawn_at.is_(None),
    )
    .order_by(PriceChange.effective_on, PriceChange.id)
)  # fmt: skip


def counting_on(prices: Sequence[tuple[date, int]], due_on: date) -> int | None:
    """Which of the announced prices counts on a day, in cents; None where none does yet."""
    return next((cents for day, cents in reversed(prices) if day <= due_on), None)


@asked_until_written(Credit, "subscription_id")
def credit_cents(tx: Tx, subscription_id: int) -> int:
    """What a member has in hand: never negative, since charges use no more than there is."""
    return int(tx.scalar(_CREDIT, {"subscription_id": subscription_id}) or 0)


_CREDIT = select(func.sum(Credit.amount_cents)).where(Credit.subscription_id == bindparam("subscription_id"))


def add_credit(
    tx: Tx, subscription: Subscription, cents: int, *, reason: str, ref: str, now: datetime,
    charge_id: int | None = None,
) -> bool:  # fmt: skip
    """Give credit, or use it up (negative), once for each `ref`; False when that was done before."""
    subscription.notice_look_at = None  # its next debit is of another amount
    return (
        insert_once(
            tx, Credit, site_id=subscription.site_id, subscription_id=subscription.id, charge_id=charge_id,
            amount_cents=cents, currency=subscription.currency, reason=reason, ref=ref, created_at=now,
        )
        is not None
    )  # fmt: skip


@asked_until_written(Credit, "subscription_id")
def switched_away(tx: Tx, subscription_id: int) -> set[int]:
    """The charges whose unused days were given as credit, and so are nobody's to use or send back."""
    found = tx.scalars(_SWITCHED_AWAY, {"subscription_id": subscription_id})
    return {charge_id for charge_id in found if charge_id is not None}


_SWITCHED_AWAY = select(Credit.charge_id).where(
    Credit.subscription_id == bindparam("subscription_id"), Credit.reason == "switch",
    Credit.charge_id.is_not(None),
)  # fmt: skip


def credit_given(tx: Tx, subscription_id: int) -> dict[int, int]:
    """What was put into each charge and became credit, in cents by charge: for unused days, a cent that
    proved, or what lowered the price of one that was never paid."""
    query = select(Credit.charge_id, Credit.ref, Credit.amount_cents).where(
        Credit.subscription_id == subscription_id,
        Credit.reason.in_(("switch", "check", "unused", "unpaid")),
    )
    found: dict[int, int] = {}
    for charge_id, ref, cents in tx.execute(query):
        of = charge_id or int(ref.rpartition(":")[2])
        found[of] = found.get(of, 0) + cents
    return found


def switch_credit_cents(tx: Tx, subscription_id: int) -> int:
    """What was ever given for days that a switch left unused."""
    query = select(func.sum(Credit.amount_cents)).where(
        Credit.subscription_id == subscription_id, Credit.reason == "switch"
    )
    return int(tx.scalar(query) or 0)


def forget_prices(tx: Tx, subscription_id: int, now: datetime) -> None:
    """Prices that were announced for terms that count no more."""
    tx.execute(
        update(PriceChange)
        .where(PriceChange.subscription_id == subscription_id, PriceChange.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


@asked_once
def plans_of_coupon(tx: Tx, subscription_id: int) -> Sequence[str]:
    """The slugs of the plans that the coupon in use is for; none means all, or that there is no coupon."""
    query = (
        select(Coupon.plan_slugs)
        .join(Redemption, Redemption.coupon_id == Coupon.id)
        .where(Redemption.subscription_id == subscription_id)
    )
    return tx.scalar(query) or ()


def end_coupon(tx: Tx, subscription_id: int, index: int) -> None:
    """The coupon in use takes nothing off from period `index` on; that it was used stays known."""
    used = redemption(tx, subscription_id)
    if used is not None:
        used.duration, used.periods = "periods", max(index, 0)


@asked_once
def was_withdrawn(tx: Tx, subscription_id: int) -> bool:
    """Whether the contract was withdrawn from, and that has been done."""
    return tx.scalar(_WITHDRAWN, {"subscription_id": subscription_id}) is not None


_WITHDRAWN = (
    select(Withdrawal.id)
    .where(Withdrawal.subscription_id == bindparam("subscription_id"), Withdrawal.done_at.is_not(None))
    .limit(1)
)
