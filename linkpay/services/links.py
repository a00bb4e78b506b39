"""Links that an owner sends again: to pay what is open, and to give a new account or card."""

from datetime import datetime

from linkpay.domain.calendar import local_day
from linkpay.errors import Conflict
from linkpay.services import letters, mandate_renewal
from linkpay.store import charges, journal, sites, subscriptions
from linkpay.store.db import Tx


def send_pay_link(tx: Tx, charge_id: int, actor: str, now: datetime) -> None:
    """Mail the link that pays a charge, at most once a day. Raises Conflict ``nothing_owed``, ``being_paid``.

    While a debit runs, a link would ask for the same money twice.
    """
    subscription = subscriptions.lock(tx, charges.get(tx, charge_id).subscription_id)
    charge = charges.get(tx, charge_id)
    if charge.asked_cents == 0:
        raise Conflict("nothing_owed", "Nothing is owed for this charge.")
    payment = charges.open_payment(tx, charge.id)
    if payment is not None and charges.debit_runs(payment):
        raise Conflict("being_paid", "A debit of it is under way. Wait for what comes of it.")
    day = local_day(now, sites.get(tx, subscription.site_id).zone)
    letters.owe(
        tx, "pay_link", subscription, step=f"charge:{charge.id}:pay_link:{day}", now=now, charge_id=charge.id
    )
    journal.record(tx, "pay_link_asked", actor, now, subscription=subscription, charge=charge.id)


def send_renewal_link(tx: Tx, subscription_id: int, actor: str, now: datetime) -> None:
    """Mail the way to a new account or card, at most once a day. Raises as `mandate_renewal.begin` does."""
    subscription = subscriptions.lock(tx, subscription_id)
    mandate_renewal.check_renewable(tx, subscription.id)
    day = local_day(now, sites.get(tx, subscription.site_id).zone)
    letters.owe(
        tx, "renewal_link", subscription, step=f"subscription:{subscription.id}:renewal_link:{day}", now=now
    )
    journal.record(tx, "renewal_link_asked", actor, now, subscription=subscription)
