"""Her language, her address, her data: what concerns the person and not a purchase."""

import json

from flask import Response, make_response, render_template, request

from linkpay.errors import Conflict, InputError
from linkpay.services import addresses, forgetting
from linkpay.services.formats import LOCALES
from linkpay.store import people, sites
from linkpay.web import csrf
from linkpay.web.edge import parts
from linkpay.web.forms import MAX_EMAIL, Problem, read_email, tidy
from linkpay.web.i18n import asked_language, locale, switch_to
from linkpay.web.i18n import gettext as _
from linkpay.web.portal.door import guest, rooms, see, take_key
from linkpay.web.portal.refusals import refusal_words

bp = rooms("person", __name__)


@bp.post("/language")
def language(site: str) -> Response:
    """Speak this language from now on, on pages and in mails."""
    me, chosen = guest(), request.form.get("language", "")
    kept = chosen in LOCALES and csrf.is_ours(_purpose("language")) and me.customer_id is not None
    if kept:
        with parts().database.write() as tx:
            payer = people.customer_by_email(tx, me.seller.id, me.email)
            if payer is not None:
                payer.locale = chosen
    if chosen in LOCALES:
        switch_to(chosen)
    told = {"done": "language"} if kept else {}
    return see("portal_entry.door", site=site, **told)


@bp.get("/email")
def email(site: str) -> Response:
    """Ask for another address."""
    return _address()


@bp.post("/email")
def change_email(site: str) -> Response:
    """Mail a link to the new address; says the same whether somebody has it or not."""
    me = guest()
    typed = tidy(request.form.get("email", ""))[:MAX_EMAIL]
    if not csrf.is_ours(_purpose("email")):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _address(typed, notice=notice, status=403)
    new = read_email(typed)
    if new is None:
        text = _("Fill in your e-mail address, for example name@example.com.")
        return _address(typed, problems=(Problem("email", text),), status=422)
    now = parts().clock.now()
    try:
        with parts().database.write() as tx:
            addresses.ask(tx, sites.get(tx, me.seller.id), me.email, new, locale(), now)
    except Conflict as problem:
        return _address(typed, problems=(Problem("email", refusal_words(problem)),), status=problem.status)
    return make_response(render_template("portal/email_sent.html", seller=me.seller, guest=me, email=new))


def _address(
    typed: str = "", *, notice: str | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:
    me = guest()
    page = render_template(
        "portal/email.html", seller=me.seller, guest=me, typed=typed, notice=notice, problems=problems,
        purpose=_purpose("email"),
    )  # fmt: skip
    return make_response(page, status)


@bp.get("/data")
def data(site: str) -> Response:
    """Download what is held on her, or have it deleted."""
    return _data()


@bp.get("/data/download")
def download(site: str) -> Response:
    """Everything that this site holds on her, as JSON."""
    me = guest()
    with parts().database.read() as tx:
        held = forgetting.data_of(tx, sites.get(tx, me.seller.id), me.email, parts().clock.now())
    answer = make_response(json.dumps(held, ensure_ascii=False, indent=2))
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{me.seller.slug}-data.json"'
    return answer


@bp.post("/data/delete")
def delete(site: str) -> Response:
    """Forget her, if nothing runs and nothing is owed."""
    me = guest()
    if not csrf.is_ours(_purpose("delete")):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _data(notice=notice, status=403)
    if request.form.get("sure") != "yes":
        return _data(problems=(Problem("sure", _("Tick the box if you are sure.")),), status=422)
    try:
        with parts().database.write() as tx:
            site_row = sites.get(tx, me.seller.id)
            forgetting.ask(tx, site_row, me.email, parts().clock.now())
    except InputError as problem:
        return _data(notice=refusal_words(problem), status=problem.status)
    return take_key(make_response(render_template("portal/forgotten.html", seller=me.seller)), site)


def _data(*, notice: str | None = None, problems: tuple[Problem, ...] = (), status: int = 200) -> Response:
    me, refused = guest(), None
    loses: tuple[str, ...] = ()
    with parts().database.read() as tx:
        try:
            loses = forgetting.preview(tx, sites.get(tx, me.seller.id), me.email).loses
        except Conflict as problem:
            refused = refusal_words(problem)
    page = render_template(
        "portal/data.html", seller=me.seller, guest=me, refused=refused, loses=loses, notice=notice,
        problems=problems, purpose=_purpose("delete"), lang=asked_language(),
    )  # fmt: skip
    return make_response(page, status)


def _purpose(name: str) -> str:
    return f"portal/{guest().seller.slug}/{name}"
