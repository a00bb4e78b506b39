"""What is done about money at the desk: sent back, waited for, asked for again, let go."""

import re
from collections.abc import Sequence
from datetime import timedelta

from linkpay.domain.calendar import local_day
from linkpay.domain.money import Money
from linkpay.domain.subscription import LIVE
from linkpay.errors import InputError
from linkpay.services import debts, dunning, links, refunds
from linkpay.services.formats import day_text, money_text
from linkpay.store import charges
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner.acting import Action, Case, Field

_AMOUNT = re.compile(r"(\d{1,6})(?:[.,](\d{1,2}))?")
_WEEK = timedelta(days=7)


def _money(case: Case, cents: int) -> str:
    return money_text(Money(cents, case.the_charge().currency), locale())


def _cents(case: Case, name: str, wrong: str) -> int | None:
    """An amount in euros, as cents; None for all of it. Raises InputError with the code `wrong`."""
    typed = case.text(name).replace("€", "").strip()
    if not typed:
        return None
    found = _AMOUNT.fullmatch(typed)
    if found is None:
        raise InputError(wrong, "Fill in an amount, such as 12.50.", name)
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def _refund_fields(case: Case) -> Sequence[Field]:
    return (
        Field("cents", _("Amount"), hint=_("In euro, such as 12.50. Empty: all that was kept.")),
        Field(
            "despite_reversal", _("Also while the bank may still reverse the debit"), "tick",
            hint=_("A reversal after a refund pays the member twice."),
        ),
    )  # fmt: skip


def _refund_lines(case: Case) -> Sequence[str]:
    charge = case.the_charge()
    on_its_way = sum(charges.refunds_under_way(case.tx, charge.id).values())
    kept = charge.money.kept_cents - on_its_way
    wanted = _cents(case, "cents", "refund_amount")
    cents = kept if wanted is None else wanted
    lines = [_("%(amount)s goes back to who paid it.", amount=_money(case, cents))]
    if cents < kept:
        lines.append(_("%(amount)s of it is kept.", amount=_money(case, kept - cents)))
    return [*lines, _("The member gets a mail about it.")]


def _refund(case: Case) -> None:
    charge = case.the_charge()
    # Pressed twice, it is one refund: it is named by what had gone back before it.
    before = charge.refunded_cents + sum(charges.refunds_under_way(case.tx, charge.id).values())
    refunds.order(
        case.tx, charge.id, _cents(case, "cents", "refund_amount"), f"desk:{before}", case.actor, case.now,
        despite_reversal=case.ticked("despite_reversal"),
    )  # fmt: skip


def _is_failing(case: Case) -> bool:
    charge = case.charge
    asked = charge is not None and charge.failed_at is not None and charge.asked_cents > 0
    return asked and case.row.subscription.state in LIVE


def _may_be_debited(case: Case) -> bool:
    return _is_failing(case) and dunning.hinders(case.tx, case.row.subscription, case.the_charge()) is None


def _is_owed(case: Case) -> bool:
    return case.charge is not None and case.charge.asked_cents > 0


def _extend_fields(case: Case) -> Sequence[Field]:
    usual = ""
    if _is_failing(case):
        end = dunning.grace_end(case.tx, case.row.subscription, case.the_charge())
        usual = (local_day(max(end, case.now), case.desk.site.zone) + _WEEK).isoformat()
    return (Field("until", _("First day without grace"), "date", usual, needed=True),)


def _extend_lines(case: Case) -> Sequence[str]:
    until = case.day("until")
    if until is None:
        raise InputError("no_date", "Fill in a day.", "until")
    return [_("Access stays until %(day)s, paid or not.", day=day_text(until, locale()))]


def _extend(case: Case) -> None:
    until = case.day("until")
    if until is not None:
        debts.extend(case.tx, case.the_charge().id, until, case.actor, case.now)


def _write_off_fields(_case: Case) -> Sequence[Field]:
    ends = (("no", _("It goes on; these days are given")), ("yes", _("It ends now")))
    return (Field("ends", _("The subscription"), "choice", "no", ends),)


def _write_off_lines(case: Case) -> Sequence[str]:
    owed = _money(case, case.the_charge().asked_cents)
    return [_("%(amount)s is not asked for any more.", amount=owed)]


def _outside_fields(_case: Case) -> Sequence[Field]:
    return (
        Field("cents", _("Amount"), hint=_("In euro, such as 12.50. Empty: all that is owed.")),
        Field("note", _("How it was paid"), hint=_("In cash, by bank transfer; it stands on the timeline.")),
    )


def _outside_lines(case: Case) -> Sequence[str]:
    wanted = _cents(case, "cents", "outside_amount")
    cents = case.the_charge().money.owed_cents if wanted is None else wanted
    return [
        _("%(amount)s is booked as paid outside of Mollie.", amount=_money(case, cents)),
        _("A debit that is paid all the same goes back by itself."),
    ]


def _outside(case: Case) -> None:
    debts.paid_outside(
        case.tx, case.the_charge().id, _cents(case, "cents", "outside_amount"), case.text("note"),
        case.actor, case.now,
    )  # fmt: skip


def _retry_lines(case: Case) -> Sequence[str]:
    return [_("%(amount)s is debited once more, today.", amount=_money(case, case.the_charge().asked_cents))]


def _pay_link_lines(case: Case) -> Sequence[str]:
    owed = _money(case, case.the_charge().asked_cents)
    return [
        _("The member gets a mail with a link that pays %(amount)s.", amount=owed),
        _("At most one a day is sent."),
    ]


ACTIONS = (
    Action(
        "refund",
        "charge",
        lambda: _("Refund"),
        lambda: _("Send it back"),
        lambda: _("The money is on its way back."),
        _refund,
        _refund_lines,
        _refund_fields,
        lambda case: case.charge is not None and case.charge.money.kept_cents > 0,
    ),
    Action(
        "pay-link",
        "charge",
        lambda: _("Send the pay link"),
        lambda: _("Send it"),
        lambda: _("The link is sent."),
        lambda case: links.send_pay_link(case.tx, case.the_charge().id, case.actor, case.now),
        _pay_link_lines,
        offered=_is_owed,
    ),
    Action(
        "extend",
        "charge",
        lambda: _("Give more time"),
        lambda: _("Give it"),
        lambda: _("More time is given."),
        _extend,
        _extend_lines,
        _extend_fields,
        _is_failing,
    ),
    Action(
        "retry",
        "charge",
        lambda: _("Debit once more"),
        lambda: _("Debit it now"),
        lambda: _("A debit is on its way."),
        lambda case: debts.retry(case.tx, case.the_charge().id, case.actor, case.now),
        _retry_lines,
        offered=_may_be_debited,
    ),
    Action(
        "stop",
        "charge",
        lambda: _("No more mails and tries"),
        lambda: _("Stop them"),
        lambda: _("They are stopped."),
        lambda case: debts.stop(case.tx, case.the_charge().id, case.actor, case.now),
        lambda _case: [_("No more mails and debits for this amount; its grace still ends on its day.")],
        offered=lambda case: _is_failing(case) and case.the_charge().dunning_stopped_at is None,
    ),
    Action(
        "paid-outside",
        "charge",
        lambda: _("Paid outside of Mollie"),
        lambda: _("Book it"),
        lambda: _("It is booked."),
        _outside,
        _outside_lines,
        _outside_fields,
        lambda case: _is_owed(case) and case.row.subscription.started_at is not None,
    ),
    Action(
        "write-off",
        "charge",
        lambda: _("Write off"),
        lambda: _("Write it off"),
        lambda: _("It is written off."),
        lambda case: debts.write_off(
            case.tx, case.the_charge().id, case.actor, case.now, ends=case.text("ends") == "yes"
        ),
        _write_off_lines,
        _write_off_fields,
        _is_owed,
    ),
    Action(
        "renewal-link",
        "subscription",
        lambda: _("Send a link for a new account or card"),
        lambda: _("Send it"),
        lambda: _("The link is sent."),
        lambda case: links.send_renewal_link(case.tx, case.id, case.actor, case.now),
        lambda _case: [
            _("The member gets a mail that leads to a new account or card."),
            _("At most one a day is sent."),
        ],
        offered=lambda case: case.row.subscription.state in LIVE,
    ),
)
