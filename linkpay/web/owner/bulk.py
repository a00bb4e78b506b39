"""The same act for everybody whom a filter means: seen first, then done in the background, found again."""

from collections.abc import Mapping

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.roles import Right
from linkpay.errors import InputError
from linkpay.services import bulk
from linkpay.services.bulk import Order, Preview
from linkpay.store import bulk as store
from linkpay.store import selection
from linkpay.web.edge import parts
from linkpay.web.forms import Problem, tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import filters, gate
from linkpay.web.owner.acting import read_day
from linkpay.web.owner.refusals import refusal_words
from linkpay.web.wording import fingerprint

bp = Blueprint("owner_bulk", __name__, url_prefix="/owner")
_LOOK_AGAIN_SECONDS = 4


@bp.get("/<slug:site>/members/bulk")
@gate.site_page(Right.HELP)
def choose(site: str) -> Response:
    """What can be done with those whom the filter means."""
    return _choose(request.args)


@bp.post("/<slug:site>/members/bulk")
@gate.site_page(Right.HELP)
def press(site: str) -> Response:
    """What would come of it; when that was seen, begin it."""
    at: gate.Desk = g.desk
    if request.form.get("step") != "do":
        return _choose(request.form)
    wanted = filters.read(request.form)
    try:
        order, now = _order(request.form), parts().clock.now()
        shown = _preview(wanted, order)
        if _seen(shown, order) != request.form.get("seen", ""):
            changed = _("Something changed while this page was open. Check it and press again.")
            return _choose(request.form, notice=changed, status=409)
        with parts().database.write() as tx:
            run = bulk.start(tx, at.site.id, wanted, order, at.actor, now).id
    except InputError as problem:
        return _choose(request.form, notice=refusal_words(problem), status=problem.status)
    return make_response(redirect(url_for("owner_bulk.run", site=site, number=run), 303))


@bp.get("/<slug:site>/runs")
@gate.site_page(Right.SEE)
def runs(site: str) -> Response:
    """What was begun before."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = store.newest(tx, at.site.id)
        counted = {run.id: store.outcomes(tx, run.id) for run in found}
    page = render_template("owner/runs.html", desk=at, runs=found, counted=counted, acts=act_words())
    return make_response(page)


@bp.get("/<slug:site>/runs/<int:number>")
@gate.site_page(Right.SEE)
def run(site: str, number: int) -> Response:
    """How far a run is, and for whom it could not be done."""
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        found = bulk.find(tx, at.site.id, number)
        counted, refused = store.outcomes(tx, number), store.refused(tx, number)
    waiting = counted.get("", 0)
    page = render_template(
        "owner/run.html", desk=at, run=found, waiting=waiting, done=counted.get(bulk.DONE, 0),
        refused=refused, acts=act_words(), why=_why,
        left_out=found.total - waiting - counted.get(bulk.DONE, 0),
    )  # fmt: skip
    answer = make_response(page)
    if waiting and found.stopped_at is None:
        answer.headers["Refresh"] = str(_LOOK_AGAIN_SECONDS)
    return answer


@bp.post("/<slug:site>/runs/<int:number>/stop")
@gate.site_page(Right.HELP)
def stop(site: str, number: int) -> Response:
    """Leave out everybody who was not done yet."""
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        bulk.stop(tx, at.site.id, number, parts().clock.now())
    return make_response(redirect(url_for("owner_bulk.run", site=site, number=number), 303))


def act_words() -> dict[str, str]:
    """What can be done for many at once."""
    return {
        "cancel": _("Cancel"),
        "extend": _("Give more time"),
        "pause": _("Pause"),
        "resume": _("End the pause"),
        "price": _("Another price"),
        "price_back": _("Take a new price back"),
    }


def _why(code: str) -> str:
    if code == "stopped":
        return _("Left out: the run was stopped.")
    return refusal_words(InputError(code, ""))


def _order(given: Mapping[str, str]) -> Order:
    keeps = {"yes": True, "no": False}.get(given.get("keeps", ""))
    return Order(
        given.get("act", ""), read_day(given.get("day", ""), "day"), keeps,
        tidy(given.get("reason", ""))[:300],
    )  # fmt: skip


def _preview(wanted: selection.Filter, order: Order) -> Preview:
    at: gate.Desk = g.desk
    with parts().database.rehearse() as tx:
        return bulk.preview(tx, at.site.id, wanted, order, at.actor, parts().clock.now())


def _seen(shown: Preview, order: Order) -> str:
    return fingerprint((str(shown.total), str(shown.done), str(sorted(shown.refused.items())), str(order)))


def _choose(given: Mapping[str, str], *, notice: str | None = None, status: int = 200) -> Response:
    at: gate.Desk = g.desk
    wanted = filters.read(given)
    shown, seen, problems = None, "", tuple[Problem, ...]()
    if given.get("act") in bulk.FOR_MANY:
        try:
            order = _order(given)
            shown = _preview(wanted, order)
            seen = _seen(shown, order)
        except InputError as problem:
            problems, status = (Problem("day", refusal_words(problem)),), problem.status
    with parts().database.read() as tx:
        of = selection.meant(tx, at.site.id, wanted)
        # To count whom a word means that very many have takes long; it is done when one looks.
        total = shown.total if shown else None if of.many else selection.count(tx, of)
    page = render_template(
        "owner/bulk.html", desk=at, wanted=wanted, hidden=filters.address(wanted), total=total, shown=shown,
        seen=seen, problems=problems, given=given, notice=notice, why=_why, needs_day=bulk.NEEDS_DAY,
        acts={name: text for name, text in act_words().items() if name in bulk.FOR_MANY},
    )  # fmt: skip
    return make_response(page, status)
