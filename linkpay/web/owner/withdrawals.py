"""Every withdrawal that was declared, what it was about, what went back and how it stands."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain import cells
from linkpay.domain.roles import Right
from linkpay.services.withdrawing import LINK_LIFE
from linkpay.store import withdrawals
from linkpay.store.db import Database
from linkpay.store.withdrawals import Line
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate

bp = Blueprint("owner_withdrawals", __name__, url_prefix="/owner")
_PAGE, _AT_ONCE = 50, 500
_COLUMNS = (
    "received_at", "email", "name", "reference", "offer", "plan", "subscription", "state", "proven_at",
    "done_at", "owed_back_cents", "sent_back_cents", "currency",
)  # fmt: skip


class Standing(StrEnum):
    """How a withdrawal stands, as the owner has to know it."""

    DONE = "done"
    PAYING_BACK = "paying_back"
    WAITS_FOR_OWNER = "waits_for_owner"
    WAITS_FOR_CUSTOMER = "waits_for_customer"
    NEVER_CONFIRMED = "never_confirmed"


def standing(line: Line, now: datetime) -> Standing:
    """How it stands now: a declaration takes effect once its maker proved that it is hers."""
    made = line.withdrawal
    if made.done_at is not None:
        return Standing.DONE if line.sent_cents == line.owed_cents else Standing.PAYING_BACK
    if made.proven_at is not None:
        return Standing.WAITS_FOR_OWNER
    return Standing.WAITS_FOR_CUSTOMER if now <= made.received_at + LINK_LIFE else Standing.NEVER_CONFIRMED


def standing_words() -> dict[Standing, str]:
    """What each standing is called."""
    return {
        Standing.DONE: _("carried out"),
        Standing.PAYING_BACK: _("carried out, money is being sent back"),
        Standing.WAITS_FOR_OWNER: _("waits for you"),
        Standing.WAITS_FOR_CUSTOMER: _("not confirmed by the customer yet"),
        Standing.NEVER_CONFIRMED: _("never confirmed by the customer"),
    }


@bp.get("/<slug:site>/withdrawals")
@gate.site_page(Right.SEE)
def show(site: str) -> Response:
    """Declarations, newest first."""
    at: gate.Desk = g.desk
    before, now = request.args.get("before", type=row_number), parts().clock.now()
    with parts().database.read() as tx:
        lines = withdrawals.page(tx, at.site.id, before=before, limit=_PAGE + 1)
    page = render_template(
        "owner/withdrawals.html", desk=at, lines=[(one, standing(one, now)) for one in lines[:_PAGE]],
        names=standing_words(), before=before,
        more=lines[_PAGE - 1].withdrawal.id if len(lines) > _PAGE else None,
    )  # fmt: skip
    return make_response(page)


@bp.get("/<slug:site>/withdrawals.csv")
@gate.site_page(Right.HELP)
def download(site: str) -> Response:
    """All of them as CSV."""
    at: gate.Desk = g.desk
    lines = _rows(parts().database, at.site.id, parts().clock.now())
    answer = Response(lines, mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{at.site.slug}-withdrawals.csv"'
    return answer


def _rows(database: Database, site_id: int, now: datetime) -> Iterator[str]:
    """Written while they are sent, when the request is over: nothing of it may be asked for here."""
    yield cells.line(_COLUMNS)
    before: int | None = None
    with database.read() as tx:
        while found := withdrawals.page(tx, site_id, before=before, limit=_AT_ONCE):
            yield from (cells.line(_cells(line, now)) for line in found)
            before = found[-1].withdrawal.id
            tx.expunge_all()


def _cells(line: Line, now: datetime) -> tuple[object, ...]:
    made, held = line.withdrawal, line.subscription
    return (
        made.received_at, made.email, made.name, made.reference, line.offer and line.offer.slug,
        line.plan and line.plan.slug, held and held.id, standing(line, now), made.proven_at, made.done_at,
        line.owed_cents, line.sent_cents, held and held.currency,
    )  # fmt: skip
