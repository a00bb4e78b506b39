"""What must be true, told from the sandbox's books alone, and at the end compared with ours.

Safety is asked after every step, whatever happened. Liveness is asked at the end, when the weather is calm
and enough time has passed for everything to be found out.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from linkpay.sandbox.state import Books
from linkpay.store.tables import Attention, Charge, Member, Payment, Subscription
from tests.flows import truth
from tests.flows.stage import Stage

_ZONE = ZoneInfo("Europe/Amsterdam")
#: Longer than any grace, the days that banks take, and a sweep.
_NO_GRACE_IS_LONGER = timedelta(days=25)
_DEAD = ("failed", "canceled", "expired")


class Wrong(AssertionError):
    """A statement that must always be true is not."""


def safe(stage: Stage) -> None:
    """After every step. Raises Wrong."""
    found = [*_debited_once(stage), *_in_time(stage), *_nobody_in_for_nothing(stage)]
    if found:
        raise Wrong("; ".join(found))


def right(stage: Stage, back_at: datetime | None = None) -> None:
    """At the end. `back_at` is when the product came back from its last long absence.

    Raises an AssertionError.
    """
    safe(stage)
    truth.check(stage, troubles=len(stage.troubles()))
    assert "parked" not in stage.troubles()
    back_on = back_at.astimezone(_ZONE).date() if back_at else date.min
    found = [*_kept_once(stage), *_access(stage, back_on), *_nothing_after_the_end(stage)]
    if found:
        raise Wrong("; ".join(found))


def _books(stage: Stage) -> Books:
    return stage.sandbox.world.books


def _debited_once(stage: Stage) -> Iterator[str]:
    """No attempt is two payments, and no period has two debits that may both bring money."""
    uids: Counter[str] = Counter()
    debits: Counter[tuple[str | None, str]] = Counter()
    for payment in _books(stage).payments:
        uids[(payment.metadata or {}).get("linkpay", payment.id)] += 1
        gone = payment.refunded_cents + payment.charged_back_cents >= payment.amount_cents
        if payment.sequence_type == "recurring" and payment.status not in _DEAD and not gone:
            debits[payment.customer_id, payment.description] += 1
    yield from (f"attempt {uid} is {times} payments" for uid, times in uids.items() if times > 1)
    yield from (f"{times} debits for {what}" for (_, what), times in debits.items() if times > 1)


def _in_time(stage: Stage) -> Iterator[str]:
    for payment in _books(stage).payments:
        if payment.sequence_type == "recurring":
            made_on = payment.created_at.astimezone(_ZONE).date()
            if made_on < _starts_on(payment.description):
                yield f"{payment.description} was debited on {made_on}"


def _starts_on(description: str) -> date:
    return date.fromisoformat(description.rpartition(" ")[2])


def _nobody_in_for_nothing(stage: Stage) -> Iterator[str]:
    """Whoever is let in has paid something at some time."""
    books = _books(stage)
    payers = {
        books.customers.rows[payment.customer_id].email
        for payment in books.payments
        if payment.customer_id and payment.paid_at is not None
    }
    for member in books.members:
        if member.email not in payers and any(g["state"] == "granted" for g in member.grants.values()):
            yield f"{member.email} is in and never paid"


def _kept_once(stage: Stage) -> Iterator[str]:
    """Of each period at most its price is kept."""
    kept: Counter[tuple[str | None, str]] = Counter()
    price: dict[tuple[str | None, str], int] = {}
    waiting = _waiting_for_the_owner(stage)
    for payment in _books(stage).payments:
        period = payment.customer_id, payment.description
        if payment.status == "paid" and payment.id not in waiting:
            kept[period] += payment.amount_cents - payment.refunded_cents - payment.charged_back_cents
            price[period] = payment.amount_cents
    yield from (f"{what} brought {kept[_, what]}" for _, what in kept if kept[_, what] > price[_, what])


def _access(stage: Stage, back_on: date) -> Iterator[str]:
    """In while a month that is paid, or whose debit runs, is under way; out when the last is long over.

    In between, grace and what people decided may say either; then only that all sides agree is asked,
    which `truth` has done.
    """
    today = stage.clock.now().astimezone(_ZONE).date()
    since = max(_found(stage), back_on)
    for email, months in _months(stage).items():
        inside = stage.has_access(email)
        if any(starts_on <= today < _next(starts_on) for starts_on in months) and not inside:
            yield f"{email} paid for today and is kept out"
        last = _last_asked(stage, email)
        if inside and last is not None and today - max(_next(last), since) > _NO_GRACE_IS_LONGER:
            yield f"{email} is in, the last month that was asked for was over on {_next(last)}"


def _last_asked(stage: Stage, email: str) -> date | None:
    """The newest month for which a payment was made, whatever came of it; the day of paying where later."""
    books = _books(stage)
    days = [
        max(_starts_on(one.description), (one.paid_at or one.created_at).astimezone(_ZONE).date())
        for one in books.payments
        if one.customer_id and books.customers.rows[one.customer_id].email == email
    ]
    return max(days, default=None)


def _found(stage: Stage) -> date:
    """When we last learned of a failure: grace begins there, and stands still while we are away, since our
    own delay costs nobody her access."""
    with stage.database.read() as tx:
        found = [one.failed_at for one in tx.query(Charge) if one.failed_at is not None]
    return max(found).astimezone(_ZONE).date() if found else date.min


def _next(starts_on: date) -> date:
    """The first day that a month from this day surely does not reach beyond: 28 days on."""
    return starts_on + timedelta(days=28)


def _months(stage: Stage) -> dict[str, list[date]]:
    """By e-mail, the first days of the months that were paid whole and kept whole."""
    books = _books(stage)
    waiting, gone = _waiting_for_the_owner(stage), _gone(stage)
    found: dict[str, list[date]] = {customer.email or "": [] for customer in books.customers}
    for payment in books.payments:
        whole = not payment.refunded_cents and not payment.charged_back_cents
        if payment.status == "paid" and whole and payment.customer_id and payment.id not in waiting:
            # What is paid late may buy a month from the day on which it was paid, unless she left that day:
            # then it was for the month that she was in without paying.
            paid_on = payment.paid_at.astimezone(_ZONE).date() if payment.paid_at else date.min
            starts_on = _starts_on(payment.description)
            email = books.customers.rows[payment.customer_id].email or ""
            found[email].append(starts_on if email in gone else max(starts_on, paid_on))
    return found


def _gone(stage: Stage) -> set[str]:
    """Who cancelled all that she had, and its last day is over."""
    today = stage.clock.now().astimezone(_ZONE).date()
    with stage.database.read() as tx:
        held = [(tx.get_one(Member, one.member_id).email, one.cancel_on) for one in tx.query(Subscription)]
    staying = {email for email, cancel_on in held if cancel_on is None or cancel_on > today}
    return {email for email, _ in held} - staying


def _waiting_for_the_owner(stage: Stage) -> set[str | None]:
    """What was paid for a sign-up that was called off before: it opens nothing and is shown to the owner."""
    with stage.database.read() as tx:
        late = {item.data.get("charge_id") for item in tx.query(Attention).filter_by(kind="late_paid")}
        return {one.mollie_id for one in tx.query(Payment) if one.charge_id in late}


def _nothing_after_the_end(stage: Stage) -> Iterator[str]:
    """Nobody is debited for days after those she cancelled to."""
    with stage.database.read() as tx:
        for subscription in tx.query(Subscription):
            if subscription.cancel_on is None:
                continue
            for charge in tx.query(Charge).filter_by(subscription_id=subscription.id):
                asked_at = subscription.cancel_asked_at or datetime.max.replace(tzinfo=UTC)
                if charge.starts_on >= subscription.cancel_on and charge.created_at > asked_at:
                    yield f"charge {charge.id} was raised for days after the end"
