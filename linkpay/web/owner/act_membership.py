"""What is done to a subscription at the desk: cancelled, paused, moved to another plan, run again."""

from collections.abc import Sequence
from datetime import date, timedelta

from linkpay.domain.leaving import CancelMode
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.errors import InputError
from linkpay.services import membership, pausing, reactivation, switching
from linkpay.services.formats import day_text, moment_text, money_text
from linkpay.store import holdings
from linkpay.store.tables import Plan
from linkpay.web import prices
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner.acting import Action, Case, Field

S = SubscriptionState


def _state(case: Case) -> SubscriptionState:
    return case.row.subscription.state


def _money(case: Case, cents: int) -> str:
    return money_text(Money(cents, case.row.subscription.currency), locale())


def _mode(case: Case) -> CancelMode:
    asked = case.text("mode")
    return CancelMode(asked) if asked in set(CancelMode) else CancelMode.PERIOD_END


def _cancel_fields(case: Case) -> Sequence[Field]:
    modes = (
        ("period_end", _("As soon as what is paid is over")),
        *((("term_end", _("At the end of the minimum term")),) if case.row.subscription.bound_until else ()),
        ("date", _("On a day")), ("now", _("At once")),
    )  # fmt: skip
    return (
        Field("mode", _("When it ends"), "choice", "period_end", modes),
        Field("on", _("Day"), "date", hint=_("Only for a day that you choose.")),
        Field(
            "reason",
            _("Why"),
            hint=_("For you and your colleagues. It is also in the data that the member can download."),
        ),
    )


def _cancel_lines(case: Case) -> Sequence[str]:
    mode = _mode(case)
    on = case.day("on") if mode is CancelMode.DATE else None
    left = membership.preview_cancel(case.tx, case.id, mode, on, case.now, actor=case.actor)
    lines = [
        _("It ends at once.")
        if left.at_once
        else _("It ends on %(day)s.", day=day_text(left.ends_on, locale()))
    ]
    if left.access_until is not None and left.access_until > case.now:
        until = moment_text(left.access_until, case.desk.site.zone, locale())
        lines.append(_("Access stays until %(day)s.", day=until))
    else:
        lines.append(_("Access closes now."))
    if left.refund_cents:
        lines.append(_("%(amount)s for unused days goes back.", amount=_money(case, left.refund_cents)))
    if left.credit_cents:
        lines.append(_("%(amount)s of credit goes back at the end.", amount=_money(case, left.credit_cents)))
    if left.running_debit == "honour":
        lines.append(_("The debit that is under way goes through and buys its period."))
    elif left.running_debit is not None:
        lines.append(_("The debit that is under way is stopped, or sent back."))
    return [*lines, _("The member gets a mail that confirms it.")]


def _cancel(case: Case) -> None:
    mode = _mode(case)
    membership.cancel(
        case.tx, case.id, mode=mode, on=case.day("on") if mode is CancelMode.DATE else None,
        reason=case.text("reason"), actor=case.actor, now=case.now,
    )  # fmt: skip


def _undo_lines(_case: Case) -> Sequence[str]:
    return [_("It goes on as if nothing had been cancelled."), _("The member gets a mail about it.")]


def _first_day(case: Case) -> date | None:
    held = case.row.subscription
    return held.pause_on if held.state is S.PAUSED else held.next_charge_on


def _pause_fields(case: Case) -> Sequence[Field]:
    first = _first_day(case)
    usual = (first + timedelta(days=30)).isoformat() if first else ""
    keeps = (
        ("policy", _("As the policy says")),
        ("yes", _("Access stays")),
        ("no", _("No access meanwhile")),
    )
    return (
        Field("resume_on", _("It goes on from"), "date", usual, needed=True),
        Field("keeps", _("Access during the pause"), "choice", "policy", keeps),
    )


def _keeps(case: Case) -> bool | None:
    return {"yes": True, "no": False}.get(case.text("keeps"))


def _pause_lines(case: Case) -> Sequence[str]:
    until = case.day("resume_on")
    if until is None:
        raise InputError("no_date", "Fill in a day.", "resume_on")
    agreed = pausing.preview_pause(
        case.tx, case.id, resume_on=until, keeps_access=_keeps(case), actor=case.actor, now=case.now
    )
    first, last = day_text(agreed.pause_on, locale()), day_text(agreed.resume_on, locale())
    return [
        _("From %(first)s until %(last)s nothing is collected.", first=first, last=last),
        _("Access stays meanwhile.") if agreed.keeps_access else _("There is no access meanwhile."),
        _("The member gets a mail that confirms it."),
    ]


def _pause(case: Case) -> None:
    until = case.day("resume_on")
    if until is not None:
        pausing.pause(
            case.tx, case.id, resume_on=until, keeps_access=_keeps(case), actor=case.actor, now=case.now
        )


def _resume_lines(case: Case) -> Sequence[str]:
    if _state(case) is S.PAUSED:
        return [_("It goes on today: access opens, and the next amount is collected today.")]
    return [_("The pause that was to come is called off; collections stay on their days.")]


def _plans(case: Case) -> list[Plan]:
    held = case.row.subscription
    found = holdings.plans_to_switch_to(case.tx, held.site_id, (held.offer_id,))
    return [one for one in found if one.kind is PlanKind.MEMBERSHIP and one.id != held.plan_id]


def _switch_fields(case: Case) -> Sequence[Field]:
    plans = tuple((one.slug, f"{one.title}: {prices.price(one.terms)}") for one in _plans(case))
    whens = (("next", _("With the next period")), ("now", _("At once, with credit for unused days")))
    return (
        Field("plan", _("Plan"), "choice", plans[0][0] if plans else "", plans),
        Field("when", _("From when"), "choice", "next", whens),
    )


def _plan(case: Case) -> Plan:
    found = next((one for one in _plans(case) if one.slug == case.text("plan")), None)
    if found is None:
        raise InputError("plan_unknown", "There is no such plan.", "plan")
    return found


def _switch_lines(case: Case) -> Sequence[str]:
    plan, at_once = _plan(case), case.text("when") == "now"
    to = switching.preview_switch(case.tx, case.id, plan.id, at_once=at_once, now=case.now, actor=case.actor)
    day = day_text(to.begins_on, locale())
    lines = [
        _(
            "From %(day)s it costs %(new)s instead of %(old)s.",
            day=day, new=prices.price(to.new), old=prices.price(to.old),
        )
    ]  # fmt: skip
    if to.credit_cents:
        lines.append(_("Unused days are worth %(amount)s of credit.", amount=_money(case, to.credit_cents)))
    if at_once:
        lines.append(_("Today %(amount)s is collected.", amount=_money(case, to.due_now_cents)))
    return [*lines, _("Access does not blink."), _("The member gets a mail about it.")]


def _switch(case: Case) -> None:
    switching.switch(
        case.tx, case.id, _plan(case).id, at_once=case.text("when") == "now", given=None, actor=case.actor,
        now=case.now,
    )  # fmt: skip


def _reactivate_lines(case: Case) -> Sequence[str]:
    return [
        _("Days that are paid and not used come first; then a new period begins today."),
        _("It is collected from the account or card that is known; without a valid one, send the pay link."),
        _("The member gets a mail about it."),
    ]


ACTIONS = (
    Action(
        "cancel",
        "subscription",
        lambda: _("Cancel"),
        lambda: _("Cancel it"),
        lambda: _("It is cancelled."),
        _cancel,
        _cancel_lines,
        _cancel_fields,
        lambda case: _state(case) in LIVE | {S.PENDING},
    ),
    Action(
        "undo",
        "subscription",
        lambda: _("Take the cancellation back"),
        lambda: _("Take it back"),
        lambda: _("The cancellation is taken back."),
        lambda case: membership.undo_cancel(case.tx, case.id, case.actor, case.now),
        _undo_lines,
        offered=lambda case: _state(case) is S.CANCELING,
    ),
    Action(
        "pause",
        "subscription",
        lambda: _("Pause"),
        lambda: _("Pause it"),
        lambda: _("The pause is set."),
        _pause,
        _pause_lines,
        _pause_fields,
        lambda case: _state(case) in (S.ACTIVE, S.TRIALING, S.PAUSED) and _first_day(case) is not None,
    ),
    Action(
        "resume",
        "subscription",
        lambda: _("End the pause"),
        lambda: _("Go on"),
        lambda: _("It goes on."),
        lambda case: pausing.resume(case.tx, case.id, case.actor, case.now),
        _resume_lines,
        offered=lambda case: case.row.subscription.pause_on is not None and _state(case) in LIVE,
    ),
    Action(
        "switch",
        "subscription",
        lambda: _("Another plan"),
        lambda: _("Switch"),
        lambda: _("The other plan is set."),
        _switch,
        _switch_lines,
        _switch_fields,
        lambda case: _state(case) in (S.ACTIVE, S.TRIALING) and bool(_plans(case)),
    ),
    Action(
        "stay",
        "subscription",
        lambda: _("Keep the present plan"),
        lambda: _("Keep it"),
        lambda: _("The present plan stays."),
        lambda case: switching.undo_switch(case.tx, case.id, case.actor, case.now),
        lambda _case: [_("The plan that was chosen for the next period is called off.")],
        offered=lambda case: case.row.subscription.next_plan_id is not None,
    ),
    Action(
        "reactivate",
        "subscription",
        lambda: _("Let it run again"),
        lambda: _("Let it run again"),
        lambda: _("It runs again, or waits for its payment."),
        lambda case: reactivation.reactivate(case.tx, case.id, given=None, actor=case.actor, now=case.now),
        _reactivate_lines,
        offered=lambda case: (
            _state(case) is S.ENDED
            and case.row.subscription.started_at is not None
            and case.row.subscription.kind is PlanKind.MEMBERSHIP
        ),
    ),
)
