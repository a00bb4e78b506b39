"""What waits for a person: what happened, what was done already, and buttons that solve it."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Right
from linkpay.errors import InputError, NotFound
from linkpay.services.attention import items, solving
from linkpay.services.attention.answers import Action
from linkpay.web.edge import parts
from linkpay.web.forms import tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner import gate
from linkpay.web.owner.refusals import refusal_words

bp = Blueprint("owner_attention", __name__, url_prefix="/owner")
_ANSWERS = ("external_id", "reason", "despite_reversal")
#: More than this fits no page; solving some shows the next.
_SHOWN = 50


@bp.get("/<slug:site>/attention")
@gate.site_page(Right.SEE)
def show(site: str) -> Response:
    """All that waits, oldest first."""
    done = {
        "closed": _("It is solved."),
        "asked": _("It is asked for; it goes away when the other side agrees."),
    }
    return _show(notice=done.get(request.args.get("done", "")))


@bp.post("/<slug:site>/attention/<int:number>")
@gate.site_page(Right.HELP)
def solve(site: str, number: int) -> Response:
    """Do what solves one of them."""
    at: gate.Desk = g.desk
    answers = {name: tidy(request.form.get(name, ""))[:300] for name in _ANSWERS}
    action = request.form.get("action", "")[:40]
    try:
        with parts().database.write() as tx:
            solved = solving.solve(tx, at.site.id, number, action, at.actor, parts().clock.now(), **answers)
    except NotFound:
        raise
    except InputError as problem:
        return _show(failed=(number, action, refusal_words(problem)), typed=answers, status=problem.status)
    done = "closed" if solved.closed else "asked"
    return make_response(redirect(url_for("owner_attention.show", site=site, done=done), 303))


def _show(
    *, notice: str | None = None, failed: tuple[int, str, str] | None = None,
    typed: dict[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found, number = items.open_items(tx, at.site.id, locale(), limit=_SHOWN)
    page = render_template(
        "owner/attention.html", desk=at, items=found, more=number - len(found), notice=notice,
        failed=failed, typed=typed or {}, asked=_asked(), main_action=_main_action,
    )  # fmt: skip
    return make_response(page, status)


def _asked() -> dict[str, str]:
    """What has to be said along with an action."""
    return {
        "external_id": _("External user id at Kajabi"),
        "reason": _("In your words"),
        "despite_reversal": _("Also while the bank may still reverse the debit"),
    }


def _main_action(action: Action) -> bool:
    """Whether a button is the one that mends it, rather than one that lets it be."""
    return action not in (Action.DISMISS, Action.AGREE)
