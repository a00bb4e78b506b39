"""That every SEPA debit was told in time: a second pair of eyes on what was mailed and what was asked."""

from datetime import date, timedelta

from linkpay.domain.calendar import local_day
from linkpay.domain.money import Money
from linkpay.domain.snapshots import PaymentSnapshot, Sequence
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.services import coming, forecast
from linkpay.services.formats import money_text
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Consent, Mail, Mandate, Notice, Payment, Site, Subscription
from tests.flows.books import KEY
from tests.flows.stage import Stage

RUNNING = (S.ACTIVE, S.TRIALING, S.PAUSED, S.CANCELING)
_HOLIDAYS = timedelta(days=3)


def check(stage: Stage) -> None:
    """No debit at Mollie without a notice of its amount (or more) and day that left early enough."""
    debits = [
        listed
        for listed in stage.bank_view.list_payments(KEY, limit=1000)
        if listed.sequence is Sequence.RECURRING
        and listed.method == "directdebit"
        # What Mollie itself collected before a take-over was told by whoever asked it to.
        and "linkpay" in listed.metadata
    ]
    with stage.database.read() as tx:
        for listed in debits:
            payment = tx.query(Payment).filter_by(uid=listed.metadata["linkpay"]).one()
            told = [one for one in _notices(tx, payment) if _tells(tx, one, payment, listed)]
            assert told, f"{listed.id} of {listed.created_at} was not told in time"
            for one in told:
                _reads(tx, one)
        for subscription in tx.query(Subscription).filter(Subscription.state.in_(RUNNING)):
            _is_foreseen(tx, stage, subscription)


def _is_foreseen(tx: Tx, stage: Stage, subscription: Subscription) -> None:
    """Notices and forecasts speak of the same next collection."""
    site = tx.get_one(Site, subscription.site_id)
    told = coming.collection(tx, subscription)
    foreseen = forecast.next_collection(tx, site, subscription, stage.clock.now())
    assert (told is None) == (foreseen is None)
    if told is not None and foreseen is not None:
        assert (told.cents, max(told.due_on, foreseen.on)) == (foreseen.cents, foreseen.on)


def _notices(tx: Tx, payment: Payment) -> list[Notice]:
    charge = tx.get_one(Charge, payment.charge_id)
    return (
        tx.query(Notice)
        .filter_by(subscription_id=charge.subscription_id, mandate_id=payment.mandate_id)
        .filter(Notice.amount_cents >= payment.amount_cents)
        .all()
    )


def _tells(tx: Tx, one: Notice, payment: Payment, listed: PaymentSnapshot) -> bool:
    zone = tx.get_one(Site, one.site_id).zone
    charge = tx.get_one(Charge, payment.charge_id)
    asked_on = local_day(listed.created_at, zone)
    if one.sent_at is None:
        return False
    by_mail = one.mail_id is not None and one.consent_id is None
    if by_mail and asked_on - local_day(one.sent_at, zone) < _days(tx, charge, payment):
        return False
    if one.series and one.due_on <= charge.due_on and _near(charge.due_on, asked_on):
        return True
    return _near(one.due_on, asked_on)


def _near(named: date, asked_on: date) -> bool:
    return named <= asked_on <= named + _HOLIDAYS


def _days(tx: Tx, charge: Charge, payment: Payment) -> timedelta:
    subscription = tx.get_one(Subscription, charge.subscription_id)
    agreed = [
        consent.data.get("notice_days", 14 if consent.data else 2)
        for consent in tx.query(Consent).filter_by(subscription_id=subscription.id).order_by(Consent.id)
        if consent.kind in ("mandate", "upsell")
    ]
    by_policy = tx.get_one(Site, subscription.site_id).policy.get("notice_days", 14)
    days = agreed[-1] if agreed else by_policy
    earlier = tx.query(Payment).filter(Payment.charge_id == charge.id, Payment.id < payment.id).count()
    return timedelta(days=min(days, 2) if earlier else days)


def _reads(tx: Tx, one: Notice) -> None:
    """The mail names amount and mandate, so that the proof is worth something; or she agreed to it."""
    if one.consent_id is not None:
        consent = tx.get_one(Consent, one.consent_id)
        assert (consent.subscription_id, consent.created_at) == (one.subscription_id, one.sent_at)
        return
    if one.mail_id is None:
        assert tx.get_one(Subscription, one.subscription_id).origin == "import"
        return
    mail = tx.get_one(Mail, one.mail_id)
    mandate = tx.get_one(Mandate, one.mandate_id)
    assert mail.sent_at == one.sent_at
    amount = Money(one.amount_cents, one.currency)
    text = mail.text or ""
    assert any(" ".join(money_text(amount, locale).split()) in text for locale in ("nl", "en"))
    assert mandate.reference is not None
    assert mandate.reference in text
