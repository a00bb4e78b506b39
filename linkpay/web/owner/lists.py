"""The list of members: search, filters that are kept by a name, pages by key, and a download."""

from collections.abc import Iterator

from flask import (
    Blueprint,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from linkpay.domain import cells
from linkpay.domain.roles import Right
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import bulk as views
from linkpay.store import selection, sites
from linkpay.store.db import Database
from linkpay.store.desk import Row
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.forms import tidy
from linkpay.web.owner import filters, gate

bp = Blueprint("owner_lists", __name__, url_prefix="/owner")
_PAGE = 50
_COLUMNS = (
    "number", "email", "name", "payer_email", "offer", "plan", "state", "amount_cents", "currency",
    "next_charge_on", "cancel_on", "access", "access_until", "started_at",
)  # fmt: skip


@bp.get("/<slug:site>/members")
@gate.site_page(Right.SEE)
def members(site: str) -> Response:
    """Who has what, newest first."""
    at: gate.Desk = g.desk
    wanted, before = filters.read(request.args), request.args.get("before", type=row_number)
    with parts().database.read() as tx:
        of = selection.meant(tx, at.site.id, wanted)
        rows = selection.page(tx, of, before=before, limit=_PAGE + 1)
        kept = [
            (view.id, view.name, filters.address(filters.kept(view.wanted)))
            for view in views.views(tx, at.site.id, at.person.id)
        ]
        offers = sites.all_offers(tx, at.site.id)
        # Of words that very many have, no more are counted than one page shows.
        is_all = not of.many or (before is None and len(rows) <= _PAGE)
        total = selection.count(tx, of) if is_all else _PAGE
        page = render_template(
            "owner/members.html", desk=at, rows=rows[:_PAGE], wanted=wanted,
            here=filters.address(wanted), states=list(SubscriptionState), steps=filters.step_words(),
            offer_names={offer.id: offer.title for offer in offers},
            plan_names=sites.plan_titles(tx, at.site.id),
            kept=kept, total=total, is_all=is_all, before=before,
            more=rows[_PAGE - 1].subscription.id if len(rows) > _PAGE else None,
        )  # fmt: skip
    return make_response(page)


@bp.get("/<slug:site>/members.csv")
@gate.site_page(Right.HELP)
def download(site: str) -> Response:
    """Everybody whom the filter means, as CSV, however many they are."""
    at: gate.Desk = g.desk
    wanted = filters.read(request.args)
    lines = _lines(parts().database, at.site.id, wanted)
    answer = Response(lines, mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{at.site.slug}-members.csv"'
    return answer


def _lines(database: Database, site_id: int, wanted: selection.Filter) -> Iterator[str]:
    """Written while they are sent, when the request is over: nothing of it may be asked for here."""
    yield cells.line(_COLUMNS)
    with database.read() as tx:
        for row in selection.every_row(tx, selection.meant(tx, site_id, wanted)):
            yield cells.line(_cells(row))


def _cells(row: Row) -> tuple[object, ...]:
    held, grant = row.subscription, row.grant
    return (
        held.id, row.member.email, row.customer.name, row.customer.email, row.offer.slug, row.plan.slug,
        held.state, held.amount_cents, held.currency, held.next_charge_on, held.cancel_on,
        grant.wanted if grant else None, grant.until if grant else None, held.started_at,
    )  # fmt: skip


@bp.post("/<slug:site>/members/views")
@gate.site_page(Right.SEE)
def keep(site: str) -> Response:
    """Keep the filter under a name, for oneself alone; the same name again replaces it."""
    at: gate.Desk = g.desk
    name, wanted = tidy(request.form.get("name", ""))[:60], filters.read(request.form)
    if name and not wanted.is_empty:
        with parts().database.write() as tx:
            views.keep_view(tx, at.site.id, at.person.id, name, wanted.plain(), parts().clock.now())
    return make_response(redirect(url_for("owner_lists.members", site=site, **filters.address(wanted)), 303))


@bp.post("/<slug:site>/members/views/<int:number>/forget")
@gate.site_page(Right.SEE)
def forget(site: str, number: int) -> Response:
    """Forget a filter of one's own."""
    at: gate.Desk = g.desk
    with parts().database.write() as tx:
        views.drop_view(tx, at.site.id, at.person.id, number)
    return make_response(redirect(url_for("owner_lists.members", site=site), 303))
