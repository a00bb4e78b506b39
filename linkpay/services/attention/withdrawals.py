"""Troubles with withdrawing from a contract."""

from linkpay.services.attention.answers import Action, Kind

_WAITS = {
    "nl": "De verklaring is bewaard en telt vanaf het moment van binnenkomst. Er is verder niets gedaan.",
    "en": "The declaration is kept and counts from when it came in. Nothing else was done.",
}

WITHDRAWALS: dict[str, Kind] = {
    "withdrawal": Kind(
        {
            "nl": "{email} herroept een aankoop ({reference}) die onder dit adres niet te vinden is.",
            "en": "{email} withdraws from a purchase ({reference}) that cannot be found under this address.",
        },
        _WAITS,
        (Action.DISMISS,),
    ),
    "withdrawal.unproven": Kind(
        {
            "nl": "Iemand herriep namens {email} een aankoop ({reference}), maar bevestigde dat niet.",
            "en": "Somebody withdrew in the name of {email} ({reference}), and never confirmed it.",
        },
        {
            "nl": "Er is nog niets gestopt. Vraag na of het klopt; de verklaring telt vanaf binnenkomst.",
            "en": "Nothing was stopped yet. Ask whether it is true; it counts from when it came in.",
        },
        (Action.WITHDRAW, Action.DISMISS),
    ),
    "withdrawal.by_hand": Kind(
        {
            "nl": "{email} herriep een aankoop die voor {lost} buiten Mollie om is betaald.",
            "en": "{email} withdrew from a purchase of which {lost} was paid past Mollie.",
        },
        {
            "nl": "Wat via Mollie kwam, gaat vanzelf terug. Maak dit bedrag zelf over, binnen 14 dagen.",
            "en": "What came by Mollie goes back by itself. This amount you have to send, within 14 days.",
        },
        (Action.DISMISS,),
    ),
}
