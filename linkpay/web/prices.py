"""Prices in plain words: what a plan costs, what a charge is made of, and what comes later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.coupon import Discount, DiscountKind, Duration
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.pricing import Line, LineKind
from linkpay.domain.quote import Run
from linkpay.services.formats import day_text, money_text, share_text
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, ngettext


def money(amount: Money) -> str:
    """An amount in the page's language."""
    return money_text(amount, locale())


def each(interval: Interval) -> str:
    """How often, to follow an amount: "per month", "every 3 months"."""
    match interval.unit:
        case Unit.DAY:
            return ngettext("per day", "every %(num)s days", interval.count)
        case Unit.WEEK:
            return ngettext("per week", "every %(num)s weeks", interval.count)
        case Unit.MONTH:
            return ngettext("per month", "every %(num)s months", interval.count)
        case Unit.YEAR:
            return ngettext("per year", "every %(num)s years", interval.count)


def repeat(interval: Interval) -> str:
    """How often, before a verb: "every month", "every 3 months"."""
    match interval.unit:
        case Unit.DAY:
            return ngettext("every day", "every %(num)s days", interval.count)
        case Unit.WEEK:
            return ngettext("every week", "every %(num)s weeks", interval.count)
        case Unit.MONTH:
            return ngettext("every month", "every %(num)s months", interval.count)
        case Unit.YEAR:
            return ngettext("every year", "every %(num)s years", interval.count)


def span(interval: Interval, times: int = 1) -> str:
    """How long `times` intervals last: "12 months", "1 year"."""
    count = interval.count * times
    match interval.unit:
        case Unit.DAY:
            return days(count)
        case Unit.WEEK:
            return ngettext("%(num)s week", "%(num)s weeks", count)
        case Unit.MONTH:
            return ngettext("%(num)s month", "%(num)s months", count)
        case Unit.YEAR:
            return ngettext("%(num)s year", "%(num)s years", count)


def days(count: int) -> str:
    """A number of days: "14 days"."""
    return ngettext("%(num)s day", "%(num)s days", count)


def price(terms: Terms) -> str:
    """What a plan costs, in a few words: "14 days free, then € 50.00 per month"."""
    if terms.trial is None:
        return regular_price(terms)
    values = {"days": days(terms.trial.days), "price": regular_price(terms)}
    if terms.trial.amount_cents == 0:
        return _("%(days)s free, then %(price)s", **values)
    cost = money(Money(terms.trial.amount_cents, terms.amount.currency))
    return _("%(days)s for %(cost)s, then %(price)s", cost=cost, **values)


def regular_price(terms: Terms) -> str:
    """What a plan costs without what comes before its periods."""
    amount = money(terms.amount)
    match terms.kind:
        case PlanKind.ONE_TIME:
            return _("%(amount)s once", amount=amount)
        case PlanKind.INSTALMENTS if terms.term_cents:
            amounts = [money(Money(cents, terms.amount.currency)) for cents in terms.term_cents]
            return _("%(amounts)s, one %(each)s", amounts=" + ".join(amounts), each=each(terms.interval))
        case PlanKind.INSTALMENTS:
            return _(
                "%(times)s × %(amount)s %(each)s",
                times=terms.periods, amount=amount, each=each(terms.interval),
            )  # fmt: skip
        case PlanKind.MEMBERSHIP:
            return f"{amount} {each(terms.interval)}"


def price_note(terms: Terms) -> str:
    """What a buyer asks next: when it ends, what it comes to, and what comes on top."""
    notes = [_ending_note(terms)]
    if terms.setup_fee_cents:
        fee = money(Money(terms.setup_fee_cents, terms.amount.currency))
        notes.append(_("Starting costs %(fee)s once.", fee=fee))
    return " ".join(notes)


def _ending_note(terms: Terms) -> str:
    match terms.kind:
        case PlanKind.ONE_TIME:
            return _("You pay once; nothing is collected afterwards.")
        case PlanKind.INSTALMENTS:
            return _("%(total)s in total. It stops by itself after the last term.", total=money(total(terms)))
        case PlanKind.MEMBERSHIP if terms.minimum_periods:
            least = span(terms.interval, terms.minimum_periods)
            return _("At least %(least)s; after that you can stop at any month.", least=least)
        case PlanKind.MEMBERSHIP:
            return _("You can stop at any time.")


def total(terms: Terms) -> Money:
    """All terms of a plan that ends together; for one without an end, a single period."""
    return Money(terms.total_cents or terms.amount.cents, terms.amount.currency)


@dataclass(frozen=True, slots=True)
class Sold:
    """How the lines of a charge are called: `title` is the plan's or the offer's."""

    title: str
    terms: Terms
    coupon: str = ""


def line_name(line: Line, sold: Sold) -> str:
    """What one line of a charge is for."""
    match line.kind:
        case LineKind.PERIOD:
            return sold.title
        case LineKind.TRIAL:
            return _("Trial of %(days)s", days=days(sold.terms.trial.days if sold.terms.trial else 0))
        case LineKind.SETUP_FEE:
            return _("Starting costs, once")
        case LineKind.BUMP:
            return line.text
        case LineKind.CHECK:
            return _("To prove your account")
        case LineKind.DISCOUNT:
            return _("Discount %(code)s", code=sold.coupon).rstrip()
        case LineKind.CREDIT:
            return _("What you still had in hand")


def discount(given: Discount) -> str:
    """What a coupon gives: "10% off the first payment"."""
    if given.kind is DiscountKind.PERCENT:
        off = share_text(given.value, locale())
    else:
        off = money(Money(given.value))
    match given.duration:
        case Duration.ONCE:
            return _("%(off)s off the first period", off=off)
        case Duration.PERIODS:
            return _("%(off)s off each of the first %(times)s periods", off=off, times=given.periods)
        case Duration.FOREVER:
            return _("%(off)s off every period", off=off)


def later(runs: Sequence[Run], interval: Interval) -> list[tuple[str, Money]]:
    """What is collected later: when, and how much each time."""
    return [(_when(run, interval), Money(run.cents)) for run in runs]


def _when(run: Run, interval: Interval) -> str:
    values = {"day": day_text(run.starts_on, locale()), "repeat": repeat(interval)}
    if run.times is None:
        return _("%(repeat)s from %(day)s", **values)
    if run.times == 1:
        return _("on %(day)s", **values)
    return _("%(times)s times, %(repeat)s from %(day)s", times=run.times, **values)


def spoken(runs: Sequence[Run], interval: Interval) -> str:
    """The same as one phrase, to follow "may collect"."""
    return "; ".join(f"{money(amount)} {when}" for when, amount in later(runs, interval) if amount.cents)


def vat_note(rates: Iterable[int]) -> str:
    """That prices include VAT, and at which rates."""
    shares = [share_text(rate, locale()) for rate in sorted(set(rates), reverse=True)]
    return _("Prices include VAT (%(rates)s).", rates=", ".join(shares))
