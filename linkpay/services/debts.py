"""What an owner decides about money that failed to come: more time, no more asking, one more try, letting go.

The caller has seen that a charge is of its own site (`charges.of_site`). Every decision is journaled with
who took it, and taken again it changes nothing.
"""

import uuid
from datetime import date, datetime

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import LET_GO, ChargeEvent, ChargeState, move
from linkpay.domain.subscription import LIVE, SubscriptionEvent, SubscriptionState
from linkpay.domain.subscription import move as move_subscription
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import access, dunning, lifecycle, settlement
from linkpay.store import charges, journal, ledger, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Subscription

_LONGEST_GRACE = 366  # days
_MESSAGES = {
    dunning.Outcome.NOT_BY_DEBIT: "It may not be debited again: the reason of the failure, or the member's"
    " cancellation, forbids it. Ask her to pay by the link.",
    dunning.Outcome.TOO_DEAR: "One more failed debit would cost more than the policy allows for one charge.",
    dunning.Outcome.GRACE_OVER: "Her grace is over. Give her more time first.",
    dunning.Outcome.BEING_PAID: "A payment of it is under way. Wait for what comes of it.",
    dunning.Outcome.NO_MANDATE: "There is no mandate that may be debited. She gives a new one by paying the"
    " link.",
}


def extend(tx: Tx, charge_id: int, until: date, actor: str, now: datetime) -> datetime:
    """Give a failed charge grace to the end of a day; when that is. Who was shut out is let in by it.

    Raises Conflict for one that did not fail, and InputError for a day that gives no more time.
    """
    subscription, charge = _failed(tx, charge_id)
    site = sites.get(tx, subscription.site_id)
    end = day_starts_at(until, site.zone)
    if (until - local_day(now, site.zone)).days > _LONGEST_GRACE:
        raise InputError("grace_too_long", f"Give at most {_LONGEST_GRACE} days.", "until")
    if end <= max(now, dunning.grace_end(tx, subscription, charge)):
        if end == charge.grace_until:
            return end
        raise InputError("grace_not_longer", "Choose a later day: she has that much time already.", "until")
    charge.grace_until = end
    if subscription.state is SubscriptionState.SUSPENDED:
        lifecycle.begin_anew(tx, subscription, charge, now)
        subscription.state = move_subscription(subscription.state, SubscriptionEvent.GRACE_GIVEN)
    journal.record(
        tx, "grace_extended", actor, now, subscription=subscription, charge=charge.id, until=until.isoformat()
    )
    dunning.plan(tx, subscription, charge, now)
    access.review_purchase(tx, subscription, now)
    return end


def stop(tx: Tx, charge_id: int, actor: str, now: datetime) -> None:
    """No more mails and debits for a failed charge; its grace still ends. Raises Conflict."""
    subscription, charge = _failed(tx, charge_id)
    if charge.dunning_stopped_at is None:
        charge.dunning_stopped_at = now
        journal.record(tx, "dunning_stopped", actor, now, subscription=subscription, charge=charge.id)


def retry(tx: Tx, charge_id: int, actor: str, now: datetime) -> date | None:
    """Debit a failed charge once more: now (None), or on the day returned if its member must be told first.

    She is told by mail at once, and the debit goes by itself then. Raises Conflict where the rules forbid it.
    """
    subscription, charge = _failed(tx, charge_id)
    outcome = dunning.debit(tx, subscription, charge, now)
    waits = outcome is dunning.Outcome.NOT_TOLD
    if not waits and outcome is not dunning.Outcome.DONE:
        raise Conflict(f"retry_{outcome.value}", _MESSAGES[outcome])
    day = dunning.try_when_told(tx, subscription, charge, now) if waits else None
    journal.record(
        tx, "debit_asked_for", actor, now, subscription=subscription, charge=charge.id,
        from_on=day.isoformat() if day else None,
    )  # fmt: skip
    return day


def write_off(tx: Tx, charge_id: int, actor: str, now: datetime, *, ends: bool) -> None:
    """Ask no more for a charge. The subscription `ends`, or goes on, and then its days are given.

    Raises Conflict for a charge of which nothing is owed.
    """
    subscription, charge = _held(tx, charge_id)
    if charge.state is ChargeState.WRITTEN_OFF:
        return
    if charge.asked_cents == 0:
        raise Conflict("nothing_owed", "Nothing is owed for this charge.")
    owed = charge.asked_cents
    charge.state = move(charge.state, ChargeEvent.LET_GO_OF)
    charge.failed_at = None
    journal.record(
        tx, "written_off", actor, now, subscription=subscription, charge=charge.id, amount_cents=owed,
        ends=ends,
    )  # fmt: skip
    if ends:
        charge.grace_until = None
        lifecycle.end(tx, subscription, SubscriptionEvent.STOPPED, actor, now)
        return
    site = sites.get(tx, subscription.site_id)
    charge.grace_until = day_starts_at(charge.ends_on, site.zone)
    lifecycle.debt_cleared(tx, subscription, charge, now)
    tx.flush()
    access.review_purchase(tx, subscription, now)


def paid_outside(tx: Tx, charge_id: int, cents: int | None, note: str, actor: str, now: datetime) -> str:
    """Book money that came past Mollie: `cents` of a charge, or all that is owed (None); its reference.

    A debit that runs all the same and is paid goes back by itself. Raises Conflict when nothing is owed, and
    InputError for more than that.
    """
    subscription, charge = _held(tx, charge_id)
    owed = charge.money.owed_cents
    if owed == 0 or subscription.started_at is None:
        raise Conflict("nothing_owed", "Nothing is owed for this charge.")
    if cents is not None and not 0 < cents <= owed:
        raise InputError("outside_amount", f"Give an amount of 1 to {owed} cents: that is owed.", "cents")
    ref = f"outside:{uuid.uuid4()}"
    ledger.book_outside(tx, charge, ref, cents or owed, now)
    journal.record(
        tx, "outside", actor, now, subscription=subscription, ref=ref, amount_cents=cents or owed,
        charge=charge.id, note=note[:200],
    )  # fmt: skip
    settlement.sum_up(tx, charge)
    if charge.money.owed_cents == 0:
        settlement.paid_whole(tx, subscription, charge, None, now)
    settlement.restate(tx, charge)
    access.review_purchase(tx, subscription, now)
    return ref


def undo_outside(tx: Tx, site_id: int, ref: str, actor: str, now: datetime) -> None:
    """The money did not come after all: it is owed again, and asked for from now. Raises NotFound."""
    entry = ledger.find_outside(tx, site_id, ref)
    if entry is None:
        raise NotFound("outside_unknown", f"No money from outside is called {ref}.", "ref")
    subscription, charge = _held(tx, entry.charge_id)
    if not ledger.book_outside(tx, charge, f"{ref}/undone", -entry.amount_cents, now):
        return
    journal.record(
        tx, "outside_undone", actor, now, subscription=subscription, ref=ref, charge=charge.id,
        amount_cents=-entry.amount_cents,
    )  # fmt: skip
    settlement.sum_up(tx, charge)
    if charge.money.owed_cents > 0 and charge.state not in LET_GO and charge.failed_at is None:
        dunning.debit_failed(tx, subscription, charge, "outside_undone", now)
    settlement.restate(tx, charge)
    access.review_purchase(tx, subscription, now)


def _held(tx: Tx, charge_id: int) -> tuple[Subscription, Charge]:
    subscription = subscriptions.lock(tx, charges.get(tx, charge_id).subscription_id)
    return subscription, charges.get(tx, charge_id)


def _failed(tx: Tx, charge_id: int) -> tuple[Subscription, Charge]:
    subscription, charge = _held(tx, charge_id)
    if charge.failed_at is None or charge.asked_cents == 0 or subscription.state not in LIVE:
        raise Conflict("not_failing", "No failed payment of this charge is being asked for.")
    return subscription, charge
