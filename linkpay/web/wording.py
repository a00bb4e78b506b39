"""Prices and permissions in plain words: what is shown is what is kept as the buyer's consent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from linkpay.domain.calendar import Interval, Unit, period
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.services.formats import day_text, money_text
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, ngettext

#: How long before a changed debit the member is told; SEPA says 14 days unless another is agreed.
NOTICE_DAYS = 2


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


def price(terms: Terms) -> str:
    """What a plan costs, in a few words."""
    amount = money(terms.amount)
    match terms.kind:
        case PlanKind.ONE_TIME:
            return _("%(amount)s once", amount=amount)
        case PlanKind.INSTALMENTS:
            return _(
                "%(times)s × %(amount)s %(each)s",
                times=terms.periods, amount=amount, each=each(terms.interval),
            )  # fmt: skip
        case PlanKind.MEMBERSHIP:
            return f"{amount} {each(terms.interval)}"


def price_note(terms: Terms) -> str:
    """What a buyer asks next: when it ends and what it comes to."""
    match terms.kind:
        case PlanKind.ONE_TIME:
            return _("You pay once; nothing is collected afterwards.")
        case PlanKind.INSTALMENTS:
            return _("%(total)s in total. It stops by itself after the last term.", total=money(total(terms)))
        case PlanKind.MEMBERSHIP:
            return _("You can stop at any time.")


def total(terms: Terms) -> Money:
    """All terms of a plan that ends together; for one without an end, a single period."""
    return Money(terms.amount.cents * (terms.periods or 1), terms.amount.currency)


@dataclass(frozen=True, slots=True)
class Collector:
    """Who collects, and how to reach them."""

    name: str
    support_email: str | None


@dataclass(frozen=True, slots=True)
class Consent:
    """A permission to collect: one sentence to agree to, and what comes with it."""

    sentence: str
    details: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything that is shown, as it is kept."""
        return "\n".join((self.sentence, *self.details))


def checkout_consent(collector: Collector, terms: Terms, today: date) -> Consent | None:
    """The permission a buyer gives with her first payment; None when nothing is collected later."""
    if not terms.needs_mandate:
        return None
    first = period(today, terms.interval, 1).starts_on
    opening = _(
        "You pay %(amount)s now. After that %(site)s collects %(amount)s %(repeat)s, through Mollie, from "
        "the account or card that you pay with now. From an account this is done by SEPA direct debit.",
        amount=money(terms.amount), site=collector.name, repeat=repeat(terms.interval),
    )  # fmt: skip
    days = _(
        "The day on which you pay is the fixed day. If you pay today, the next collection is on %(day)s.",
        day=day_text(first, locale()),
    )
    return Consent(_sentence(collector, terms), (opening, days, *_always(collector, terms)))


def renewal_consent(collector: Collector, terms: Terms, next_on: date | None) -> Consent | None:
    """The permission that a member renews when she pays an open bill by hand.

    `next_on` is the day of the next collection where that is certain now.
    """
    if not terms.needs_mandate:
        return None
    opening = _(
        "From now on %(site)s collects %(amount)s %(repeat)s, through Mollie, from the account or card that "
        "you pay with now. This replaces your earlier permission. From an account it is done by SEPA "
        "direct debit.",
        amount=money(terms.amount), site=collector.name, repeat=repeat(terms.interval),
    )  # fmt: skip
    if next_on is None:
        days = _("Your fixed day stays as it is; you get the date of the next collection by e-mail.")
    else:
        days = _("The next collection is on %(day)s.", day=day_text(next_on, locale()))
    return Consent(_sentence(collector, terms), (opening, days, *_always(collector, terms)))


def _sentence(collector: Collector, terms: Terms) -> str:
    values = {
        "site": collector.name,
        "amount": money(terms.amount),
        "repeat": repeat(terms.interval),
        "times": terms.periods,
    }
    if terms.periods is None:
        return _("Yes, %(site)s may collect %(amount)s %(repeat)s until I stop.", **values)
    return _("Yes, %(site)s may collect %(amount)s %(repeat)s, %(times)s terms in all.", **values)


def _always(collector: Collector, terms: Terms) -> tuple[str, ...]:
    """What holds for every permission: notice, stopping, and the bank's way back."""
    notice = _(
        "You get date and amount by e-mail beforehand, once for the whole series. Of any change you hear at "
        "least %(days)s days before.",
        days=NOTICE_DAYS,
    )
    back = _("If you do not agree with a direct debit, your bank returns it when you ask within 8 weeks.")
    return (notice, _ending(collector, terms), back)


def _ending(collector: Collector, terms: Terms) -> str:
    if terms.periods is not None:
        return _(
            "After %(times)s terms, %(total)s in all, it stops by itself.",
            times=terms.periods, total=money(total(terms)),
        )  # fmt: skip
    if collector.support_email:
        return _(
            "You can stop at any time: answer one of our e-mails or write to %(email)s. You keep access for "
            "as long as you have paid.",
            email=collector.support_email,
        )
    return _(
        "You can stop at any time: answer one of our e-mails. You keep access for as long as you have paid."
    )


def fingerprint(texts: Sequence[str]) -> str:
    """Changes when anything that was shown to the buyer changes."""
    return hashlib.sha256("\n\n".join(texts).encode()).hexdigest()[:16]
