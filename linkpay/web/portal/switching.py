"""Another plan of the same offer: at once or with the next period, to the cent before she agrees."""

from typing import Any

from flask import Response, request

from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind
from linkpay.domain.switching import Switch
from linkpay.errors import InputError
from linkpay.services import switching
from linkpay.services.consent import Yes
from linkpay.services.formats import money_text
from linkpay.store import holdings, sites, subscriptions
from linkpay.store.tables import Plan
from linkpay.web import prices, wording
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.portal import acts, words
from linkpay.web.portal.acts import Act, Action, Case
from linkpay.web.portal.door import guest, rooms
from linkpay.web.wording import Consent

bp = rooms("switching", __name__)


@bp.get("/subscriptions/<token:token>/switch")
def switch(site: str, token: str) -> Response:
    """What another plan costs, from when, and what is credited."""
    return acts.look(SWITCH, token)


@bp.post("/subscriptions/<token:token>/switch")
def do_switch(site: str, token: str) -> Response:
    """Go over to it."""
    return acts.press(SWITCH, token)


@bp.get("/subscriptions/<token:token>/stay")
def stay(site: str, token: str) -> Response:
    """What staying with the present plan means, where another was chosen."""
    return acts.look(STAY, token)


@bp.post("/subscriptions/<token:token>/stay")
def do_stay(site: str, token: str) -> Response:
    """Stay."""
    return acts.press(STAY, token)


def _plans(case: Case) -> list[Plan]:
    subscription = subscriptions.get(case.tx, case.subscription_id)
    found = holdings.plans_to_switch_to(case.tx, subscription.site_id, (subscription.offer_id,))
    return [one for one in found if one.kind is PlanKind.MEMBERSHIP and one.id != subscription.plan_id]


def _chosen(case: Case) -> Plan:
    """The plan that she chose, or the first. Raises InputError ``no_other_plan``."""
    plans = _plans(case)
    if not plans:
        raise InputError("no_other_plan", "There is no other plan here.")
    return next((one for one in plans if one.slug == request.values.get("plan")), plans[0])


def _at_once() -> bool:
    return request.values.get("when") == "now"


def _decided(case: Case, plan: Plan) -> Switch:
    return switching.preview_switch(
        case.tx, case.subscription_id, plan.id, at_once=_at_once(), now=case.now, actor="member"
    )


def _switching(case: Case) -> Act:
    plan = _chosen(case)
    decided = _decided(case, plan)
    hidden = {"plan": plan.slug, "when": "now" if decided.at_once else "next"}
    title = _("Another plan for %(title)s", title=case.holding.offer_title)
    day = words.day(decided.begins_on)
    button = _("Switch today") if decided.at_once else _("Switch on %(day)s", day=day)
    return Act(title, _lines(decided, case), button, hidden)


def _lines(decided: Switch, case: Case) -> tuple[str, ...]:
    currency = decided.new.amount.currency
    day, account = words.day(decided.begins_on), words.account_words(case.holding.account)
    found = [
        _(
            "From %(day)s on you pay %(new)s instead of %(old)s.",
            day=day, new=prices.price(decided.new), old=prices.price(decided.old),
        )
    ]  # fmt: skip
    if decided.at_once:
        if decided.credit_cents:
            credit = money_text(Money(decided.credit_cents, currency), locale())
            found.append(_("The days that you paid and no longer use are worth %(amount)s.", amount=credit))
        due = money_text(Money(decided.due_now_cents, currency), locale())
        found.append(
            _("Today %(amount)s is collected from %(account)s.", amount=due, account=account)
            if decided.due_now_cents
            else _("Today you pay nothing.")
        )
    else:
        found.append(_("Until then everything stays as it is."))
    then = {"amount": money_text(Money(decided.next_cents, currency), locale())}
    found.append(
        _("The next collection is %(amount)s on %(day)s.", day=words.day(decided.next_charge_on), **then)
    )
    if decided.bound_until is not None:
        found.append(_("You agree to a minimum term until %(day)s.", day=words.day(decided.bound_until)))
    found.append(_("Your access stays open all the while."))
    return tuple(found)


def _consent(case: Case, decided: Switch) -> Consent:
    subscription = subscriptions.get(case.tx, case.subscription_id)
    policy = sites.policy_of(sites.get(case.tx, subscription.site_id), subscription.policy)
    seller = guest().seller
    collector = wording.Collector(seller.name, seller.support_email, policy)
    return wording.switch_consent(collector, decided.new, decided.begins_on, decided.bound_until)


def _beside(case: Case) -> dict[str, Any]:
    plans = _plans(case)
    chosen = next(
        (one for one in plans if one.slug == request.values.get("plan")), plans[0] if plans else None
    )
    consent = None
    if chosen is not None:
        try:
            consent = _consent(case, _decided(case, chosen))
        except InputError:
            consent = None
    return {
        "plans": [(one.slug, one.title, prices.price(one.terms)) for one in plans],
        "chosen": chosen.slug if chosen else "", "at_once": _at_once(), "consent": consent,
    }  # fmt: skip


def _switch(case: Case) -> None:
    plan = _chosen(case)
    agrees = request.form.get("agree") == "yes"
    given = Yes(_consent(case, _decided(case, plan)).text, locale()) if agrees else None
    switching.switch(
        case.tx, case.subscription_id, plan.id, at_once=_at_once(), given=given, actor="member", now=case.now
    )


def _staying(case: Case) -> Act:
    holding = case.holding
    if holding.next_plan_title is None:
        raise InputError("nothing_chosen", "No other plan was chosen.")
    lines = (
        _("You had chosen %(plan)s; that is called off.", plan=holding.next_plan_title),
        _("You go on paying %(price)s.", price=prices.price(holding.terms)),
    )
    return Act(_("Keep the present plan of %(title)s", title=holding.offer_title), lines, _("Keep it"))


def _stay(case: Case) -> None:
    switching.undo_switch(case.tx, case.subscription_id, "member", case.now)


SWITCH = Action("switch", _switching, _switch, "portal/switch.html", _beside)
STAY = Action("stay", _staying, _stay)
