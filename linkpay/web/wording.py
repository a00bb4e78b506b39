"""Permissions in plain words: what is shown is what is kept as the buyer's consent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from linkpay.domain.money import Money
from linkpay.domain.plan import Terms
from linkpay.domain.policy import Policy
from linkpay.domain.proof import only_checks
from linkpay.domain.quote import Quote, Run, runs
from linkpay.services.formats import day_text
from linkpay.web import prices
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale


@dataclass(frozen=True, slots=True)
class Collector:
    """Who collects, how to reach them, and the rules that were chosen for it."""

    name: str
    support_email: str | None
    policy: Policy


@dataclass(frozen=True, slots=True)
class Consent:
    """A permission to collect: one sentence to agree to, and what comes with it."""

    sentence: str
    details: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything that is shown, as it is kept."""
        return "\n".join((self.sentence, *self.details))


def checkout_consent(collector: Collector, terms: Terms, quote: Quote) -> Consent | None:
    """The permission a buyer gives with her first payment; None when nothing is collected later."""
    if not terms.needs_mandate:
        return None
    details = [
        _(
            "%(site)s collects this through Mollie, from the account or card that you pay with now. From an "
            "account it is done by SEPA direct debit.",
            site=collector.name,
        ),
        *_first(terms, quote),
        *_proof(collector, quote),
        *_always(collector, terms, quote.bound_until),
    ]
    return Consent(_sentence(collector, terms, quote.runs), tuple(details))


def _first(terms: Terms, quote: Quote) -> list[str]:
    """The day and the amount of the first collection."""
    asked = [run for run in quote.runs if run.cents]
    if not asked:
        return []
    first = {
        "day": day_text(asked[0].starts_on, locale()),
        "amount": prices.money(Money(asked[0].cents, terms.amount.currency)),
    }
    if terms.trial is None:
        return [
            _(
                "The day on which you pay is the fixed day. If you pay today, the first collection, of "
                "%(amount)s, is on %(day)s.",
                **first,
            )
        ]
    told = _(
        "If you begin today, your trial lasts until %(ends)s and the first collection, of %(amount)s, is on "
        "%(day)s.",
        ends=day_text(quote.anchor_on, locale()), **first,
    )  # fmt: skip
    return [told, _("If you stop before your trial ends, nothing is collected.")]


def _proof(collector: Collector, quote: Quote) -> list[str]:
    """What happens with the cent that proves an account."""
    if not only_checks(quote.now) or not any(run.cents for run in quote.runs):
        return []
    if collector.policy.trial_check == "refund":
        return [_("The cent that proves a bank account is sent back to you.")]
    return [_("The cent that proves a bank account is taken off the first collection.")]


def renewal_consent(
    collector: Collector, terms: Terms, runs: Sequence[Run], next_on: date | None
) -> Consent | None:
    """The permission that a member renews when she pays an open bill by hand.

    `runs` is what is still to be collected; `next_on` the day on which it begins where that is certain now.
    """
    if not terms.needs_mandate or not runs:
        return None
    opening = _(
        "%(site)s collects this through Mollie, from the account or card that you pay with now. This "
        "replaces your earlier permission. From an account it is done by SEPA direct debit.",
        site=collector.name,
    )
    if next_on is None:
        day = _("Your fixed day stays as it is; you get the date of the next collection by e-mail.")
    else:
        day = _("The next collection is on %(day)s.", day=day_text(next_on, locale()))
    return Consent(_sentence(collector, terms, runs), (opening, day, *_always(collector, terms, None)))


def switch_consent(collector: Collector, terms: Terms, begins_on: date, bound_until: date | None) -> Consent:
    """The permission that a member gives when she goes over to another plan, from a day on."""
    opening = _(
        "From %(day)s on this takes the place of what you agreed to before. It is collected through Mollie, "
        "from the same account or card as now.",
        day=day_text(begins_on, locale()),
    )
    to_come = tuple(runs(terms, begins_on, 0, None))
    return Consent(_sentence(collector, terms, to_come), (opening, *_always(collector, terms, bound_until)))


def upsell_consent(collector: Collector, terms: Terms, asked: Quote, account: str) -> Consent:
    """The permission for a purchase by one click: what, how much, when, from where, and how to stop.

    `account` names the account or card, with the reference of the permission that it is collected by.
    """
    to_come = tuple(runs(terms, asked.anchor_on, terms.first_period, None))
    first = {"day": day_text(asked.anchor_on, locale()), "account": account}
    amount = prices.money(Money(asked.due_cents, terms.amount.currency))
    details = [
        _("On %(day)s, today, %(amount)s is collected from %(account)s.", amount=amount, **first),
        _("With this you have been told of it beforehand; we confirm it by e-mail."),
    ]
    if terms.needs_mandate:
        details += _always(collector, terms, asked.bound_until)
        return Consent(_sentence(collector, terms, to_come), tuple(details))
    back = _("If you do not agree with a direct debit, your bank returns it when you ask within 8 weeks.")
    sentence = _(
        "Yes, %(site)s may collect %(amount)s, once, from %(account)s.",
        site=collector.name, amount=amount, account=account,
    )  # fmt: skip
    return Consent(sentence, (*details, back))


def start_at_once(policy: Policy) -> str:
    """What a buyer asks for who wants her access within the days of withdrawal; empty without any."""
    if not policy.withdrawal_days:
        return ""
    wish = _(
        "Yes, let my access begin at once, within the %(days)s in which I may withdraw.",
        days=prices.days(policy.withdrawal_days),
    )
    all_back, used = (
        _("If I withdraw, I get everything back."),
        _("If I withdraw, I pay for what I have had."),
    )
    return f"{wish} {all_back if policy.withdrawal_refund == 'full' else used}"


def _sentence(collector: Collector, terms: Terms, runs: Sequence[Run]) -> str:
    """What may be collected: in few words where it is always the same, else every amount with its day."""
    asked = [run for run in runs if run.cents]
    values = {"site": collector.name, "repeat": prices.repeat(terms.interval)}
    if not asked:
        return _("Yes, %(site)s may keep this account or card; nothing is collected.", **values)
    if len(runs) == 1:
        amount = prices.money(Money(runs[0].cents, terms.amount.currency))
        if runs[0].times is None:
            return _("Yes, %(site)s may collect %(amount)s %(repeat)s until I stop.", amount=amount, **values)
        if runs[0].times > 1:
            return _(
                "Yes, %(site)s may collect %(amount)s %(repeat)s, %(times)s times in all.",
                amount=amount, times=runs[0].times, **values,
            )  # fmt: skip
    amounts = prices.spoken(runs, terms.interval)
    if runs[-1].times is None:
        return _("Yes, %(site)s may collect until I stop: %(amounts)s.", amounts=amounts, **values)
    return _("Yes, %(site)s may collect: %(amounts)s.", amounts=amounts, **values)


def _always(collector: Collector, terms: Terms, bound_until: date | None) -> tuple[str, ...]:
    """What holds for every permission: notice, stopping, and the bank's way back."""
    notice = _(
        "You get date and amount by e-mail beforehand, once for the whole series. Of any change you hear at "
        "least %(days)s days before.",
        days=collector.policy.agreed_notice_days,
    )
    back = _("If you do not agree with a direct debit, your bank returns it when you ask within 8 weeks.")
    return (notice, *_bound(collector, terms, bound_until), _ending(collector, terms), back)


def _bound(collector: Collector, terms: Terms, bound_until: date | None) -> list[str]:
    """A minimum term, and the law that lets go of her after it."""
    if bound_until is None:
        return []
    least = {
        "least": prices.span(terms.interval, terms.minimum_periods),
        "day": day_text(bound_until, locale()),
    }
    notice = collector.policy.cancel_notice_days
    if notice:
        until = _(
            "You take it for at least %(least)s, until %(day)s. After that it goes on until you stop, with "
            "%(notice)s of notice.",
            notice=prices.days(notice), **least,
        )  # fmt: skip
    else:
        until = _(
            "You take it for at least %(least)s, until %(day)s. After that it goes on until you stop, at any "
            "moment and without notice.",
            **least,
        )
    return [until]


def _ending(collector: Collector, terms: Terms) -> str:
    if terms.periods is not None:
        return _("After %(times)s terms it stops by itself.", times=terms.periods)
    if terms.minimum_periods:
        return _("You stop by answering one of our e-mails or on the page that each of them leads to.")
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
