"""Every kind of trouble that needs a person: what happened, what was done already, what solves it.

Words may speak of what `facts.of` knows about an item and of the item's own data; a fact that is not
known reads as a dash. A kind may be refined by what its data calls ``problem``.
"""

from linkpay.services.attention.answers import Action, Kind
from linkpay.services.attention.findings import FINDINGS
from linkpay.services.attention.withdrawals import WITHDRAWALS

_BOOKED = {
    "nl": "Het geld is geboekt zoals altijd; verder is er niets gedaan.",
    "en": "The money is booked as ever; nothing else was done.",
}
_SET_ASIDE = {
    "nl": "LinkPay heeft het apart gezet en probeert het niet vanzelf opnieuw.",
    "en": "LinkPay set it aside and does not try it again by itself.",
}
_TRIES_NO_MORE = {
    "nl": "Geld en afspraken zijn onveranderd. LinkPay probeert dit niet vanzelf opnieuw.",
    "en": "Money and agreements are unchanged. LinkPay does not try this again by itself.",
}
_A = Action
_RETRY = (_A.RETRY, _A.DISMISS)

KINDS: dict[str, Kind] = {
    "access": Kind(
        {
            "nl": "{offer} kon voor {email} niet {opened_or_closed} worden bij Kajabi. {in_english}",
            "en": "{offer} could not be {opened_or_closed} for {email} at Kajabi: {detail}",
        },
        _TRIES_NO_MORE,
        _RETRY,
    ),
    "access.identity": Kind(
        {
            "nl": "Kajabi kent {email} met een ander extern id; {offer} kon niet {opened_or_closed} worden.",
            "en": "Kajabi knows {email} by another external id, so {offer} could not be {opened_or_closed}.",
        },
        {
            "nl": "Geprobeerd: {external_id}, het e-mailadres en de MD5 daarvan. Zoek het juiste id op bij"
            " Kajabi (het contact, External user id).",
            "en": "Tried: {external_id}, the e-mail address and the MD5 of it. Look the right id up at Kajabi"
            " (the contact, External user id).",
        },
        (_A.USE_EXTERNAL_ID, _A.RETRY, _A.DISMISS),
    ),
    "access.address": Kind(
        {
            "nl": "Kajabi kent het adres van {offer} niet meer, dus {email} kon niet {let_in_or_out} worden.",
            "en": "Kajabi knows the address of {offer} no more, so {email} could not be {let_in_or_out}.",
        },
        {
            "nl": "LinkPay probeert dit niet vanzelf opnieuw. Kopieer beide adressen van het aanbod opnieuw.",
            "en": "LinkPay does not try this again by itself. Copy both addresses of the offer again.",
        },
        _RETRY,
    ),
    "parked": Kind(
        {
            "nl": "Een stuk werk ({work}) kan niet verder. {in_english}",
            "en": "A piece of work ({work}) cannot go on: {detail}",
        },
        _SET_ASIDE,
        (_A.REPLAY, _A.DISMISS),
    ),
    "kajabi_message": Kind(
        {
            "nl": "Een bericht van Kajabi is niet te begrijpen. {in_english}",
            "en": "A message from Kajabi cannot be understood: {detail}",
        },
        _SET_ASIDE,
        (_A.REPLAY, _A.DISMISS),
    ),
    "kajabi_message.unmapped": Kind(
        {
            "nl": "Kajabi meldt een aankoop van aanbod {kajabi_offer}, dat hier niet verkocht wordt.",
            "en": "Kajabi tells of a purchase of offer {kajabi_offer}, which is not sold here.",
        },
        {
            "nl": "Het bericht is bewaard. Voeg het aanbod toe aan je instellingen en verwerk het opnieuw.",
            "en": "The message is kept. Add the offer to your settings, then handle it again.",
        },
        (_A.REPLAY, _A.DISMISS),
    ),
    "mollie_key": Kind(
        {
            "nl": "Mollie accepteert de sleutel van {site} niet meer.",
            "en": "Mollie refuses the key of {site}.",
        },
        {
            "nl": "Er wordt niets afgeschreven. Alles wat moet gebeuren wacht en gaat vanzelf verder.",
            "en": "Nothing is charged. All that is to be done waits, and goes on by itself.",
        },
        (_A.CHECK_KEY,),
    ),
    "checkout": Kind(
        {
            "nl": "Een koper kon niet betalen: Mollie weigerde de betaling. {in_english}",
            "en": "A buyer could not pay: Mollie refused the payment. {detail}",
        },
        {
            "nl": "Er is niets afgeschreven. Controleer de sleutel, methoden en limieten bij Mollie.",
            "en": "Nothing was charged. Check the key, the methods and the limits at Mollie.",
        },
        (_A.CHECK_KEY, _A.DISMISS),
    ),
    "mismatch": Kind(
        {
            "nl": "Betaling {payment} bij Mollie is niet wat gevraagd was. {in_english}",
            "en": "Payment {payment} at Mollie is not what was asked for. {detail}",
        },
        {"nl": "Er is niets geboekt.", "en": "Nothing was booked."},
        (_A.LOOK_AGAIN, _A.DISMISS),
    ),
    "unknown_payment": Kind(
        {
            "nl": "Bij Mollie staat betaling {payment} van {lost} ({made_on}, {status}) die LinkPay maakte en"
            " niet meer kent: {description}",
            "en": "Mollie has payment {payment} of {lost} ({made_on}, {status}) that LinkPay made and does"
            " not know any more: {description}",
        },
        {
            "nl": "Er is niets geboekt. Betaal het terug bij Mollie, of geef de koper met de hand toegang.",
            "en": "Nothing was booked. Refund it at Mollie, or give the buyer access by hand.",
        },
        (_A.DISMISS,),
    ),
    "takeover": Kind(
        {
            "nl": "Een abonnement dat bij Mollie loopt is niet overgenomen. {in_english}",
            "en": "A subscription that runs at Mollie was not taken over. {detail}",
        },
        {
            "nl": "Het is gelaten zoals het bij Mollie staat; LinkPay schrijft er niets voor af.",
            "en": "It was left as it is at Mollie; LinkPay collects nothing for it.",
        },
        (_A.DISMISS,),
    ),
    "late_paid": Kind(
        {
            "nl": "{email} betaalde {amount} voor een abonnement dat al gestopt was.",
            "en": "{email} paid {amount} for a subscription that had ended.",
        },
        _BOOKED,
        (_A.REFUND, _A.AGREE),
    ),
    "late_paid.anew": Kind(
        {
            "nl": "{email} betaalde {amount} voor dagen die daarna al opnieuw betaald waren.",
            "en": "{email} paid {amount} for days that had been paid anew.",
        },
        _BOOKED,
        (_A.REFUND, _A.AGREE),
    ),
    "loss": Kind(
        {
            "nl": "Van {email} ging er meer terug dan er binnenkwam: {lost} is weg.",
            "en": "More went back to {email} than came in: {lost} is lost.",
        },
        {
            "nl": "Alles staat in het grootboek. Vraag het bedrag terug, of neem het verlies.",
            "en": "All of it is in the ledger. Ask for the amount, or take the loss.",
        },
        (_A.PAID_OUTSIDE, _A.WRITE_OFF, _A.AGREE),
    ),
    "refund": Kind(
        {
            "nl": "De terugbetaling van {amount} aan {email} is niet gelukt. {in_english}",
            "en": "The refund of {amount} to {email} did not work: {detail}",
        },
        {
            "nl": "Het geld staat nog bij Mollie en in het grootboek.",
            "en": "The money is still at Mollie and in the ledger.",
        },
        (_A.RETRY, _A.DISMISS),
    ),
    "refund.by_hand": Kind(
        {
            "nl": "Van wat {email} buiten Mollie om betaalde, gaat {lost} terug.",
            "en": "Of what {email} paid past Mollie, {lost} goes back.",
        },
        {
            "nl": "Wat via Mollie kwam, gaat vanzelf terug. Maak dit bedrag zelf over.",
            "en": "What came by Mollie goes back by itself. This amount you have to send.",
        },
        (_A.DISMISS,),
    ),
    "mail_text": Kind(
        {
            "nl": "Jouw eigen tekst voor de mail {mail} ({locale}) kon niet gebruikt worden. {in_english}",
            "en": "Your own text for the mail {mail} ({locale}) could not be used. {detail}",
        },
        {
            "nl": "De mail is verstuurd met de tekst van LinkPay. Verbeter je tekst, of zet hem terug.",
            "en": "The mail was sent in LinkPay's words. Mend your text, or go back to ours.",
        },
        (_A.DISMISS,),
    ),
    "mail_server": Kind(
        {
            "nl": "De mailserver laat LinkPay niet binnen. {in_english}",
            "en": "The mail server does not let LinkPay in: {detail}",
        },
        {
            "nl": "Mails wachten en gaan vanzelf weg zodra het kan. Geld en toegang gaan door; alleen een"
            " afschrijving die eerst aangekondigd moet worden wacht op die mail.",
            "en": "Mails wait, and leave by themselves once they can. Money and access go on; only a debit"
            " that has to be told of first waits for its mail.",
        },
        (_A.DISMISS,),
    ),
    "drift": Kind(
        {
            "nl": "Kajabi toont iets anders dan LinkPay er deed: {email} en {offer}. {in_english}",
            "en": "Kajabi shows something else than LinkPay did there: {email} and {offer}. {detail}",
        },
        {
            "nl": "LinkPay deed het één keer opnieuw, zonder verschil.",
            "en": "LinkPay did it once more, without a difference.",
        },
        _RETRY,
    ),
    "drift_report": Kind(
        {
            "nl": "De lijst van Kajabi met wie {offer} heeft, klopt niet met wie het hoort te hebben:"
            " {differences} keer verschil.",
            "en": "Kajabi's list of who has {offer} differs from who should have it: {differences} times.",
        },
        {
            "nl": "Er is niets veranderd. Wie het zijn: python -m linkpay drift.",
            "en": "Nothing was changed. Who they are: python -m linkpay drift.",
        },
        (_A.REPAIR, _A.AGREE),
    ),
    "kajabi_key": Kind(
        {
            "nl": "Kajabi accepteert de API-sleutel van {site} niet.",
            "en": "Kajabi refuses the API key of {site}.",
        },
        {
            "nl": "Toegang geven en intrekken gaat gewoon door; teruglezen, controle en tags wachten.",
            "en": "Access is given and taken as ever; reading back, the nightly check and tags wait.",
        },
        (_A.CHECK_KEY, _A.DISMISS),
    ),
    "kajabi_tags": Kind(
        {
            "nl": "Kajabi heeft geen tag met de naam {tag}.",
            "en": "Kajabi has no tag of the name {tag}.",
        },
        {
            "nl": "Maak de tag aan bij Kajabi; LinkPay kan dat niet. De andere tags worden gewoon gezet.",
            "en": "Make the tag at Kajabi; LinkPay cannot. The other tags are set as ever.",
        },
        _RETRY,
    ),
    **WITHDRAWALS,
}  # fmt: skip

_FOUND = {
    "nl": "Dit hoort niet te kunnen. Er is niets veranderd; het verdwijnt vanzelf zodra het weer klopt.",
    "en": "This should not be possible. Nothing was changed; it goes away by itself once it is right again.",
}
KINDS |= {kind: Kind(words, _FOUND, (_A.DISMISS,)) for kind, words in FINDINGS.items()}

#: For a kind that nobody has found words for: its own English sentence is better than nothing.
UNKNOWN = Kind({"nl": "{in_english}", "en": "{detail}"}, _SET_ASIDE, (_A.DISMISS,))


def kind_of(kind: str, problem: str | None) -> Kind:
    """The kind, refined by its problem where there are words for that."""
    return KINDS.get(f"{kind}.{problem}") or KINDS.get(kind, UNKNOWN)
