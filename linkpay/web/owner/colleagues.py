"""Who else manages the site: invitations, roles."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Right, Role
from linkpay.errors import Conflict, InputError
from linkpay.services import colleagues
from linkpay.store import owners
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate

bp = Blueprint("owner_colleagues", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/colleagues")
@gate.site_page(Right.MANAGE)
def show(site: str) -> Response:
    """Everybody who manages this site, and who was invited."""
    return _show()


@bp.post("/<slug:site>/colleagues/invite")
@gate.site_page(Right.MANAGE)
def invite(site: str) -> Response:
    """A link for a colleague, shown once, to be sent by a way one trusts."""
    at: gate.Desk = g.desk
    email, role = request.form.get("email", "")[:254], _role(request.form.get("role"))
    try:
        with parts().database.write() as tx:
            token = colleagues.invite(
                tx, at.site.id, email, role or Role.READ_ONLY, at.actor, parts().clock.now()
            )
    except InputError:
        return _show(email=email, problem=Problem("email", _("Check the e-mail address.")))
    link = parts().base_url + url_for("owner_joining.join", token=token)
    return _show(link=link)


@bp.post("/<slug:site>/colleagues/<int:number>")
@gate.site_page(Right.MANAGE)
def change(site: str, number: int) -> Response:
    """Another role for somebody, or none."""
    at: gate.Desk = g.desk
    role = _role(request.form.get("role"))
    try:
        with parts().database.write() as tx:
            colleagues.change_role(tx, at.site.id, number, role, at.actor, parts().clock.now())
    except Conflict:
        sentence = _("A site keeps at least one owner. Make somebody else owner first.")
        return _show(problem=Problem("colleagues", sentence))
    return make_response(redirect(url_for("owner_colleagues.show", site=site), 303))


@bp.post("/<slug:site>/invitations/<int:number>/withdraw")
@gate.site_page(Right.MANAGE)
def withdraw(site: str, number: int) -> Response:
    """The link opens nothing any more."""
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        colleagues.withdraw(tx, at.site.id, number, at.actor, parts().clock.now())
    return make_response(redirect(url_for("owner_colleagues.show", site=site), 303))


def _role(text: str | None) -> Role | None:
    return Role(text) if text in set(Role) else None


def _show(*, email: str = "", link: str | None = None, problem: Problem | None = None) -> Response:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        people = [(owner.id, owner.email, owner.name, role) for owner, role in owners.of_site(tx, at.site.id)]
        invited = owners.invitations(tx, at.site.id, parts().clock.now())
    page = render_template(
        "owner/colleagues.html", desk=at, people=people, invited=invited, roles=list(Role), email=email,
        link=link, problem=problem,
    )  # fmt: skip
    return make_response(page, 422 if problem else 200)
