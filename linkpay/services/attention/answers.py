"""What a person can answer to a trouble, in words, and what a kind of trouble is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Words = Mapping[str, str]


class Action(StrEnum):
    """What a person can press."""

    REPLAY = "replay"
    RETRY = "retry"
    USE_EXTERNAL_ID = "use_external_id"
    REFUND = "refund"
    PAID_OUTSIDE = "paid_outside"
    WRITE_OFF = "write_off"
    AGREE = "agree"
    REPAIR = "repair"
    LOOK_AGAIN = "look_again"
    CHECK_KEY = "check_key"
    WITHDRAW = "withdraw"
    DISMISS = "dismiss"


LABELS: dict[Action, Words] = {
    Action.REPLAY: {"nl": "Opnieuw verwerken", "en": "Handle it again"},
    Action.RETRY: {"nl": "Opnieuw proberen", "en": "Try again"},
    Action.USE_EXTERNAL_ID: {"nl": "Gebruik dit externe id", "en": "Use this external id"},
    Action.REFUND: {"nl": "Terugbetalen", "en": "Refund"},
    Action.PAID_OUTSIDE: {"nl": "Buiten Mollie betaald", "en": "Paid outside of Mollie"},
    Action.WRITE_OFF: {"nl": "Afboeken en stoppen", "en": "Write off and stop"},
    Action.AGREE: {"nl": "Akkoord, zo laten", "en": "Agree and leave it so"},
    Action.REPAIR: {"nl": "Zet alles recht bij Kajabi", "en": "Put all of it right at Kajabi"},
    Action.LOOK_AGAIN: {"nl": "Opnieuw bij Mollie kijken", "en": "Look at Mollie again"},
    Action.CHECK_KEY: {"nl": "Controleer de sleutel opnieuw", "en": "Check the key again"},
    Action.WITHDRAW: {"nl": "Voer de herroeping uit", "en": "Carry the withdrawal out"},
    Action.DISMISS: {"nl": "Ik heb het zelf opgelost", "en": "I have solved it myself"},
}
#: What a person must say along with an action.
ASKS: dict[Action, tuple[str, ...]] = {
    Action.USE_EXTERNAL_ID: ("external_id",),
    Action.PAID_OUTSIDE: ("reason",),
    Action.DISMISS: ("reason",),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Words by language, and the answers in the order in which they help."""

    happened: Words
    done: Words
    actions: tuple[Action, ...]
