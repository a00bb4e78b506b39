"""Pause until a day, and go on before it."""

from datetime import date, timedelta
from typing import Any

from flask import Response

from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import InputError
from linkpay.services import pausing
from linkpay.services.consent import Yes
from linkpay.services.formats import money_text
from linkpay.store import sites, subscriptions
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.portal import acts, words
from linkpay.web.portal.acts import Act, Action, Case
from linkpay.web.portal.door import rooms
from linkpay.web.portal.leaving import chosen_day

bp = rooms("pausing", __name__)


@bp.get("/subscriptions/<token:token>/pause")
def pause(site: str, token: str) -> Response:
    """What is not collected meanwhile, and when it goes on."""
    return acts.look(PAUSE, token)


@bp.post("/subscriptions/<token:token>/pause")
def do_pause(site: str, token: str) -> Response:
    """Pause."""
    return acts.press(PAUSE, token)


@bp.get("/subscriptions/<token:token>/resume")
def resume(site: str, token: str) -> Response:
    """What going on now means."""
    return acts.look(RESUME, token)


@bp.post("/subscriptions/<token:token>/resume")
def do_resume(site: str, token: str) -> Response:
    """Go on."""
    return acts.press(RESUME, token)


def _first_day(case: Case) -> date | None:
    """The first day that a pause can take; None where there is none to take."""
    return case.holding.pause_on if case.holding.state is SubscriptionState.PAUSED else case.holding.runs_on


def _until(case: Case) -> date:
    """The day that she chose, or a month after the pause would begin."""
    first = _first_day(case)
    chosen = chosen_day("resume_on")
    if chosen is None and first is None:
        raise InputError("nothing_to_charge", "There is nothing to pause.")
    return chosen or (first or date.max) + timedelta(days=30)


def _pausing(case: Case) -> Act:
    until = _until(case)
    agreed = pausing.preview_pause(
        case.tx, case.subscription_id, resume_on=until, keeps_access=None, actor="member", now=case.now
    )
    first, last = words.day(agreed.pause_on), words.day(agreed.resume_on)
    lines = [
        _("Until %(day)s nothing changes: that is paid.", day=first),
        _("From %(first)s until %(last)s nothing is collected.", first=first, last=last),
        _("You keep your access meanwhile.")
        if agreed.keeps_access
        else _("You have no access meanwhile. What you did is kept."),
        _("On %(day)s it goes on by itself, and the next amount is collected.", day=last),
        _("You can go on earlier at any time, or cancel."),
    ]
    title = _("Pause %(title)s", title=case.holding.offer_title)
    return Act(title, tuple(lines), _("Pause"), {"resume_on": until.isoformat()})


def _beside(case: Case) -> dict[str, Any]:
    first = _first_day(case)
    subscription = subscriptions.get(case.tx, case.subscription_id)
    policy = sites.policy_of(sites.get(case.tx, subscription.site_id), subscription.policy)
    return {
        "earliest": first + timedelta(days=1) if first else None,
        "latest": first + timedelta(days=policy.pause_days) if first else None,
        "usual": first + timedelta(days=30) if first else None,
    }


def _pause(case: Case) -> None:
    pausing.pause(
        case.tx, case.subscription_id, resume_on=_until(case), keeps_access=None, actor="member", now=case.now
    )


def _resuming(case: Case) -> Act:
    holding = case.holding
    title = _("Go on with %(title)s", title=holding.offer_title)
    if holding.pause_on is None:
        raise InputError("nothing_runs", "There is no pause that could end.")
    if holding.state is not SubscriptionState.PAUSED:
        day = words.day(holding.runs_on or holding.pause_on)
        called_off = (
            _("The pause that was to begin on %(day)s is called off.", day=words.day(holding.pause_on)),
            _("The next collection is on %(day)s, as it was.", day=day),
        )
        return Act(title, called_off, _("Do not pause"))
    amount = money_text(holding.next_amount or holding.terms.amount, locale())
    values = {"amount": amount, "account": words.account_words(holding.account)}
    lines = (
        _("It goes on today, and your access stays open.")
        if holding.access
        else _("It goes on today, and your access opens again."),
        _("Today %(amount)s is collected from %(account)s.", **values),
        _("From now on today's date is your fixed day."),
    )
    return Act(title, lines, _("Go on today"))


def _resume(case: Case) -> None:
    read = Yes("\n".join(_resuming(case).lines), locale())
    pausing.resume(case.tx, case.subscription_id, "member", case.now, given=read)


PAUSE = Action("pause", _pausing, _pause, "portal/pause.html", _beside)
RESUME = Action("resume", _resuming, _resume)
