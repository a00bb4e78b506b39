"""A new site: for who has none yet, and for owners who have more than one school."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Role
from linkpay.errors import Conflict
from linkpay.services import setup, shelf
from linkpay.services.formats import LOCALES
from linkpay.services.shelf import By
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_first", __name__, url_prefix="/owner")


@bp.get("/new")
@gate.person_page
def new() -> Response:
    """The empty form."""
    person: gate.Person = g.person
    return _form(Sheet({"locale": person.locale}))


@bp.post("/new")
@gate.person_page
def make() -> Response:
    """Make it, and go on with its set-up."""
    person: gate.Person = g.person
    if not _may(person):
        return _form(Sheet({}))
    sheet = Sheet(request.form)
    name = sheet.text("name", needed=_("Fill in the name that buyers know."))
    slug = shelf.slug_of(sheet.value("slug") or name)
    language = sheet.one_of("locale", LOCALES)
    if sheet.problems:
        return _form(sheet)
    by = By(f"owner:{person.email}"[:60], parts().clock.now())
    try:
        with parts().database.write() as tx:
            setup.found(tx, person.id, slug, name, language, by)
    except Conflict:
        sheet.wrong("slug", _("%(slug)s is taken. Choose another name for the address.", slug=slug))
        return _form(sheet)
    return make_response(redirect(url_for("owner_start.show", site=slug), 303))


def _may(person: gate.Person) -> bool:
    """Who only helps at somebody's site makes none of her own there."""
    return not person.sites or any(role is Role.OWNER for _slug, _name, role in person.sites)


def _form(sheet: Sheet) -> Response:
    person: gate.Person = g.person
    page = render_template(
        "owner/new_site.html", person=person, sheet=sheet, may=_may(person), base=parts().base_url
    )
    return make_response(page, 422 if sheet.problems else 200 if _may(person) else 403)
