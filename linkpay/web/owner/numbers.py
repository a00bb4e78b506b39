"""The numbers of a site, and how it may grow."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.growth import Assumptions, Month, grow
from linkpay.domain.roles import Right
from linkpay.services import numbers
from linkpay.services.formats import month_text
from linkpay.services.numbers import Numbers
from linkpay.services.regaining import How, Step
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner import gate, plots

bp = Blueprint("owner_numbers", __name__, url_prefix="/owner")
_MONTHS = (6, 12, 24, 36)
_MOST_JOINING = 1_000_000  # a month, as one may suppose; those who are there are as many as they are
_MONTH_COLUMNS = (
    "year", "month", "new", "back", "lost", "members", "new_cents", "back_cents", "up_cents", "down_cents",
    "lost_cents", "recurring_cents",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Supposed:
    """What the owner typed, as typed, and what it comes to; `wrong` when it cannot be read."""

    joining: str
    price: str
    leaving: str
    months: int
    forecast: tuple[Month, ...]
    wrong: bool = False


@bp.get("/<slug:site>/numbers")
@gate.site_page(Right.SEE)
def show(site: str) -> Response:
    """Recurring revenue, its bridge, recovery, what is due, and a forecast to play with."""
    at: gate.Desk = g.desk
    found, supposed = _numbers(), _supposed()
    page = render_template(
        "owner/numbers.html", desk=at, numbers=found, supposed=supposed, horizons=_MONTHS,
        own=list(grow(found.pace, supposed.months)) if found.pace else [], step_words=_step_words,
    )  # fmt: skip
    return make_response(page)


def _step_words(step: Step) -> str:
    """What became of failed charges, in words."""
    match step.how:
        case How.DEBIT:
            return _("Paid by debit number %(number)s", number=step.debit)
        case How.PAYER:
            return _("Paid by the member herself, with the link")
        case How.OUTSIDE:
            return _("Paid past Mollie")
        case How.ASKED:
            return _("Still asked for")
    return _("Given up")


@bp.get("/<slug:site>/numbers/<any(revenue, members, growth):name>.svg")
@gate.site_page(Right.SEE)
def plot(site: str, name: str) -> Response:
    """One plot."""
    if name == "growth":
        months = _supposed().forecast
        return plots.bars(
            [str(month.number) for month in months], {_("Members"): [m.members for m in months]}
        )
    found = _numbers().months
    labels = [month_text(month.year, month.month, locale(), short=True) for month in found]
    if name == "revenue":
        return plots.bars(labels, {_("Monthly revenue"): [month.recurring_cents / 100 for month in found]})
    return plots.bars(
        labels,
        {
            _("New"): [m.new for m in found],
            _("Back"): [m.back for m in found],
            _("Lost"): [m.lost for m in found],
        },
    )


@bp.get("/<slug:site>/numbers/<any(months, cohorts, recovery, weeks, growth):name>.csv")
@gate.site_page(Right.SEE)
def table(site: str, name: str) -> Response:
    """The table behind a plot, or one that stands alone; amounts in cents."""
    match name:
        case "cohorts":
            found = _numbers().cohorts
            header = ("year", "month", "size", *(f"after_{number}" for number in range(len(found))))
            return _csv(name, header, [(one.year, one.month, one.size, *one.there) for one in found])
        case "recovery":
            columns: tuple[str, ...] = ("how", "debit", "number", "cents")
            rows: Iterable[object] = _numbers().recovery.steps
        case "growth":
            columns = ("number", "joined", "left", "members", "cents")
            rows = _supposed().forecast
        case "weeks":
            columns, rows = ("starts_on", "number", "cents", "paid_cents"), _numbers().weeks
        case _:
            columns, rows = _MONTH_COLUMNS, _numbers().months
    return _csv(name, columns, [[getattr(row, column) for column in columns] for row in rows])


def _numbers() -> Numbers:
    site = g.desk.site
    with parts().database.read() as tx:
        return numbers.look(tx, site.id, site.zone, parts().clock.now())


def _supposed() -> Supposed:
    """Ten new members a month at 50 euro of whom a fifth leaves, until the owner says otherwise."""
    joining, price = request.args.get("joining", "10")[:12], request.args.get("price", "50")[:12]
    leaving, months = request.args.get("leaving", "20")[:12], request.args.get("months", 12, type=int)
    months = months if months in _MONTHS else 12
    try:
        assumed = Assumptions(
            _at_most(int(joining), _MOST_JOINING), int(_number(price) * 100), int(_number(leaving) * 100)
        )
    except (ValueError, ArithmeticError):
        return Supposed(joining, price, leaving, months, (), wrong=True)
    return Supposed(joining, price, leaving, months, tuple(grow(assumed, months)))


def _at_most(number: int, most: int) -> int:
    if number > most:
        raise ValueError(number)
    return number


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError(text) from None
    if not found.is_finite() or abs(found) > 100_000:
        raise ValueError(text)
    return found


def _csv(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    written = io.StringIO()
    csv.writer(written).writerows([columns, *rows])
    response = Response(written.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
