"""Telling members of debits to come, and holding back a debit that was not told in time."""

from datetime import date, datetime, timedelta

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.notice import LEAD_DAYS, Debit, write_from
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import abreast, letters, notices
from linkpay.store import charges, journal, sites, subscriptions
from linkpay.store import notices as store
from linkpay.store.db import Database, Tx
from linkpay.store.remembering import held
from linkpay.store.tables import Charge, Site, Subscription

#: Looked at in one turn of the clock. More wait for the next turn, five seconds later.
_BATCH = 200
#: Whose next charge is to come. A failure has its own mails, and a sign-up its welcome.
_TOLD = frozenset(
    {
        SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING,
        SubscriptionState.PAUSED,
    }
)  # fmt: skip


def run(database: Database, now: datetime) -> int:
    """Write the pre-notifications whose time has come; returns how many subscriptions were looked at.

    Any number of processes may run this at once: the database holds one notice of one debit.
    """
    with database.read() as tx:
        waiting = store.to_look_at(tx, now, _BATCH)
    for part in abreast.parts_of(waiting):
        abreast.done(database, part, lambda tx, one: look(tx, one, now))
    return len(waiting)


def look(tx: Tx, subscription_id: int, now: datetime) -> bool:
    """Owe the notice of the next debit if it is missing and its time has come, and say when to look again.

    Once it is told nobody looks until the debit is over, or until something about it changes.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    today = local_day(now, site.zone)
    tomorrow = look_on = today + timedelta(days=1)
    debit = notices.next_debit(tx, subscription)
    if site.halted_at is not None or subscription.state not in _TOLD:
        pass  # it is looked at day by day until it is charged again
    elif debit is None:
        # A card may be followed by an account before then, and a credit may be used up.
        next_on = subscription.next_charge_on or tomorrow
        look_on = max(tomorrow, next_on - timedelta(days=LEAD_DAYS))
    elif debit.due_on <= today:
        pass  # `first_day` sees to it, once no earlier money is under way
    else:
        days = notices.days_agreed(tx, site, subscription)
        look_on = write_from(debit.due_on, days)
        over = max(tomorrow, debit.due_on + timedelta(days=1))
        if look_on <= today:
            _tell_unless_told(tx, site, subscription, debit, now)
            look_on = over
        elif notices.was_told(tx, site, subscription, debit, days):
            look_on = over  # most debits are of a series that was told when it began
    subscription.notice_look_at = day_starts_at(look_on, site.zone)
    return True


def first_day(tx: Tx, site: Site, subscription: Subscription, today: date, now: datetime) -> date:
    """The first day on which the next period may be collected: today, unless its notice is not in time.

    Owes the notice where there is none.
    """
    debit = notices.next_debit(tx, subscription)
    if debit is None or debit.due_on > today:
        return today
    return _tell_unless_told(tx, site, subscription, debit, now)


def first_try(tx: Tx, subscription: Subscription, charge: Charge, now: datetime) -> date:
    """The first day on which a failed debit may be tried again: today, unless its notice is not in time.

    Owes the notice of that day where there is none.
    """
    site = sites.get(tx, subscription.site_id)
    today = local_day(now, site.zone)
    debit = notices.debit_again(tx, subscription, charge, today)
    return today if debit is None else _tell_unless_told(tx, site, subscription, debit, now)


def is_told(tx: Tx, payment_id: int, now: datetime) -> bool:
    """Whether a prepared debit may be sent today for all its member was told.

    One that was on the wire before may: what became of it must be found out.
    """
    payment = charges.payment(tx, payment_id)
    debit = notices.prepared_debit(tx, payment)
    if debit is None:
        return True
    subscription = held(tx, Subscription, charges.get(tx, payment.charge_id).subscription_id)
    site = sites.get(tx, payment.site_id)
    today = local_day(now, site.zone)
    found = notices.judge(tx, site, subscription, debit, today)
    return found.allowed and found.first_day <= today


def hold(tx: Tx, payment_id: int, now: datetime) -> datetime | None:
    """Until when a prepared debit waits that comes too late for what was told; None to send it after all."""
    payment = charges.payment(tx, payment_id)
    subscription = subscriptions.lock(tx, charges.get(tx, payment.charge_id).subscription_id)
    site = sites.get(tx, subscription.site_id)
    debit = notices.prepared_debit(tx, charges.payment(tx, payment_id))
    if debit is None:
        return None
    first = _tell_unless_told(tx, site, subscription, debit, now)
    return None if first <= local_day(now, site.zone) else day_starts_at(first, site.zone)


def _tell_unless_told(tx: Tx, site: Site, subscription: Subscription, debit: Debit, now: datetime) -> date:
    """The first day on which this debit may be asked for; owes its notice when there is none."""
    found = notices.judge(tx, site, subscription, debit, local_day(now, site.zone))
    if found.told:
        return found.first_day
    told = notices.describe(tx, site, subscription, debit, found.first_day)
    mail_id = letters.owe(
        tx, "debit_notice", subscription, now=now, debit=told.plain,
        step=f"debit:{subscription.id}:{debit.mandate_id}:{debit.cents}:{found.first_day}",
    )  # fmt: skip
    if mail_id is not None:
        notices.keep(tx, journal.mail(tx, mail_id), subscription)
        journal.record(
            tx, "debit_told", "clock", now, subscription=subscription, amount_cents=debit.cents,
            due_on=found.first_day.isoformat(),
        )  # fmt: skip
    return found.first_day
