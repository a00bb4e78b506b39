"""Why something cannot be done, said to the member: one sentence for every code that a rule refuses by."""

from linkpay.errors import InputError
from linkpay.web.i18n import gettext as _


def refusal_words(problem: InputError) -> str:
    """The sentence for a refusal; a general one for a code that has none of its own."""
    said = (_changing() | _switching() | _person()).get(str(problem.code))
    return said or _("This cannot be done now. Ask the seller.")


def _changing() -> dict[str, str]:
    return {
        "nothing_runs": _("There is nothing running here that could be changed."),
        "instalments_are_owed": _(
            "You pay one price in parts here, and it is owed whole. Ask the seller if that is a problem."
        ),
        "not_at_once": _("It cannot end at once; cancel it for the end of what is paid."),
        "bound": _("The agreed minimum term is not over by then. Choose its end or a later day."),
        "no_date": _("Fill in a day, for example 31-12-2026."),
        "date_past": _("Choose a day after today."),
        "already_over": _("It has ended already. You can begin again."),
        "already_refunded": _("Days that you do not use were paid back already, so this cannot be undone."),
        "past_due": _("An amount is open. Pay it first."),
        "canceled": _("You cancelled. Take that back first."),
        "nothing_to_charge": _("Nothing more will be collected, so there is nothing to pause."),
        "withdrawal_late": _("The days to withdraw from this order are over. You can still cancel."),
        "pause_not_offered": _("Pausing is not possible here. Ask the seller."),
        "pause_too_short": _("A pause begins when what you paid for is over. Choose a later day."),
        "pause_too_long": _("So long a pause is not possible here. Choose an earlier day."),
    }


def _switching() -> dict[str, str]:
    return {
        "not_a_membership": _("Only a membership can go over to another plan."),
        "paused": _("It is paused. Go on first."),
        "debit_running": _(
            "A collection is under way. Wait until it is done, or switch with the next period."
        ),
        "same_plan": _("This is the plan that you have."),
        "plan_archived": _("This plan is not offered any more. Choose another one."),
        "other_offer": _("This plan belongs to something else; order it there."),
        "other_currency": _("This plan is in another currency. Cancel, and order it anew."),
        "no_mandate": _("There is no account or card to collect from. Set a new one first."),
        "no_other_plan": _("There is no other plan here."),
        "nothing_chosen": _("No other plan was chosen."),
        "consent_missing": _("Tick the box to allow the collections that follow."),
    }


def _person() -> dict[str, str]:
    return {
        "nothing_collected": _("Nothing is collected for this any more."),
        "amount_open": _("An amount is open. Pay it: that sets your new account or card as well."),
        "method_unknown": _("Choose one of these ways of paying."),
        "same_email": _("This is the address that you have."),
        "payer_exists": _("Somebody pays under this address here already. Ask the seller."),
        "member_blocked": _("This address cannot be used here. Ask the seller."),
        "still_running": _("Something is still running. Cancel it first, and wait until it has ended."),
        "money_open": _("An amount is still open. Pay it first, or ask the seller."),
        "paid_by_other": _("Somebody else pays for your access. Ask her to cancel it first."),
    }
