"""What became of a new account or card. A page of its own, without a person on it: a bank's app may bring
her back in another browser than the one that she is signed in with."""

from flask import Blueprint, Response, make_response, render_template, request, url_for

from linkpay.errors import NotFound
from linkpay.services import mandate_renewal
from linkpay.services.mandate_renewal import Stage
from linkpay.store import mandates
from linkpay.store.tables import Customer, Offer, Subscription
from linkpay.web.edge import parts
from linkpay.web.i18n import asked_language, settle_on
from linkpay.web.portal.door import PREFIX
from linkpay.web.shop import find_site, seller_of

bp = Blueprint("portal_renewals", __name__, url_prefix=PREFIX)

_MOVING = frozenset({Stage.WAITING, Stage.PROVING})
#: Seconds to the next look, by how often was looked; a bank that takes longer is told of by e-mail.
_PAUSES = (2, 2, 3, 3, 5, 5, 8, 10, 15, 20, 30, 30, 30)


@bp.get("/renewals/<token:token>")
def renewal(site: str, token: str) -> Response:
    """How far it is; looks again by itself while something is under way."""
    with parts().database.read() as tx:
        row = find_site(tx, site)
        found = mandates.renewal_by_token(tx, row.id, token)
        if found is None:
            raise NotFound("renewal_unknown", "There is no such renewal.")
        asked, check = found
        stage = mandate_renewal.stage(tx, asked, check)
        subscription = tx.get_one(Subscription, asked.subscription_id)
        title, seller = tx.get_one(Offer, subscription.offer_id).title, seller_of(row)
        settle_on(tx.get_one(Customer, subscription.customer_id).locale)
    if stage is Stage.WAITING:
        with parts().database.write() as tx:
            mandate_renewal.look_now(tx, check.id, parts().clock.now())
    turn = min(request.args.get("n", 0, int), len(_PAUSES))
    pause = _PAUSES[turn] if stage in _MOVING and 0 <= turn < len(_PAUSES) else None
    page = make_response(
        render_template(
            "portal/renewal.html", seller=seller, stage=stage.value, title=title, pause=pause,
            order_token=subscription.token, token=token,
        )
    )  # fmt: skip
    if pause is not None:
        again = url_for("portal_renewals.renewal", site=site, token=token, n=turn + 1, lang=asked_language())
        page.headers["Refresh"] = f"{pause}; url={again}"
    return page
