"""What each kind of mail is called, and when it goes out, as owners read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from linkpay.services.texts import kinds

Words = Mapping[str, str]


def _w(nl: str, en: str) -> Words:
    return {"nl": nl, "en": en}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mail in words; `group` is a heading."""

    kind: str
    group: str
    title: str


_GROUPS = {
    "buying": _w("Kopen", "Buying"),
    "access": _w("Toegang", "Access"),
    "fails": _w("Als een betaling mislukt", "When a payment fails"),
    "changes": _w("Opzeggen, pauze en wisselen", "Stopping, pausing and switching"),
    "account": _w("Het portaal van leden", "The members' portal"),
    "other": _w("Overige", "Others"),
}
_KINDS: dict[str, tuple[str, Words]] = {
    "welcome": ("buying", _w("Welkom, na de eerste betaling", "Welcome, after the first payment")),
    "mandate_wanted": ("buying", _w("Vraag om een machtiging, na een aankoop in Kajabi",
                                    "Request for a mandate, after a purchase in Kajabi")),
    "signup_over": ("buying", _w("Er kwam geen machtiging", "No mandate was made")),
    "already_running": ("buying", _w("Het loopt al", "It runs already")),
    "trial_used": ("buying", _w("De proefperiode is al gebruikt", "The trial was used before")),
    "cannot_order": ("buying", _w("Bestellen kan niet", "An order is not possible")),
    "upsell_link": ("buying", _w("Link voor iets erbij", "Link for something more")),
    "upsell_agreed": ("buying", _w("Iets erbij gekocht", "Something more was bought")),
    "debit_notice": ("buying", _w("Aankondiging van een afschrijving", "Notice of a debit")),
    "paid_twice": ("buying", _w("Dubbel betaald, gaat terug", "Paid twice, goes back")),
    "access_open": ("access", _w("De toegang is open", "Access is open")),
    "access_ended": ("access", _w("De toegang is gestopt", "Access has ended")),
    "access_back": ("access", _w("De toegang is terug", "Access is back")),
    "gift_open": ("access", _w("Cadeau gekregen", "A gift began")),
    "gift_over": ("access", _w("Cadeau voorbij", "A gift is over")),
    "payment_failed": ("fails", _w("Een betaling is mislukt", "A payment failed")),
    "payment_taken_back": ("fails", _w("Een betaling is teruggeboekt", "A payment was taken back")),
    "mandate_needed": ("fails", _w("Nieuwe rekening of kaart nodig", "A new account or card is needed")),
    "mandate_renewed": ("fails", _w("Nieuwe rekening of kaart staat", "The new account or card is set")),
    "renewal_failed": ("fails", _w("Nieuwe rekening of kaart lukte niet", "The new account or card failed")),
    "pay_link": ("fails", _w("Betaallink, door jou gestuurd", "Pay link, sent by you")),
    "renewal_link": ("fails", _w("Link voor een nieuwe rekening of kaart, door jou gestuurd",
                                 "Link for a new account or card, sent by you")),
    "caught_up": ("fails", _w("Gemiste periodes", "Missed periods")),
    "refunded": ("fails", _w("Terugbetaald", "Refunded")),
    "cancel_confirmed": ("changes", _w("Opzegging bevestigd", "Cancellation confirmed")),
    "cancel_undone": ("changes", _w("Opzegging ingetrokken", "Cancellation undone")),
    "pause_confirmed": ("changes", _w("Pauze bevestigd", "Pause confirmed")),
    "resumed": ("changes", _w("Weer verder na een pauze", "Going on after a pause")),
    "switched": ("changes", _w("Overgestapt op een ander plan", "Switched to another plan")),
    "reactivated": ("changes", _w("Opnieuw begonnen", "Begun again")),
    "price_change": ("changes", _w("Een andere prijs", "Another price")),
    "price_stays": ("changes", _w("De prijs blijft zoals hij was", "The price stays as it was")),
    "withdrawal_received": ("changes", _w("Herroeping ontvangen", "Withdrawal received")),
    "withdrawal_done": ("changes", _w("Herroeping afgehandeld", "Withdrawal done")),
    "sign_in": ("account", _w("Link om in te loggen", "Link to sign in")),
    "email_change": ("account", _w("Nieuw e-mailadres bevestigen", "Confirm a new e-mail address")),
    "email_changed": ("account", _w("E-mailadres is gewijzigd", "E-mail address changed")),
    "forgotten": ("account", _w("Gegevens zijn gewist", "Data was removed")),
}  # fmt: skip


def title(kind: str, locale: str) -> str:
    """What a kind of mail is called; one that is too new for words is shown as its own name."""
    known = _KINDS.get(kind)
    return known[1][_language(locale)] if known else kind.replace("_", " ").capitalize()


def in_order(locale: str) -> list[Kind]:
    """Every kind of mail under its heading, in the order in which a member meets them."""
    there = set(kinds())
    ordered = [kind for kind in _KINDS if kind in there] + sorted(there - _KINDS.keys())
    ordered.sort(key=lambda kind: list(_GROUPS).index(_group(kind)))
    return [Kind(kind, _GROUPS[_group(kind)][_language(locale)], title(kind, locale)) for kind in ordered]


def _group(kind: str) -> str:
    return _KINDS[kind][0] if kind in _KINDS else "other"


def _language(locale: str) -> str:
    return locale if locale in ("nl", "en") else "nl"
