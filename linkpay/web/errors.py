"""How refusals and accidents are told: JSON to programs, a page in the visitor's language to people."""

import logging
from dataclasses import dataclass

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import BadHost, HTTPException

from linkpay.errors import InputError
from linkpay.logs import current_correlation
from linkpay.store.db import DATABASE_ERRORS
from linkpay.web.i18n import gettext as _
from linkpay.web.owner.refusals import refusal_words

log = logging.getLogger(__name__)

_PROGRAMS = ("/webhooks/", "/api/", "/healthz", "/readyz", "/metrics")
_RETRY_AFTER = 10  # seconds
#: Characters of a form that are put into a page to be sent again.
_AGAIN_AT_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` and `message` are for programs; people get a page that goes by `status` and `code`."""

    status: int
    code: str
    message: str
    field: str | None = None


def install(app: Flask) -> None:
    """Answer every error, in one shape for each kind of visitor."""
    app.register_error_handler(InputError, _refuse_input)
    app.register_error_handler(HTTPException, _refuse_http)
    for kind in DATABASE_ERRORS:
        app.register_error_handler(kind, _database_away)
    app.register_error_handler(Exception, _accident)


def _refuse_input(problem: InputError) -> Response:
    return _answer(Refusal(problem.status, problem.code, problem.message, problem.field))


def _refuse_http(problem: HTTPException) -> Response:
    if isinstance(problem, BadHost):  # no page can be made: under such a name it has no addresses to lead to
        return Response("This host name cannot be read.\n", 400, mimetype="text/plain")
    status = problem.code or 500
    code = problem.name.lower().replace(" ", "_").replace("'", "")
    answer = _answer(Refusal(status, code, problem.description or problem.name))
    if status == 405:
        answer.headers["Allow"] = ", ".join(sorted(getattr(problem, "valid_methods", None) or ()))
    return answer


def _database_away(problem: Exception) -> Response:
    log.error("database away", extra={"route": _route()}, exc_info=problem)
    answer = _answer(Refusal(503, "unavailable", "The database cannot be reached; try again soon."))
    answer.headers["Retry-After"] = str(_RETRY_AFTER)
    return answer


def _accident(problem: Exception) -> Response:
    """A defect of ours: logged whole, told with the id under which it is logged."""
    log.error("request failed", extra={"route": _route()}, exc_info=problem)
    return _answer(Refusal(500, "internal_error", "Something went wrong on our side."))


def _route() -> str:
    return request.url_rule.rule if request.url_rule else "none"


def _answer(refusal: Refusal) -> Response:
    if request.path.startswith(_PROGRAMS):
        told = {"code": refusal.code, "message": refusal.message, "field": refusal.field}
        answer = jsonify(error=told)
    else:
        answer = make_response(_page(refusal))
    answer.status_code = refusal.status
    return answer


def _page(refusal: Refusal) -> str:
    title, *lines = _words(refusal)
    desk = g.get("desk")
    if desk is not None and refusal.status < 500:
        # Who is signed in keeps her way about, and reads what hinders.
        if refusal.status in (409, 422):
            lines = [refusal_words(InputError(refusal.code, refusal.message))]
        return render_template("owner/refused.html", desk=desk, title=title, lines=lines)
    return render_template(
        "message.html", title=title, lines=lines, seller=g.get("seller"),
        tone="info" if refusal.status < 500 else "bad",
        reference=current_correlation() if refusal.status == 500 else None,
        again=_typed() if refusal.status == 503 and request.method == "POST" else None,
    )  # fmt: skip


def _typed() -> list[tuple[str, str]] | None:
    """What was sent, whole, to be sent again with one press; None where it is too much for that.

    Only forms of buyers and members: those of the desk hold keys, passwords and whole texts, which go into no
    page, and her browser still has them when she goes back.
    """
    if request.path.startswith("/owner/") or request.files:
        return None
    typed = list(request.form.items(multi=True))
    return typed if sum(len(name) + len(value) for name, value in typed) <= _AGAIN_AT_MOST else None


def _words(refusal: Refusal) -> tuple[str, ...]:
    missing = {
        "order_unknown": _("Open the link in your e-mail again, or copy the whole of it."),
        "bill_unknown": _("Open the link in your e-mail again, or copy the whole of it."),
        "offer_unknown": _("This offer is not for sale (any more). Ask the seller for a new link."),
    }
    match refusal.status:
        case 404:
            there = _(
                "There is nothing at this address (any more). Check the link, or ask who sent it to you."
            )
            return _("We cannot find this page"), missing.get(refusal.code, there)
        case 405:
            return _("This address does not work that way"), _("Go back and use the buttons on the page.")
        case 413:
            return _("That is too much at once"), _(
                "What was sent is larger than we accept. Go back and shorten it."
            )
        case 415:
            return _("We cannot read this"), _("Go back and use the form on the page.")
        case 429:
            return _("That was tried too often"), _("Wait a quarter of an hour and try again.")
        case 503:
            return _("We will be right back"), _(
                "Something we need is away for a moment. Nothing was charged and nothing is lost. Try again "
                "in ten seconds."
            )
        case status if status >= 500:
            return _("Something went wrong on our side"), _(
                "Nothing was charged because of this. Try again; if it happens once more, write to the "
                "seller and name the reference below."
            )
        case _:
            return _("This could not be done"), _("Go back, check what you sent and try again.")
