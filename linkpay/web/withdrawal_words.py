"""What comes of withdrawing, in sentences: the same on the public page and in the portal."""

from linkpay.services.contracts import Coming, Contract
from linkpay.web import prices
from linkpay.web.i18n import gettext as _
from linkpay.web.portal.words import day


def button() -> str:
    """The words that the law gives the last button (directive 2023/2673, article 11a)."""
    return _("Confirm withdrawal")


def days_line(contract: Contract) -> str:
    """When it was bought and until when it can be withdrawn from."""
    values = {"bought": day(contract.agreed_on), "last": day(contract.last_on)}
    if contract.in_time:
        return _("Bought on %(bought)s. You can withdraw up to and including %(last)s.", **values)
    return _("Bought on %(bought)s. You could withdraw up to and including %(last)s.", **values)


def coming_lines(coming: Coming) -> tuple[str, ...]:
    """What happens, line by line."""
    found = [_("It ends at once: nothing more is collected, and your access closes.")]
    if coming.refund.cents and coming.pro_rata:
        found.append(
            _(
                "You get back %(amount)s: all but the days until your declaration, since you asked for a "
                "start at once.",
                amount=prices.money(coming.refund),
            )
        )
    elif coming.refund.cents:
        found.append(_("You get back %(amount)s.", amount=prices.money(coming.refund)))
    if coming.by_hand.cents:
        amount = prices.money(coming.by_hand)
        found.append(_("The seller sends you %(amount)s that you paid directly.", amount=amount))
    if coming.debit_runs:
        found.append(_("A collection that is under way is stopped, or goes back to you as soon as it is in."))
    found.append(_("This cannot be undone; you can always order again."))
    return tuple(found)
