"""The first page of the portal: what she has, what happens next, what she paid, what she can do."""

from flask import Response, make_response, render_template, request

from linkpay.domain.order_number import order_number
from linkpay.services import contracts, portal
from linkpay.store import sites
from linkpay.web import prices
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.portal import words
from linkpay.web.portal.door import Guest


def show(guest: Guest) -> Response:
    """Everything that is hers on this site."""
    with parts().database.read() as tx:
        site = sites.get(tx, guest.seller.id)
        found = portal.home(tx, site, guest.email, guest.customer_id, parts().clock.now())
        to_withdraw = contracts.open_tokens(tx, site, guest.customer_id, parts().clock.now())
    return make_response(
        render_template(
            "portal/home.html", seller=guest.seller, guest=guest, home=found, words=words,
            notice=_done().get(request.args.get("done", "")), price=prices.price, doings=_doings(),
            to_withdraw=to_withdraw, number=order_number,
        )
    )  # fmt: skip


def _doings() -> tuple[tuple[str, str, str], ...]:
    """(action, its page, what its link says), in the order in which they are offered."""
    return (
        ("undo", "portal_leaving.undo", _("Take the cancellation back")),
        ("resume", "portal_pausing.resume", _("Go on, end the pause")),
        ("switch", "portal_switching.switch", _("Another plan")),
        ("stay", "portal_switching.stay", _("Keep the present plan")),
        ("pause", "portal_pausing.pause", _("Pause")),
        ("renew", "portal_account.account", _("New account or card")),
        ("cancel", "portal_leaving.cancel", _("Cancel")),
    )


def _done() -> dict[str, str]:
    """What just happened, by the name in the address."""
    return {
        "cancel": _("It is cancelled. We sent you an e-mail that confirms it."),
        "undo": _("The cancellation is taken back. It goes on as before."),
        "pause": _("It is paused from the end of what you paid. We sent you an e-mail that confirms it."),
        "resume": _("It goes on."),
        "switch": _("Your other plan is set."),
        "stay": _("You keep your present plan."),
        "language": _("From now on we speak English with you."),
        "withdraw": _("You have withdrawn. We sent you an e-mail that confirms it, with the time."),
        "email": _("Everything is under this address now."),
    }
