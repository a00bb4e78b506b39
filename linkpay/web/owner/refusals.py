"""Why something cannot be done for a member, said to who manages the site."""

from linkpay.errors import InputError
from linkpay.web.i18n import gettext as _


def refusal_words(problem: InputError) -> str:
    """The sentence for a refusal; a general one for a code that has none of its own."""
    said = _running() | _money() | _person()
    return said.get(str(problem.code)) or _("This cannot be done as things stand.")


def _running() -> dict[str, str]:
    return {
        "nothing_runs": _("Nothing runs here that could be changed."),
        "no_date": _("Fill in a day."),
        "date_past": _("Choose a day after today."),
        "already_over": _("It has ended already. Let it run again instead."),
        "already_refunded": _("Days that stay unused were paid back already; let it run again instead."),
        "past_due": _("An amount is open. It has to be paid or written off first."),
        "canceled": _("It is cancelled. Take that back first."),
        "paused": _("It is paused. Let it go on first."),
        "nothing_to_charge": _("Nothing more will be collected, so there is nothing to pause."),
        "pause_too_short": _("A pause begins when what is paid is over. Choose a later day."),
        "not_a_membership": _("This can be done with a membership only."),
        "debit_running": _("A debit is under way. Wait until it is done, or choose the next period."),
        "same_plan": _("This is the present plan."),
        "plan_archived": _("This plan is not offered any more. Choose another one."),
        "plan_unknown": _("Choose one of the plans."),
        "other_currency": _("This plan is in another currency."),
        "no_mandate": _("There is no account or card that may be collected from. Send a link for a new one."),
        "already_running": _("It runs already, or another purchase of the same does."),
        "nothing_to_reactivate": _("Nothing is there that could run again."),
        "blocked": _("This member is blocked. Lift the block first."),
        "withdrawn": _("It was withdrawn from, so it cannot run again; it has to be bought anew."),
    }


def _money() -> dict[str, str]:
    return {
        "refund_too_much": _("That is more than was kept of it, less what is on its way back."),
        "refund_amount": _("Fill in an amount of at least one cent, such as 12.50."),
        "refund_reversible": _(
            "The bank may still reverse this debit, and then the member would get the money twice. Tick the "
            "box to send it all the same."
        ),
        "outside_amount": _("Fill in an amount, at most what is owed, such as 12.50."),
        "nothing_owed": _("Nothing is owed for this."),
        "not_failing": _("No failed payment of this is being asked for."),
        "grace_too_long": _("Give at most a year."),
        "grace_not_longer": _("Choose a later day: that much time is given already."),
        "retry_not_by_debit": _(
            "It may not be debited again: the reason of the failure forbids it. Send a link."
        ),
        "retry_too_dear": _("One more failed debit would cost more than your policy allows for one charge."),
        "retry_grace_over": _("The grace is over. Give more time first."),
        "retry_being_paid": _("A payment of it is under way. Wait for what comes of it."),
        "being_paid": _("A payment of it is under way. Wait for what comes of it."),
        "retry_no_mandate": _(
            "There is no account or card that may be collected from. Send a link for a new one."
        ),
        "amount_open": _(
            "An amount is open. Paying it gives the new account or card as well: send its link."
        ),
        "nothing_collected": _("Nothing is collected for this any more."),
        "price_leaving": _("It is cancelled already."),
        "price_stopped": _("Nothing is collected as things stand."),
        "price_switching": _("A change to another plan is on its way."),
        "price_same_price": _("This is the price already."),
        "price_news_on_its_way": _("Another new price is on its way."),
        "price_nothing_to_come": _("Nothing more will be collected."),
        "price_counts": _("The new price counts already."),
        "nobody_meant": _("Nobody fits that."),
    }


def _person() -> dict[str, str]:
    return {
        "gift_until_past": _("A gift ends on a day to come; leave it empty for ever."),
        "offer_unknown": _("Choose one of the offers."),
        "gift_unknown": _("There is no gift of this offer."),
        "member_blocked": _("A blocked member is in the way. Lift the block first."),
        "email_invalid": _("Check the e-mail address."),
        "same_email": _("The access is under this address already."),
        "moved_already": _("The access moved elsewhere meanwhile; move it from there."),
        "payer_exists": _("Somebody pays under this address already. Move the access alone."),
        "nobody_meant": _("Nobody fits that filter."),
        "act_unknown": _("Choose what is to be done."),
        "answer_missing": _("Fill in the field beside the button first."),
        "not_an_answer": _("This does not solve it (any more). Look again."),
        "external_id_taken": _("Another member has this id already."),
        "external_id_long": _("An id has at most 254 characters."),
        "reason_missing": _("Say why; you and your colleagues see it."),
        "still_running": _(
            "Something still runs, or a payment is under way. Cancel it first and wait until it ended."
        ),
        "paid_by_other": _("Somebody else pays for this access. That has to end first."),
        "money_open": _("An amount is still open. It has to be paid or written off first."),
    }
