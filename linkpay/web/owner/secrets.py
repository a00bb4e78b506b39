"""The keys of a site at the desk: replaced, never shown, and each tried where it comes from first."""

from contextlib import suppress

from flask import Blueprint, Response, g, request

from linkpay.domain.roles import Right
from linkpay.errors import Conflict, ProviderError
from linkpay.ports import DirectoryKey
from linkpay.services import checkup, keys
from linkpay.services.keys import Trouble
from linkpay.store import sites
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate
from linkpay.web.owner.offers import by, see
from linkpay.web.owner.settings import page
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_secrets", __name__, url_prefix="/owner")


@bp.post("/<slug:site>/settings/mollie")
@gate.site_page(Right.MANAGE)
def mollie(site: str) -> Response:
    """Another Mollie key."""
    at: gate.Desk = g.desk
    typed, sheet = request.form.get("mollie_key", "").strip()[:200], Sheet({})
    with parts().database.read() as tx:
        row = sites.get(tx, at.site.id)
    trouble = keys.try_mollie_key(parts(), row, typed)
    if trouble is not None:
        sheet.wrong("mollie_key", _mollie_said(trouble))
        return page(sheet)
    try:
        with parts().database.write() as tx:
            keys.put_mollie_key(tx, sites.get(tx, at.site.id), typed, parts().box, by())
    except Conflict:
        sheet.wrong("mollie_key", _other_mode())
        return page(sheet)
    with suppress(ProviderError):
        checkup.note_methods(parts(), at.site.id, typed)  # the daily watch looks again
    return see("owner_settings.show", kept=1)


@bp.post("/<slug:site>/settings/kajabi")
@gate.site_page(Right.MANAGE)
def kajabi(site: str) -> Response:
    """Another key of Kajabi's public API, or none any more."""
    at: gate.Desk = g.desk
    if request.form.get("drop"):
        with parts().database.write() as tx:
            keys.drop_kajabi_key(tx, sites.get(tx, at.site.id), by())
        return see("owner_settings.show", kept=1)
    sheet = Sheet(request.form)
    number = sheet.text("kajabi_site", most=40, needed=_("Fill in the number of your site at Kajabi."))
    client = sheet.text("kajabi_client", most=200, needed=_("Fill in the client id."))
    secret = request.form.get("kajabi_secret", "").strip()[:300]
    if not secret:
        sheet.wrong("kajabi_secret", _("Fill in the client secret."))
    if number and not number.isdecimal():
        sheet.wrong("kajabi_site", _("The number of a site at Kajabi has digits only."))
    if sheet.problems:
        return page(sheet)
    key = DirectoryKey(number, client, secret)
    trouble = keys.try_kajabi_key(parts(), key)
    if trouble is not None:
        sheet.wrong("kajabi_secret", _kajabi_said(trouble))
        return page(sheet)
    with parts().database.write() as tx:
        keys.put_kajabi_key(tx, sites.get(tx, at.site.id), key, parts().box, by())
    return see("owner_settings.show", kept=1)


def _mollie_said(trouble: Trouble) -> str:
    return {
        Trouble.SHAPE: _("A Mollie key begins with test_ or live_."),
        Trouble.REFUSED: _("Mollie refuses this key. Copy it again: Mollie, Developers, API keys."),
        Trouble.OTHER_ACCOUNT: _("This key is of another Mollie account: it does not know your members."),
        Trouble.AWAY: _("Mollie did not answer. Your key was not changed; try again in a minute."),
    }[trouble]


def _other_mode() -> str:
    return _(
        "Somebody is a member by the other kind of key. What runs in test mode does not exist in live mode: "
        "end it first, or make a second site."
    )


def _kajabi_said(trouble: Trouble) -> str:
    if trouble is Trouble.AWAY:
        return _("Kajabi did not answer. Nothing was changed; try again in a minute.")
    return _("Kajabi refuses this key, or it is of another site. Make it again: Settings, Public API.")
