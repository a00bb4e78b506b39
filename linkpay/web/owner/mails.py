"""The words of mails at the desk: every text in both languages, tried, kept, reset, and sent to oneself."""

from itertools import groupby

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.roles import Right
from linkpay.errors import ProviderError
from linkpay.services import mail_kinds, mail_texts
from linkpay.services.mail_texts import WordsRefused
from linkpay.services.owner_words import Broken
from linkpay.services.texts import Written
from linkpay.store import sites
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.headers import framing, only_styled
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner import gate
from linkpay.web.owner.offers import by, see

bp = Blueprint("owner_mails", __name__, url_prefix="/owner")
_LONGEST = 12_000
_ONE = "/<slug:site>/mails/<slug:kind>/<any(nl, en):language>"


@bp.get("/<slug:site>/mails")
@gate.site_page(Right.SEE)
def mails(site: str) -> Response:
    """Every kind of mail, and whose words it goes out in."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        texts = mail_texts.overview(tx, sites.get(tx, at.site.id))
    own = {(text.kind, text.locale) for text in texts if text.changed_at}
    kinds = mail_kinds.in_order(locale())
    groups = [(name, list(some)) for name, some in groupby(kinds, key=lambda one: one.group)]
    return make_response(render_template("owner/mails.html", desk=at, groups=groups, own=own))


@bp.get(_ONE)
@gate.site_page(Right.SEE)
def mail(site: str, kind: str, language: str) -> Response:
    """One text with how it looks."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        text = mail_texts.get(tx, sites.get(tx, at.site.id), kind, language).text
    return _show(kind, language, text)


@bp.post(_ONE)
@gate.site_page(Right.MANAGE)
def keep(site: str, kind: str, language: str) -> Response:
    """Write it in these words from now on."""
    at: gate.Desk = g.desk
    text = _typed()
    try:
        with parts().database.write() as tx:
            row = sites.get(tx, at.site.id)
            mail_texts.save(tx, row, kind, language, text, by().actor, by().now)
    except WordsRefused as wrong:
        return _broken(kind, language, text, wrong)
    return see("owner_mails.mail", kind=kind, language=language, done="kept")


@bp.post(f"{_ONE}/reset")
@gate.site_page(Right.MANAGE)
def reset(site: str, kind: str, language: str) -> Response:
    """Write it in our words again."""
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        mail_texts.reset(tx, sites.get(tx, at.site.id), kind, language, by().now, by().actor)
    return see("owner_mails.mail", kind=kind, language=language, done="reset")


@bp.post(f"{_ONE}/trial")
@gate.site_page(Right.MANAGE)
def trial(site: str, kind: str, language: str) -> Response:
    """Send it to whoever presses, in the words of the form."""
    at: gate.Desk = g.desk
    text = _typed()
    with parts().database.read() as tx:
        row = sites.get(tx, at.site.id)
    try:
        written = mail_texts.preview(row, kind, language, text)
        parts().mailer.send(mail_texts.on_trial(row, at.person.email, written, parts().base_url))
    except WordsRefused as wrong:
        return _broken(kind, language, text, wrong)
    except ProviderError:
        return _show(kind, language, text, Problem("text", mail_refused()))
    with parts().database.write() as tx:
        mail_texts.sent_on_trial(tx, row, kind, language, by().actor, by().now)
    return _show(kind, language, text, done="sent")


@bp.get(f"{_ONE}/look")
@gate.site_page(Right.SEE)
def look(site: str, kind: str, language: str) -> Response:
    """The mail as it goes out now, to stand in the page."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        row = sites.get(tx, at.site.id)
        text = mail_texts.get(tx, row, kind, language).text
    return _as_mail(mail_texts.preview(row, kind, language, text))


@bp.post(f"{_ONE}/look")
@gate.site_page(Right.MANAGE)
def look_at(site: str, kind: str, language: str) -> Response:
    """The mail in the words of the form, which are not kept."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        row = sites.get(tx, at.site.id)
    try:
        return _as_mail(mail_texts.preview(row, kind, language, _typed()))
    except WordsRefused as wrong:
        page = render_template("owner/mail_broken.html", desk=at, why=why(wrong.broken))
        return framing(make_response(page, 422))


def mail_refused() -> str:
    """What to say when the mail server did not take one."""
    return _("The mail server did not take it. Whoever runs LinkPay finds out why with the doctor command.")


def _typed() -> str:
    # Editors part lines with signs that nobody sees and a mail's subject may not hold.
    return "\n".join(request.form.get("text", "").replace("\0", "").splitlines())[:_LONGEST]


def _as_mail(written: Written) -> Response:
    return only_styled(Response(written.html, mimetype="text/html"))


def _broken(kind: str, language: str, text: str, wrong: WordsRefused) -> Response:
    said = _("This cannot be sent yet. %(why)s", why=why(wrong.broken))
    return _show(kind, language, text, Problem("text", said))


def why(broken: Broken) -> str:
    """What is wrong with an owner's words, in the page's language, with the line where it is known."""
    said = {
        "long": _("It is too long: at most 10,000 characters."),
        "name": _("“%(what)s” is not known in this mail.", what=broken.what),
        "include": _("Only our own greeting and reason can be included."),
        "use": _("This is more than the words of a mail may do. Look at what they may speak of."),
        "loop": _("A loop goes over one of the lists of this mail, and not within another."),
        "subject": _("The first line is the subject, and words must follow it."),
        "button": _("The button “%(what)s” leads nowhere: write > Label: https://...", what=broken.what),
        "unknown": _("This may be unknown in some mails: put it between if and endif."),
    }.get(broken.code, _("It cannot be read: check the braces and percent signs."))
    return _("Line %(line)s: %(said)s", line=broken.line, said=said) if broken.line else said


def _show(kind: str, language: str, text: str, problem: Problem | None = None, done: str = "") -> Response:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        kept = mail_texts.get(tx, sites.get(tx, at.site.id), kind, language)
    page = render_template(
        "owner/mail_words.html", desk=at, kind=kind, language=language, text=text, kept=kept, problem=problem,
        title=mail_kinds.title(kind, locale()), names=mail_texts.known_names(kind, language),
        done=done or request.args.get("done", ""), sender=at.site.name,
    )  # fmt: skip
    return framing(make_response(page, 422 if problem else 200))
