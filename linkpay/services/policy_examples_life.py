"""What each policy comes to on real days: leaving, pausing, switching, selling, and what the law asks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from linkpay.domain import proof
from linkpay.domain.calendar import Interval, Unit, add_intervals, add_months
from linkpay.domain.coverage import SubscriptionFacts, access_wanted, covers
from linkpay.domain.leaving import CancelMode, Leaving, PaidSpan, Series, Standing, leave
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.proration import unused_cents
from linkpay.domain.subscription import SubscriptionState
from linkpay.domain.withdrawal import Bought, due_back, last_day
from linkpay.services.policy_examples import MONTHLY, PRICE, Case, Facts

_YEARLY = Interval(Unit.YEAR)
_YEAR_PRICE = Money(50_000)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(9, 30), UTC)


def _member(case: Case, asked_on: date) -> Standing:
    """Somebody by the month who paid on the day of the example, for the first time."""
    return Standing(
        PlanKind.MEMBERSHIP, case.policy, _moment(asked_on), case.zone, Series(case.on, 0, 1, MONTHLY),
        paid_until=case.month_later,
    )  # fmt: skip


def _end(left: Leaving, case: Case) -> date:
    return case.day(left.access_until) if left.access_until else left.ends_on


def _cancel_at(case: Case) -> Facts:
    asked = case.on + timedelta(days=10)
    mode = CancelMode(case.policy.cancel_at)
    return {"asked": asked, "end": _end(leave(_member(case, asked), mode, None, by_member=True), case)}


def _cancel_notice(case: Case) -> Facts:
    asked = case.month_later - timedelta(days=3)
    left = leave(_member(case, asked), CancelMode.PERIOD_END, None, by_member=True)
    return {"asked": asked, "end": left.ends_on}


def _unused_days(case: Case) -> Facts:
    """Somebody by the year, in her second one."""
    ends_on, asked = add_intervals(case.on, _YEARLY, 1), add_months(case.on, 2) + timedelta(days=10)
    series = Series(add_intervals(case.on, _YEARLY, -1), 0, 2, _YEARLY)
    span = PaidSpan(1, case.on, ends_on, _YEAR_PRICE.cents, _YEAR_PRICE.cents)
    standing = replace(_member(case, asked), series=series, paid_until=ends_on, renewed=True, paid=[span])
    left = leave(standing, CancelMode.PERIOD_END, None, by_member=True)
    return {"price": _YEAR_PRICE, "asked": asked, "end": left.ends_on, "back": Money(left.refund_cents)}


def _running_debit(case: Case) -> Facts:
    asked = case.on + timedelta(days=1)
    running = PaidSpan(1, case.on, case.month_later, PRICE.cents, 0)
    standing = replace(_member(case, asked), running=running)
    left = leave(standing, CancelMode.NOW, None, by_member=False)
    return {"asked": asked, "end": _end(left, case), "price": PRICE}


def _pause(case: Case) -> Facts:
    return {"end": case.on + timedelta(days=case.policy.pause_days)}


def _pause_access(case: Case) -> Facts:
    resume_on = add_months(case.on, 2)
    facts = SubscriptionFacts(
        SubscriptionState.PAUSED, Terms(PlanKind.MEMBERSHIP, PRICE, MONTHLY), case.policy, [],
        open_pause=(case.on, resume_on) if case.policy.pause_keeps_access else None,
    )  # fmt: skip
    inside = access_wanted(covers(facts, case.zone), case.at).granted
    return {"end": resume_on, "which": "yes" if inside else "no"}


def _switch(case: Case) -> Facts:
    asked = case.on + timedelta(days=10)
    credit = unused_cents(PRICE.cents, case.on, case.month_later, asked)
    return {"price": PRICE, "asked": asked, "credit": Money(credit)}


def _price_notice(case: Case) -> Facts:
    """A member who is charged on the first of each month."""
    earliest = case.on + timedelta(days=case.policy.price_notice_days)
    first = earliest.replace(day=1)
    return {"first": first if first >= earliest else add_months(first, 1)}


def _price_in_term(case: Case) -> Facts:
    """A member who agreed to half a year on the day before."""
    return {"end": add_months(case.on, 6), **_price_notice(case)}


def _trial_check(case: Case) -> Facts:
    line = proof.check_line("ideal")
    cent = Money(line.cents if line else 0)
    first = PRICE - cent if case.policy.trial_check == "credit" else PRICE
    return {"cent": cent, "price": PRICE, "first": first}


def _bare(_case: Case) -> Facts:
    return {}


def _young(case: Case) -> Facts:
    return {"end": case.on + timedelta(days=case.policy.upsell_young_days)}


def _notice(case: Case) -> Facts:
    return {"end": case.on + timedelta(days=case.policy.notice_days)}


def _agreed_notice(case: Case) -> Facts:
    return {"end": case.on + timedelta(days=case.policy.agreed_notice_days)}


def _withdrawal(case: Case) -> Facts:
    return {"end": last_day(case.on, case.policy.withdrawal_days)}


def _withdrawal_refund(case: Case) -> Facts:
    asked = case.on + timedelta(days=5)
    pro_rata = case.policy.withdrawal_refund == "pro_rata"
    month = Bought(PRICE.cents, PRICE.cents, case.on, case.month_later)
    back = due_back([month], asked, pro_rata=pro_rata)
    return {"price": PRICE, "asked": asked, "back": Money(back)}


EXAMPLES: Mapping[str, Callable[[Case], Facts]] = {
    "notice_days": _notice,
    "agreed_notice_days": _agreed_notice,
    "cancel_at": _cancel_at,
    "cancel_notice_days": _cancel_notice,
    "refund_unused_days": _unused_days,
    "running_debit_on_cancel": _running_debit,
    "pause_days": _pause,
    "pause_keeps_access": _pause_access,
    "switch_credit": _switch,
    "price_notice_days": _price_notice,
    "price_in_term": _price_in_term,
    "trial_check": _trial_check,
    "upsell_access": _bare,
    "upsell_cap_cents": _young,
    "upsell_young_days": _young,
    "withdrawal_days": _withdrawal,
    "withdrawal_refund": _withdrawal_refund,
    "drift": _bare,
}
