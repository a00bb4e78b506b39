"""What a member's tags at Kajabi say, so that automations there can follow the money."""

from collections.abc import Iterable
from enum import StrEnum

from linkpay.domain.subscription import SubscriptionState


class Tag(StrEnum):
    """active: a subscription runs. payment_failed: she owes. cancelled: it stops, or has stopped."""

    ACTIVE = "active"
    PAYMENT_FAILED = "payment_failed"
    CANCELLED = "cancelled"


_S = SubscriptionState
_FINE = frozenset({_S.TRIALING, _S.ACTIVE, _S.PAUSED, _S.COMPLETED})
_OWES = frozenset({_S.PAST_DUE, _S.SUSPENDED})


def tags_of(states: Iterable[SubscriptionState]) -> frozenset[Tag]:
    """The tags of somebody with subscriptions in these states; sign-ups that never started are left out.

    Who keeps anything is not cancelled: the tag is for people to be won back.
    """
    present = set(states)
    found = set()
    if present & _OWES:
        found.add(Tag.PAYMENT_FAILED)
    if present & (_FINE | {_S.CANCELING}):
        found.add(Tag.ACTIVE)
    if present and not present & (_FINE | _OWES):
        found.add(Tag.CANCELLED)
    return frozenset(found)
