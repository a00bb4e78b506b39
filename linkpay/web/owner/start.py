"""The guided set-up of a site, which checks itself, and the rehearsal of a plan."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.calendar import local_day
from linkpay.domain.roles import Right
from linkpay.errors import Conflict, InputError, ProviderError
from linkpay.services import checkup, guide, mail_texts, rehearsal, shelf
from linkpay.services.checkup import Trial
from linkpay.store import shelf as stock
from linkpay.store import sites
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate, start_words
from linkpay.web.owner.mails import mail_refused
from linkpay.web.owner.offers import by
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_start", __name__, url_prefix="/owner")


@bp.get("/<slug:site>/start")
@gate.site_page(Right.MANAGE)
def show(site: str) -> Response:
    """Every step with how it stands, and how to mend what does not."""
    return _show(Sheet({}))


@bp.post("/<slug:site>/start/grant")
@gate.site_page(Right.MANAGE)
def grant(site: str) -> Response:
    """Give access to an address and take it back, to see Kajabi do both."""
    at: gate.Desk = g.desk
    sheet, number = Sheet(request.form), request.form.get("offer", 0, type=row_number)
    try:
        with parts().database.read() as tx:
            row, offer = sites.get(tx, at.site.id), shelf.offer_of(tx, at.site.id, number)
            email = checkup.may_try(tx, row, sheet.value("email"))
        if checkup.kajabi(parts(), offer).code != "works":
            sheet.wrong("offer", _("Mend the addresses of this offer first."))
            return _show(sheet)
    except Conflict:
        sheet.wrong("email", _("Somebody with this address is a member; take another one."))
        return _show(sheet)
    except InputError as refused:
        sheet.wrong("email", _("Check the e-mail address."))
        if refused.code == "offer_unknown":
            raise
        return _show(sheet)
    trial = checkup.try_access(parts(), offer, email)
    with parts().database.write() as tx:
        checkup.tried(tx, row, offer, trial, by())
    return _show(sheet, trial=trial)


@bp.post("/<slug:site>/start/mail")
@gate.site_page(Right.MANAGE)
def mail(site: str) -> Response:
    """Send whoever presses a mail as members get them."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        row = sites.get(tx, at.site.id)
        text = mail_texts.get(tx, row, "welcome", row.locale).text
    written = mail_texts.preview(row, "welcome", row.locale, text)
    sheet = Sheet({})
    try:
        parts().mailer.send(mail_texts.on_trial(row, at.person.email, written, parts().base_url))
    except ProviderError:
        sheet.wrong("mail", mail_refused())
        return _show(sheet)
    with parts().database.write() as tx:
        mail_texts.sent_on_trial(tx, row, "welcome", row.locale, by().actor, by().now)
    return _show(sheet, sent=True)


@bp.get("/<slug:site>/start/rehearsal")
@gate.site_page(Right.SEE)
def rehearse(site: str) -> Response:
    """A year of a membership in a minute."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        plans = [plan for plan in stock.plans(tx, at.site.id) if plan.archived_at is None]
        chosen = next((plan for plan in plans if plan.slug == request.args.get("plan")), None)
        plan = chosen or (plans[0] if plans else None)
        titles = {offer.id: offer.title for offer in stock.offers(tx, at.site.id)}
        policy = sites.policy_of(sites.get(tx, at.site.id), plan.policy) if plan else None
    played, scene = None, None
    if plan is not None and policy is not None:
        today = local_day(parts().clock.now(), at.site.zone)
        scene = rehearsal.Scene(plan.terms, policy, plan.vat_basis_points, today, at.site.zone)
        played = rehearsal.play(scene)
    page = render_template(
        "owner/rehearsal.html", desk=at, plans=plans, plan=plan, titles=titles, played=played,
        tell=start_words.Teller(scene) if scene else None, still=request.args.get("still") == "1",
    )  # fmt: skip
    return make_response(page)


def _show(sheet: Sheet, *, trial: Trial | None = None, sent: bool = False) -> Response:
    at: gate.Desk = g.desk
    found = guide.look(parts(), at.site.id)
    values: Mapping[str, Any] = {
        "guide": found, "steps": start_words.steps(found), "trial": trial, "sent": sent, "sheet": sheet,
    }  # fmt: skip
    page = render_template("owner/start.html", desk=at, **values)
    return make_response(page, 422 if sheet.problems else 200)
