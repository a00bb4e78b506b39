"""Cancel, and take it back until the day."""

from datetime import date
from typing import Any

from flask import Response, request

from linkpay.domain.calendar import typed_day
from linkpay.domain.leaving import CancelMode, Leaving
from linkpay.domain.money import Money
from linkpay.domain.subscription import OVER, SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import membership
from linkpay.services.formats import money_text
from linkpay.web.forms import tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.portal import acts, words
from linkpay.web.portal.acts import Act, Action, Case
from linkpay.web.portal.door import guest, rooms

bp = rooms("leaving", __name__)

#: Why people leave, in the owner's list of reasons; the page says it in its language.
REASONS = ("too_expensive", "no_time", "not_what_i_expected", "got_what_i_came_for", "technical", "other")


@bp.get("/subscriptions/<token:token>/cancel")
def cancel(site: str, token: str) -> Response:
    """When it would end, what is still collected, what goes back."""
    return acts.look(CANCEL, token)


@bp.post("/subscriptions/<token:token>/cancel")
def do_cancel(site: str, token: str) -> Response:
    """Cancel."""
    return acts.press(CANCEL, token)


@bp.get("/subscriptions/<token:token>/undo")
def undo(site: str, token: str) -> Response:
    """What taking the cancellation back would mean."""
    return acts.look(UNDO, token)


@bp.post("/subscriptions/<token:token>/undo")
def do_undo(site: str, token: str) -> Response:
    """Take the cancellation back."""
    return acts.press(UNDO, token)


def chosen_day(name: str) -> date | None:
    """The day that was filled in; None when none was. Raises InputError ``no_date`` for what is no day."""
    typed = request.values.get(name, "").strip()[:20]
    if not typed:
        return None
    try:
        return typed_day(typed)
    except ValueError:
        raise InputError("no_date", "Fill in a day.", name) from None


def _chosen() -> tuple[CancelMode, date | None]:
    asked = request.values.get("mode", "")
    mode = CancelMode(asked) if asked in set(CancelMode) else CancelMode.PERIOD_END
    return mode, chosen_day("on") if mode is CancelMode.DATE else None


def _cancelling(case: Case) -> Act:
    mode, on = _chosen()
    leaving = membership.preview_cancel(case.tx, case.subscription_id, mode, on, case.now, actor="member")
    hidden = {"mode": mode.value} | ({"on": on.isoformat()} if on else {})
    title = _("Cancel %(title)s", title=case.holding.offer_title)
    return Act(title, _lines(leaving, case), _("Cancel now"), hidden)


def _beside(case: Case) -> dict[str, Any]:
    asked = request.values.get("mode", "")
    mode = asked if asked in set(CancelMode) else CancelMode.PERIOD_END.value
    return {"mode": mode, "may_end_now": _may_end_now(case), "reasons": _reasons()}


def _may_end_now(case: Case) -> bool:
    try:
        membership.preview_cancel(
            case.tx, case.subscription_id, CancelMode.NOW, None, case.now, actor="member"
        )
    except InputError:
        return False
    return True


def _lines(leaving: Leaving, case: Case) -> tuple[str, ...]:
    zone, day = guest().seller.zone, words.day(leaving.ends_on)
    found = []
    if leaving.at_once:
        found.append(_("It ends today, at once."))
    else:
        found.append(_("It ends on %(day)s. Until then nothing changes.", day=day))
    if leaving.bound and not leaving.at_once:
        found.append(_("You agreed to a minimum term; before %(day)s it cannot end.", day=day))
    until = leaving.access_until
    if until is not None and until > case.now:
        found.append(_("You keep your access until %(day)s.", day=words.moment(until, zone)))
    else:
        found.append(_("Your access closes now."))
    if leaving.last_charge_on is not None:
        last = words.day(leaving.last_charge_on)
        found.append(_("Until then is collected as agreed, for the last time on %(day)s.", day=last))
    else:
        found.append(_("Nothing more is collected."))
    if leaving.running_debit == "honour":
        found.append(_("A collection that is under way goes through, and you keep what it pays for."))
    elif leaving.running_debit is not None:
        found.append(_("A collection that is under way is stopped, or goes back to you."))
    if leaving.refund_cents:
        back = money_text(Money(leaving.refund_cents, case.holding.terms.amount.currency), locale())
        found.append(_("For days that you paid and do not use, %(amount)s goes back to you.", amount=back))
    elif not leaving.at_once:
        found.append(_("You can take this back until that day."))
    return tuple(found)


def _reasons() -> dict[str, str]:
    return {
        "too_expensive": _("It costs too much for me"),
        "no_time": _("I have no time for it"),
        "not_what_i_expected": _("I expected something else"),
        "got_what_i_came_for": _("I have what I came for"),
        "technical": _("Something does not work"),
        "other": _("Something else"),
    }


def _cancel(case: Case) -> None:
    mode, on = _chosen()
    membership.cancel(
        case.tx, case.subscription_id, mode=mode, on=on, reason=_reason(), actor="member", now=case.now
    )


def _reason() -> str:
    """The reason as the owner reads it: one of `REASONS`, and what she adds in her own words."""
    chosen, added = request.form.get("reason", ""), tidy(request.form.get("more", ""))[:250]
    return ": ".join(part for part in (chosen if chosen in REASONS else "", added) if part)


def _undoing(case: Case) -> Act:
    holding = case.holding
    if holding.state in OVER:
        raise Conflict("already_over", "It has ended already.")
    if holding.state is not SubscriptionState.CANCELING:
        raise Conflict("nothing_runs", "There is no cancellation that could be taken back.")
    found = [_("Everything goes on as if you had not cancelled.")]
    if holding.runs_on is not None:
        values = {"day": words.day(holding.runs_on), "account": words.account_words(holding.account)}
        found.append(_("The next collection is on %(day)s, from %(account)s.", **values))
    found.append(_("You can cancel again at any time."))
    title = _("Keep %(title)s after all", title=holding.offer_title)
    return Act(title, tuple(found), _("Yes, go on with it"))


def _undo(case: Case) -> None:
    membership.undo_cancel(case.tx, case.subscription_id, "member", case.now)


CANCEL = Action("cancel", _cancelling, _cancel, "portal/cancel.html", _beside)
UNDO = Action("undo", _undoing, _undo)
