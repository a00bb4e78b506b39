"""What happened, in words: one sentence for every kind of event, its reasons and who did it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from linkpay.domain.coverage import Source
from linkpay.domain.money import Money
from linkpay.redaction import neutralise
from linkpay.services import mail_kinds
from linkpay.services.formats import day_text, money_text
from linkpay.services.timeline import Moment

Words = Mapping[str, str]


def _w(nl: str, en: str) -> Words:
    return {"nl": nl, "en": en}


#: By kind of event; a kind that is not here is shown as its own name.
EVENTS: dict[str, Words] = {
    # A new account or card.
    "forget_asked": _w("heeft gevraagd om vergeten te worden", "asked to be forgotten"),
    "renewal_asked": _w("nieuwe rekening of kaart gevraagd", "a new account or card was asked for"),
    "renewal_link_asked": _w(
        "link voor een nieuwe rekening of kaart gevraagd", "link for a new account or card asked for"
    ),
    "pay_link_asked": _w("betaallink gevraagd", "pay link asked for"),
    "mandate_replaced": _w(
        "wordt van een nieuwe rekening of kaart afgeschreven", "moved to a new account or card"
    ),
    "mandate_revoked": _w("oude machtiging ingetrokken", "the old mandate was revoked"),
    "renewal_failed": _w(
        "nieuwe rekening of kaart werd niet geldig", "the new account or card never became valid"
    ),
    # Buying and paying.
    "signed_up": _w("aangemeld", "signed up"),
    "choice_changed": _w("keuze veranderd voor het betalen", "choice changed before paying"),
    "payment_made": _w("betaling klaargezet", "payment prepared"),
    "payment_asked": _w("geld gevraagd bij Mollie", "asked Mollie for the money"),
    "webhook_arrived": _w("bericht van Mollie", "webhook arrived"),
    "webhook_handled": _w("bericht verwerkt", "webhook handled"),
    "webhook_parked": _w("bericht apart gezet", "webhook set aside"),
    "look_noted": _w("opnieuw kijken bij Mollie", "a look was owed"),
    "payment": _w("betaald", "paid"),
    "payment_undone": _w("afschrijving mislukt nadat hij betaald was", "debit failed after it was paid"),
    "payment_failed": _w("betaling mislukt", "payment failed"),
    "payment_canceled": _w("betaling afgebroken", "payment canceled"),
    "payment_expired": _w("betaling verlopen", "payment expired"),
    "refund": _w("terugbetaald", "refunded"),
    "refund_undone": _w("terugbetaling niet doorgegaan", "refund came to nothing"),
    "second_payment": _w(
        "tweede betaling voor dezelfde poging gezien", "second payment for one attempt seen"
    ),
    "payment_recovered": _w("betaling teruggevonden bij Mollie", "payment found again at Mollie"),
    "refund_owed": _w("terugbetaling gestart", "refund owed"),
    "refund_dropped": _w("terugbetaling niet meer nodig", "refund needed no more"),
    "chargeback": _w("teruggeboekt door de bank", "charged back"),
    "chargeback_undone": _w("terugboeking ongedaan gemaakt", "chargeback reversed"),
    "outside": _w("buiten Mollie betaald", "paid outside of Mollie"),
    "outside_undone": _w("betaling buiten Mollie ingetrokken", "outside payment taken back"),
    # The life of a subscription.
    "started": _w("abonnement begonnen", "subscription started"),
    "charge_raised": _w("afschrijving klaargezet", "charge raised"),
    "debit_told": _w("afschrijving aangekondigd", "debit announced"),
    "period_written_off": _w("periode kwijtgescholden", "period written off"),
    "grace_extended": _w("meer tijd gegeven", "more time given"),
    "dunning_stopped": _w("mails en pogingen gestopt", "mails and tries stopped"),
    "debit_asked_for": _w("nog een afschrijving gevraagd", "one more debit asked for"),
    "written_off": _w("afgeboekt", "written off"),
    "caught_up": _w("gemiste periodes ingehaald", "missed periods caught up"),
    "suspended": _w("uitstel voorbij, gestopt", "suspended, grace is over"),
    "cancel_asked": _w("opgezegd", "cancelled"),
    "cancel_undone": _w("opzegging ingetrokken", "cancellation undone"),
    "pause_asked": _w("pauze gevraagd", "pause asked for"),
    "pause_began": _w("pauze begonnen", "paused"),
    "pause_called_off": _w("pauze afgezegd", "pause called off"),
    "resumed": _w("weer verder", "resumed"),
    "switched": _w("overgestapt op een ander plan", "switched to another plan"),
    "switch_chosen": _w(
        "ander plan gekozen voor de volgende periode", "another plan chosen for the next period"
    ),
    "switch_undone": _w("blijft bij het huidige plan", "stays with the present plan"),
    "reactivated": _w("opnieuw begonnen", "reactivated"),
    "price_rise_decided": _w("prijsverhoging besloten", "price rise decided"),
    "price_rise_withdrawn": _w("prijsverhoging ingetrokken", "price rise withdrawn"),
    "price_rise_counts": _w("nieuwe prijs gaat in", "new price counts"),
    "upsold": _w("met één klik gekocht", "bought with one click"),
    "withdrawal_received": _w("herroeping binnengekomen", "withdrawal received"),
    "withdrawn": _w("herroeping uitgevoerd", "withdrawn"),
    "ended": _w("beëindigd", "ended"),
    "taken_over": _w("overgenomen van Mollie", "taken over from Mollie"),
    "imported": _w("overgenomen uit een export", "taken in from an export"),
    "mail_sent": _w("mail verstuurd", "mail sent"),
    # Access.
    "access_granted": _w("Kajabi gaf toegang", "Kajabi granted access"),
    "access_revoked": _w("Kajabi trok de toegang in", "Kajabi revoked access"),
    "access_opened_anew": _w(
        "opnieuw geopend na het sluiten van een ander aanbod", "opened anew after another offer closed"
    ),
    "gift_given": _w("cadeau gegeven", "gift given"),
    "gift_taken_back": _w("cadeau teruggenomen", "gift taken back"),
    "member_blocked": _w("geblokkeerd", "blocked"),
    "member_unblocked": _w("blokkade opgeheven", "unblocked"),
    "access_moved": _w("toegang verhuisd naar een ander adres", "access moved to another address"),
    "access_moved_here": _w("toegang hierheen verhuisd", "access moved here"),
    "member_changed": _w("aankoop geldt voor iemand anders", "purchase counts for somebody else"),
    "drift_found": _w("Kajabi toonde iets anders", "Kajabi showed something else"),
    "trouble_solved": _w("probleem opgelost", "trouble solved"),
}

REASONS: dict[str, Words] = {
    Source.GIFT: _w("een cadeau", "a gift"),
    Source.COMPLETED: _w("alle termijnen betaald", "all terms paid"),
    Source.PAID: _w("periode betaald", "period paid"),
    Source.TRIAL: _w("proefperiode", "trial"),
    Source.PAUSE: _w("pauze met toegang", "a pause that keeps access"),
    Source.DEBIT_RUNNING: _w("afschrijving loopt", "debit running"),
    Source.GRACE: _w("uitstel na een mislukte afschrijving", "grace after a failed debit"),
    Source.REVERSAL_GRACE: _w("uitstel na een terugboeking", "grace, money taken back"),
    Source.COLLECTION: _w("afschrijving wordt voorbereid", "debit being prepared"),
    Source.SIGNUP: _w("wacht op een machtiging", "waits for a mandate"),
    Source.SHARED: _w("een ander aanbod opent hetzelfde", "another offer opens the same"),
    Source.MOVING: _w("verhuist naar een ander adres", "moves to another address"),
    "not_covered": _w("niets dekt het", "nothing covers it"),
    "blocked": _w("geblokkeerd", "blocked"),
}

#: Who did it, by the role in the journal; what has a name says it instead.
_ACTORS: dict[str, Words] = {
    "buyer": _w("de koper", "the buyer"),
    "member": _w("de klant zelf", "the customer"),
    "owner": _w("de eigenaar", "the owner"),
    "api": _w("een programma", "a program"),
    "clock": _w("vanzelf", "by itself"),
    "worker": _w("LinkPay", "LinkPay"),
    "linkpay": _w("LinkPay", "LinkPay"),
    "mollie": _w("Mollie", "Mollie"),
    "kajabi": _w("Kajabi", "Kajabi"),
    "import": _w("bij de overname", "in the take-over"),
    "reconcile": _w("LinkPay, bij controle", "LinkPay, on checking"),
}
#: Who did it, where the journal knows a name.
_NAMED: dict[str, Words] = {
    "owner": _w("{} (jullie team)", "{} (your team)"),
    "api": _w("programma {}", "program {}"),
}
_NAMES_ITS_PAYMENT = frozenset({"payment_made", "payment"})
# Values that need no name before them.
_SPEAK_ALONE = frozenset({"plan", "mail", "reason", "outcome", "why", "sequence", "ref", "action", "trouble"})
_NAMES: dict[str, Words] = {
    "until": _w("tot", "until"),
    "to": _w("naar", "to"),
    "came_from": _w("van", "from"),
    "came_to": _w("werd", "came to"),
    "starts_on": _w("begint", "starts"),
    "ends_on": _w("eindigt", "ends"),
    "from_on": _w("vanaf", "from"),
    "offer_id": _w("aanbod", "offer"),
    "order": _w("bestelling", "order"),
}
_SAID = {
    "answer": _w("antwoord", "answer"),
    "already": _w("het was al zo", "it was so already"),
    "took": _w("ms nadat het moest", "ms after it was wanted"),
}


_DAY = re.compile(r"\d{4}-[01]\d-[0-3]\d")
#: Values that are words of machines, and what people call them.
_VALUES: dict[str, Words] = {
    "first": _w("eerste betaling", "first payment"),
    "recurring": _w("afschrijving", "recurring"),
    "oneoff": _w("losse betaling", "single payment"),
    "booked": _w("geboekt", "booked"),
    "nothing_new": _w("niets nieuws", "nothing new"),
    "ignored": _w("overgeslagen", "ignored"),
    "open": _w("open", "open"),
    "pending": _w("bij de bank", "pending"),
    "paid": _w("betaald", "paid"),
    "failed": _w("mislukt", "failed"),
    "canceled": _w("afgebroken", "canceled"),
    "expired": _w("verlopen", "expired"),
}


def event(kind: str, locale: str) -> str:
    """What a kind of event says."""
    return EVENTS[kind][locale] if kind in EVENTS else _spaced(kind)


def reason(code: str, locale: str) -> str:
    """Why access is given or not."""
    return REASONS[code][locale] if code in REASONS else _spaced(code)


def actor(who: str, locale: str) -> str:
    """Who did it: a role, or a name behind a role as in ``owner:eva``."""
    role, _, name = who.partition(":")
    if name and role in _NAMED:
        return _NAMED[role][locale].format(neutralise(name))
    said = _ACTORS[role][locale] if role in _ACTORS else role
    return f"{said} {neutralise(name)}" if name else said


def details(moment: Moment, locale: str) -> list[str]:
    """What else is known of a moment, in the order in which it helps."""
    data, shown = dict(moment.data), []
    if (amount := data.pop("amount_cents", None)) is not None:
        shown.append(money_text(Money(amount, moment.currency or "EUR"), locale))
    if moment.what in _NAMES_ITS_PAYMENT:
        data.pop("ref", None)
        shown.append(moment.payment or "")
    if (inbox := data.pop("inbox", None)) is not None:
        shown.append(f"inbox:{inbox}")
    if (status := data.pop("status", None)) is not None:
        shown.append(f"{_SAID['answer'][locale]} {status}")
    if data.pop("was_so_already", False):
        shown.append(_SAID["already"][locale])
    took = data.pop("milliseconds", None)
    shown += [_named(name, value, locale) for name, value in data.items() if value not in (None, "")]
    if took is not None:
        shown.append(f"{took} {_SAID['took'][locale]}")
    return [one for one in shown if one]


def _named(name: str, value: Any, locale: str) -> str:
    text = neutralise(_said(name, str(value), locale))
    if name in _SPEAK_ALONE:
        return _spaced(text) if name != "ref" else text
    return f"{_NAMES[name][locale] if name in _NAMES else _spaced(name)} {text}"


def _said(name: str, value: str, locale: str) -> str:
    if name == "reason":
        return reason(value, locale)
    if name == "mail":
        return mail_kinds.title(value, locale)
    if _DAY.fullmatch(value):
        return day_text(date.fromisoformat(value), locale)
    # What a payment came to may have the bank's code behind it.
    known, _, code = value.partition(" ")
    return " ".join(filter(None, (_VALUES[known][locale], code))) if known in _VALUES else value


def _spaced(code: str) -> str:
    return code if code.startswith("tr_") or "@" in code else code.replace("_", " ")
