"""The settings of a site: what it says of itself, how it looks, where it may stand, what it keeps."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain import colour, picture
from linkpay.domain.email import normalise_email
from linkpay.domain.roles import Right
from linkpay.errors import InputError
from linkpay.services import keys, settings
from linkpay.services.formats import LOCALES
from linkpay.services.specs import SiteSpec
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Site
from linkpay.web.edge import edge, parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate, origins
from linkpay.web.owner.offers import by, see
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_settings", __name__, url_prefix="/owner")
#: A logo and the form around it.
_UPLOAD = picture.MOST_BYTES + 20 * 1024
_MESSAGES, _MAILS = (30, 3650), (400, 3650)  # days

#: Does the change that a form asks for, once nothing is wrong with it.
Act = Callable[[Tx, Site], None]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What may be shown of what is sealed: enough to tell one key from another."""

    mollie: str | None
    mode: str
    kajabi_site: str | None
    kajabi_client: str | None
    hook: str


@bp.get("/<slug:site>/settings")
@gate.site_page(Right.MANAGE)
def show(site: str) -> Response:
    """Everything that is set, with a form for each part."""
    return page(_filled())


@bp.post("/<slug:site>/settings/about")
@gate.site_page(Right.MANAGE)
def about(site: str) -> Response:
    """Its name, language and addresses."""
    sheet = Sheet(request.form)
    told = settings.About(
        sheet.text("name", needed=_("Fill in the name that buyers know.")),
        sheet.one_of("locale", LOCALES), _email(sheet), sheet.web_address("login_url"), _creditor(sheet),
    )  # fmt: skip
    return _do(sheet, lambda tx, row: settings.tell_about(tx, row, told, by()))


@bp.post("/<slug:site>/settings/accent")
@gate.site_page(Right.MANAGE)
def accent(site: str) -> Response:
    """Its own colour, or ours again."""
    sheet = Sheet(request.form)
    typed = "" if request.form.get("ours") else sheet.value("accent").lower()
    if typed and colour.parse(typed) is None:
        sheet.wrong("accent", _("Write a colour as # with six signs, such as #0b6b57."))
    return _do(sheet, lambda tx, row: settings.choose_accent(tx, row, typed or None, by()))


@bp.post("/<slug:site>/settings/logo")
@gate.site_page(Right.MANAGE, body_bytes=_UPLOAD)
def logo(site: str) -> Response:
    """A picture for the top of its pages, or none any more."""
    sheet = Sheet(request.form)
    if request.form.get("drop"):
        return _do(sheet, lambda tx, row: settings.drop_logo(tx, row, by()))
    sent = request.files.get("logo")
    try:
        found = picture.read(sent.read() if sent else b"")
    except picture.PictureError as problem:
        sheet.wrong("logo", _picture_said(problem.code))
        return page(sheet)
    return _do(sheet, lambda tx, row: settings.put_logo(tx, row, found, by()))


@bp.post("/<slug:site>/settings/parents")
@gate.site_page(Right.MANAGE)
def parents(site: str) -> Response:
    """The pages that the checkout may be put into."""
    sheet = Sheet({"parents": request.form.get("parents", "").replace("\n", " ")})
    found = origins.read(sheet.value("parents"), secure=edge().secure)
    if found is None:
        sheet.wrong("parents", _("Write one address of a site a line, such as https://www.yoursite.com."))
        return page(sheet)
    return _do(sheet, lambda tx, row: settings.allow_parents(tx, row, found, by()))


@bp.post("/<slug:site>/settings/retention")
@gate.site_page(Right.MANAGE)
def retention(site: str) -> Response:
    """How long things are kept as they came and went."""
    sheet = Sheet(request.form)
    messages, mails = sheet.whole("messages", *_MESSAGES), sheet.whole("mails", *_MAILS)
    return _do(sheet, lambda tx, row: settings.keep_for(tx, row, messages, mails, by()))


def _do(sheet: Sheet, act: Act) -> Response:
    """The change, or the page again with what is wrong."""
    at: gate.Desk = g.desk
    if sheet.problems:
        return page(sheet)
    with parts().database.write() as tx:
        act(tx, sites.get(tx, at.site.id))
    return see("owner_settings.show", kept=1)


def _email(sheet: Sheet) -> str | None:
    typed = sheet.value("support_email")
    try:
        return normalise_email(typed) if typed else None
    except InputError:
        sheet.wrong("support_email", _("Check the e-mail address."))
        return None


def _creditor(sheet: Sheet) -> str | None:
    typed = sheet.value("creditor_id").replace(" ", "").upper()
    if typed and not SiteSpec.is_creditor_id(typed):
        sheet.wrong("creditor_id", _("A SEPA creditor id looks like NL12ZZZ123456780000."))
    return typed[:35] or None


def _picture_said(code: str) -> str:
    return {
        "kind": _("Choose a picture of kind PNG, JPEG or WebP. An SVG can hold scripts and is not taken."),
        "bytes": _("The picture is too large: at most 200 kilobytes."),
        "pixels": _("The picture is too large: at most 2000 pixels wide and high."),
    }[code]


def _filled() -> Sheet:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        return Sheet(values(sites.get(tx, at.site.id)))


def values(site: Site) -> dict[str, str]:
    """The forms as the site stands, without its secrets."""
    return {
        "name": site.name, "locale": site.locale, "support_email": site.support_email or "",
        "login_url": site.login_url or "", "creditor_id": site.creditor_id or "",
        "accent": site.accent or "#0b6b57", "parents": " ".join(site.embed_parents),
        "messages": str(site.keep_messages_days), "mails": str(site.keep_mails_days),
        "kajabi_site": site.kajabi_site_id or "", "kajabi_client": site.kajabi_client_id or "",
    }  # fmt: skip


def page(sheet: Sheet) -> Response:
    """All settings; what `sheet` does not hold is filled in as it stands."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        site = sites.get(tx, at.site.id)
        hook = f"{parts().base_url}/webhooks/kajabi/{site.token}"
        known = Secrets(
            keys.masked_mollie_key(site, parts().box), site.mode, site.kajabi_site_id,
            keys.mask(site.kajabi_client_id) if site.kajabi_client_id else None, hook,
        )  # fmt: skip
    sheet.complete(values(site))
    shown = render_template(
        "owner/settings.html", desk=at, sheet=sheet, site=site, known=known, languages_of_site=LOCALES,
        accent=colour.accent(site.accent) if site.accent else None, kept=request.args.get("kept") == "1",
    )  # fmt: skip
    return make_response(shown, 422 if sheet.problems else 200)
