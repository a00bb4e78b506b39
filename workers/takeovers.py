"""Taking over from Mollie: the calls between the strokes of `services.takeover`.

Canceling is repeated freely: a second request does nothing, and only what Mollie shows afterwards counts.
"""

from linkpay.domain.snapshots import SubscriptionSnapshot, SubscriptionStatus
from linkpay.domain.strokes import too_late
from linkpay.errors import CredentialsRefused, Missing, Permanent, Retryable, TooLate
from linkpay.services import checkout, takeover
from linkpay.services.parts import Parts
from linkpay.services.takeover import Move
from linkpay.store import takeovers, work
from linkpay.store.tables import Outbox, Takeover

#: Mollie does not promise to find at once what it has: one answer proves nothing.
_LOOKS = 5


def take_over(parts: Parts, row: Outbox) -> None:
    """Go on with one take-over from wherever it stands."""
    key = checkout.site_key(parts, row.site_id)
    with parts.database.read() as tx:
        about = takeovers.get(tx, row.target_id)
    try:
        _go_on(parts, row, key, about)
    except Missing as problem:
        if row.attempts < _LOOKS:
            raise Retryable(problem.detail, status=problem.status) from problem
        with parts.database.write() as tx:
            takeover.gone(tx, row.target_id, parts.clock.now())
            work.finish(tx, row, parts.clock.now())


def _go_on(parts: Parts, row: Outbox, key: str, about: Takeover) -> None:
    seen = _look(parts, key, about)
    claimed_at = parts.clock.now()
    with parts.database.write() as tx:
        step = takeover.claim(tx, row.target_id, seen, claimed_at)
        if step.move is Move.DONE:
            work.finish(tx, row, claimed_at)
        elif step.move is Move.WAIT and step.at is not None:
            work.postpone(tx, row, step.at, "too near to Mollie's next charge", fresh=True)
    if step.move is Move.STOP:
        if too_late(claimed_at, parts.clock.now()):
            raise TooLate("too much time passed between deciding and canceling")
        seen = _stop(parts, row, key, about)
    if step.move in (Move.STOP, Move.GO_ON):
        _take(parts, row, key, seen)


def _look(parts: Parts, key: str, about: Takeover) -> SubscriptionSnapshot:
    return parts.payments.fetch_subscription(key, about.mollie_customer_id, about.mollie_subscription_id)


def _stop(parts: Parts, row: Outbox, key: str, about: Takeover) -> SubscriptionSnapshot:
    """Cancel, and see it canceled. Raises Retryable while Mollie shows anything else."""
    refusal = ""
    try:
        parts.payments.cancel_subscription(key, about.mollie_customer_id, about.mollie_subscription_id)
    except (CredentialsRefused, Missing):
        raise
    except Permanent as problem:
        refusal = problem.detail  # also what Mollie says of one that is canceled already
    seen = _look(parts, key, about)
    if seen.status is SubscriptionStatus.CANCELED:
        with parts.database.write() as tx:
            takeover.confirm(tx, row.target_id, parts.clock.now())
        return seen
    if refusal:
        with parts.database.write() as tx:
            takeover.not_canceled(tx, row.target_id, refusal, parts.clock.now())
    raise Retryable(refusal or f"Mollie still shows the subscription as {seen.status}")


def _take(parts: Parts, row: Outbox, key: str, seen: SubscriptionSnapshot) -> None:
    """Read what it made up to its end, and begin ours."""
    payments = parts.payments.list_subscription_payments(key, seen.customer_id, seen.id)
    with parts.database.read() as tx:
        course = takeover.where_to_go_on(tx, row.target_id, seen, payments)
    adopted = None
    if course is not None and course.adopted is not None:
        adopted = parts.payments.fetch_payment(key, course.adopted.id)
    mandates = parts.payments.list_mandates(key, seen.customer_id)
    now = parts.clock.now()
    with parts.database.write() as tx:
        takeover.take(tx, row.target_id, takeover.Evidence(seen, course, adopted, mandates), now)
        work.finish(tx, row, now)
