"""The life of a customer on a plan: one table, every pair decided."""

from enum import StrEnum


class SubscriptionState(StrEnum):
    """pending: not paid yet. suspended: grace over, access gone, may come back by paying."""

    PENDING = "pending"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    CANCELING = "canceling"
    COMPLETED = "completed"
    ENDED = "ended"


class SubscriptionEvent(StrEnum):
    """What can happen to a subscription."""

    FIRST_PAID = "first_paid"
    TRIAL_STARTED = "trial_started"
    CHARGE_PAID = "charge_paid"
    LAST_TERM_PAID = "last_term_paid"
    CHARGE_FAILED = "charge_failed"
    MONEY_TAKEN_BACK = "money_taken_back"
    MONEY_REFUNDED = "money_refunded"
    GRACE_OVER = "grace_over"
    GRACE_GIVEN = "grace_given"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_UNDONE = "cancel_undone"
    CANCEL_DATE_REACHED = "cancel_date_reached"
    PAUSE_BEGAN = "pause_began"
    RESUMED = "resumed"
    DEBT_CLEARED = "debt_cleared"
    REACTIVATED = "reactivated"
    SIGNUP_EXPIRED = "signup_expired"
    STOPPED = "stopped"


S, E = SubscriptionState, SubscriptionEvent

#: States that can be charged again one day.
LIVE = frozenset({S.TRIALING, S.ACTIVE, S.PAST_DUE, S.SUSPENDED, S.PAUSED, S.CANCELING})
#: States after which nothing is ever charged.
OVER = frozenset({S.COMPLETED, S.ENDED})

# One row per state: what each event makes of it. An event not named in a row changes nothing there
# and is still booked (a late `paid` never revives what was canceled or ended).
_MOVES: dict[SubscriptionState, dict[SubscriptionEvent, SubscriptionState]] = {
    S.PENDING: {
        E.FIRST_PAID: S.ACTIVE,
        E.TRIAL_STARTED: S.TRIALING,
        E.LAST_TERM_PAID: S.COMPLETED,
        E.CANCEL_ASKED: S.ENDED,
        E.SIGNUP_EXPIRED: S.ENDED,
        E.STOPPED: S.ENDED,
    },
    S.TRIALING: {
        E.CHARGE_PAID: S.ACTIVE,
        E.LAST_TERM_PAID: S.COMPLETED,
        E.CHARGE_FAILED: S.PAST_DUE,
        E.MONEY_TAKEN_BACK: S.PAST_DUE,
        E.CANCEL_ASKED: S.CANCELING,
        E.PAUSE_BEGAN: S.PAUSED,
        E.STOPPED: S.ENDED,
    },
    S.ACTIVE: {
        E.LAST_TERM_PAID: S.COMPLETED,
        E.CHARGE_FAILED: S.PAST_DUE,
        E.MONEY_TAKEN_BACK: S.PAST_DUE,
        E.CANCEL_ASKED: S.CANCELING,
        E.PAUSE_BEGAN: S.PAUSED,
        E.STOPPED: S.ENDED,
    },
    S.PAST_DUE: {
        E.CHARGE_PAID: S.ACTIVE,
        E.DEBT_CLEARED: S.ACTIVE,
        E.LAST_TERM_PAID: S.COMPLETED,
        E.GRACE_OVER: S.SUSPENDED,
        E.CANCEL_ASKED: S.CANCELING,
        E.STOPPED: S.ENDED,
    },
    S.SUSPENDED: {
        E.CHARGE_PAID: S.ACTIVE,
        E.DEBT_CLEARED: S.ACTIVE,
        E.GRACE_GIVEN: S.PAST_DUE,
        E.LAST_TERM_PAID: S.COMPLETED,
        E.CANCEL_ASKED: S.ENDED,
        E.STOPPED: S.ENDED,
    },
    S.PAUSED: {
        E.RESUMED: S.ACTIVE,
        E.LAST_TERM_PAID: S.COMPLETED,
        E.CHARGE_FAILED: S.PAST_DUE,
        E.MONEY_TAKEN_BACK: S.PAST_DUE,
        E.CANCEL_ASKED: S.CANCELING,
        E.STOPPED: S.ENDED,
    },
    S.CANCELING: {
        E.LAST_TERM_PAID: S.COMPLETED,
        E.CANCEL_UNDONE: S.ACTIVE,
        E.CANCEL_DATE_REACHED: S.ENDED,
        E.STOPPED: S.ENDED,
    },
    # What was paid whole and then bounced or was taken back is owed again, and so it is asked for again.
    S.COMPLETED: {
        E.CHARGE_FAILED: S.PAST_DUE,
        E.MONEY_TAKEN_BACK: S.PAST_DUE,
        E.STOPPED: S.ENDED,
    },
    # FIRST_PAID only comes to a sign-up that ended before it started: the buyer paid after all.
    # REACTIVATED is a member who asks for it, never money that comes late.
    S.ENDED: {E.FIRST_PAID: S.ACTIVE, E.TRIAL_STARTED: S.TRIALING, E.REACTIVATED: S.ACTIVE},
}


def move(state: SubscriptionState, event: SubscriptionEvent) -> SubscriptionState:
    """The state after `event`; the same state where the event changes nothing."""
    return _MOVES[state].get(event, state)
