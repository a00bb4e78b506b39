"""What the check of what must always be true found, in words. The keys are `domain.invariants.Broken`."""

from linkpay.domain.invariants import Broken

FINDINGS: dict[str, dict[str, str]] = {
    Broken.KEPT_TOO_MUCH.value: {
        "nl": "Van {email} is {lost} te veel binnen, en dat gaat niet vanzelf terug.",
        "en": "{lost} too much came in from {email}, and it is not on its way back by itself.",
    },
    Broken.SUMS_DIFFER.value: {
        "nl": "De bedragen op een termijn van {email} zijn niet die van het grootboek. {in_english}",
        "en": "The sums on a charge of {email} are not those of the ledger: {detail}",
    },
    Broken.UNEXPLAINED_LOSS.value: {
        "nl": "Van {email} ging {lost} meer uit dan er binnenkwam, zonder dat een bank iets terugnam.",
        "en": "{lost} more went out than came in from {email}, though no bank took anything back.",
    },
    Broken.ACCESS_WRONG.value: {
        "nl": "De toegang van {email} tot {offer} klopt niet met het geld. {in_english}",
        "en": "The access of {email} to {offer} does not follow the money: {detail}",
    },
    Broken.ACCESS_LATE.value: {
        "nl": "{offer} had voor {email} allang {opened_or_closed} moeten zijn bij Kajabi. {in_english}",
        "en": "{offer} should long have been {opened_or_closed} for {email} at Kajabi. {detail}",
    },
    Broken.UNSEEN.value: {
        "nl": "Iets staat stil zonder dat het iemand gezegd is ({work}). {in_english}",
        "en": "Something stands still and nobody was told ({work}): {detail}",
    },
    Broken.OVERDUE.value: {
        "nl": "Werk blijft liggen: {number} dingen hadden al meer dan tien minuten klaar moeten zijn.",
        "en": "Work is left undone: {number} things should have been done over ten minutes ago.",
    },
    Broken.NO_MANDATE.value: {
        "nl": "Betaling {payment} is afgeschreven zonder geldige machtiging. {in_english}",
        "en": "Payment {payment} was collected without a valid mandate. {detail}",
    },
    Broken.NO_CONSENT.value: {
        "nl": "Betaling {payment} is afgeschreven zonder bewaarde toestemming. {in_english}",
        "en": "Payment {payment} was collected without a consent that is kept. {detail}",
    },
    Broken.NOT_TOLD.value: {
        "nl": "Betaling {payment} is afgeschreven zonder aankondiging. {in_english}",
        "en": "Payment {payment} was collected without being announced. {detail}",
    },
    Broken.AFTER_END.value: {
        "nl": "Betaling {payment} is afgeschreven na het einde. {in_english}",
        "en": "Payment {payment} was collected after the end. {detail}",
    },
}
