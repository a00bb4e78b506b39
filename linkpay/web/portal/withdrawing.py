"""Withdraw as who is signed in: what would come of it, and the button of the law."""

from flask import Response

from linkpay.errors import Conflict
from linkpay.services import contracts, withdrawing
from linkpay.store import sites, subscriptions
from linkpay.web import withdrawal_words
from linkpay.web.i18n import gettext as _
from linkpay.web.portal import acts
from linkpay.web.portal.acts import Act, Action, Case
from linkpay.web.portal.door import guest, rooms

bp = rooms("withdrawing", __name__)


@bp.get("/subscriptions/<token:token>/withdraw")
def withdraw(site: str, token: str) -> Response:
    """What would come of it."""
    return acts.look(WITHDRAW, token)


@bp.post("/subscriptions/<token:token>/withdraw")
def do_withdraw(site: str, token: str) -> Response:
    """Withdraw."""
    return acts.press(WITHDRAW, token)


def _withdrawing(case: Case) -> Act:
    site = sites.get(case.tx, guest().seller.id)
    subscription = subscriptions.get(case.tx, case.subscription_id)
    found = contracts.open_for(case.tx, site, subscription, case.now)
    if found is None:
        raise Conflict("withdrawal_late", "The days to withdraw from this order are over.")
    coming = contracts.preview(case.tx, case.subscription_id, case.now)
    lines = (withdrawal_words.days_line(found), *withdrawal_words.coming_lines(coming))
    title = _("Withdraw from the contract for %(title)s", title=case.holding.offer_title)
    return Act(title, lines, withdrawal_words.button())


def _withdraw(case: Case) -> None:
    site = sites.get(case.tx, guest().seller.id)
    text = _("I hereby withdraw from my contract for: %(what)s.", what=case.holding.offer_title)
    withdrawing.by_member(case.tx, site, case.subscription_id, text, case.now)


WITHDRAW = Action("withdraw", _withdrawing, _withdraw)
