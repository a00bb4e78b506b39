"""What somebody at the desk does for a member: fill in, see what comes of it, then press.

What comes of it is found by doing it and taking it back: a refusal shows before the button does, and the days
to come are told as they would be then. The button carries a fingerprint of what was said; where something
else is true by the time it is pressed, that is said instead and nothing is done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import Response, g, make_response, redirect, render_template, request, url_for

from linkpay.domain.calendar import typed_day
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import forecast, forecast_words, member_page
from linkpay.services.forecast_words import Said
from linkpay.store import charges, desk, sites
from linkpay.store.db import Tx
from linkpay.store.desk import Row
from linkpay.store.remembering import only_reads_on
from linkpay.store.tables import Charge, Site
from linkpay.web.addresses import row_number
from linkpay.web.edge import parts
from linkpay.web.forms import Problem, tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner import gate
from linkpay.web.owner.refusals import refusal_words
from linkpay.web.wording import fingerprint

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Field:
    """Something to fill in. `kind` is text, email, date, choice or tick; `value` stands there at first."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    needed: bool = False


def read_day(typed: str, name: str) -> date | None:
    """The day that stands in a field; None for none. Raises InputError ``no_date``."""
    if not typed.strip():
        return None
    try:
        return typed_day(typed.strip())
    except ValueError:
        raise InputError("no_date", "Fill in a day.", name) from None


@dataclass(frozen=True, slots=True)
class Case:
    """Whom it is about, and what was filled in. `charge` is the one that was chosen, where one was."""

    tx: Tx
    desk: gate.Desk
    row: Row
    now: datetime
    typed: Mapping[str, str]
    charge: Charge | None = None

    @property
    def id(self) -> int:
        """The subscription's number."""
        return self.row.subscription.id

    @property
    def actor(self) -> str:
        """Who does it, for the journal."""
        return self.desk.actor

    @property
    def site(self) -> Site:
        """The site it is on."""
        return sites.get(self.tx, self.desk.site.id)

    def text(self, name: str) -> str:
        """What stands in a field."""
        return self.typed.get(name, "")

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.text(name) == "yes"

    def day(self, name: str) -> date | None:
        """The day that is filled in; None for none. Raises InputError ``no_date``."""
        return read_day(self.text(name), name)

    def the_charge(self) -> Charge:
        """The charge that it is about. Raises NotFound."""
        if self.charge is None:
            raise NotFound("charge_unknown", "There is no such charge.")
        return self.charge


def _no_fields(_case: Case) -> Sequence[Field]:
    return ()


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `name` is the last word of its address, `offered` says where it makes sense.

    `lines` say what comes of it besides the days to come. `about` is ``subscription``, ``charge`` or
    ``person``: where it is offered on the member's page.
    """

    name: str
    about: str
    title: Callable[[], str]
    button: Callable[[], str]
    done: Callable[[], str]
    do: Callable[[Case], object]
    lines: Callable[[Case], Sequence[str]]
    fields: Callable[[Case], Sequence[Field]] = _no_fields
    offered: Callable[[Case], bool] = field(default=lambda _case: True)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on the page: the fields as they stand, and what pressing would do, if it would do anything."""

    fields: Sequence[Field]
    lines: Sequence[str] = ()
    coming: Sequence[Said] = ()
    refused: str | None = None
    problems: tuple[Problem, ...] = ()
    may_press: bool = False

    @property
    def seen(self) -> str:
        """Changes when anything that was said changes."""
        days = [f"{line.on} {line.text} {line.if_it_fails}" for line in self.coming]
        return fingerprint((*self.lines, "then", *days))


def look(action: Action, number: int) -> Response:
    """The page as it is first seen, or with what was filled in."""
    return _page(action, number)


def press(action: Action, number: int) -> Response:
    """Show what would come of what was filled in, or do it when that was seen and is still so."""
    if request.form.get("step") != "do":
        return _page(action, number)
    try:
        with parts().database.write() as tx:
            case = _case(tx, action, number)
            shown = _done(action, case)
            if shown.seen != request.form.get("seen", "")[:16]:
                raise Conflict("changed", "Something changed. Check it and press again.")
    except NotFound:
        raise
    except InputError as problem:
        changed = _("Something changed while this page was open. Check it and press again.")
        told = changed if problem.code == "changed" else refusal_words(problem)
        return _page(action, number, notice=told, status=problem.status)
    at: gate.Desk = g.desk
    return make_response(
        redirect(url_for("owner_members.member", site=at.site.slug, number=number, done=action.name), 303)
    )


def _done(action: Action, case: Case) -> Shown:
    """Do it, and say what was said of it."""
    fields = _filled(action, case)
    lines = tuple(action.lines(case))
    action.do(case)
    case.tx.flush()
    only_reads_on(case.tx)
    then = forecast.of(case.tx, member_page.foreseen(case.tx, case.desk.site.id, case.id), case.now)
    return Shown(fields, lines, forecast_words.lines(then, locale()), may_press=True)


def _page(action: Action, number: int, *, notice: str | None = None, status: int = 200) -> Response:
    at: gate.Desk = g.desk
    with parts().database.rehearse() as tx:
        case = _case(tx, action, number)
        fields = _filled(action, case)
        shown = Shown(fields)
        if request.method == "POST" or not any(one.needed and not one.value for one in fields):
            try:
                shown = _done(action, case)
            except NotFound as problem:
                if problem.code == "charge_unknown":
                    raise
                shown = _refused(fields, problem)
            except InputError as problem:
                shown = _refused(fields, problem)
        page = render_template(
            "owner/act.html", desk=at, row=case.row, charge=case.charge, action=action, shown=shown,
            notice=notice,
        )  # fmt: skip
    return make_response(page, 422 if shown.problems else status)


def _refused(fields: Sequence[Field], problem: InputError) -> Shown:
    told = refusal_words(problem)
    if problem.field in {one.name for one in fields} and not isinstance(problem, Conflict):
        return Shown(fields, problems=(Problem(problem.field or "", told),))
    return Shown(fields, refused=told)


def _case(tx: Tx, action: Action, number: int) -> Case:
    at: gate.Desk = g.desk
    row = desk.one_member(tx, at.site.id, number)
    if row is None:
        raise NotFound("member_unknown", "There is no such member.")
    charge = None
    if action.about == "charge":
        charge = charges.of_site(tx, at.site.id, request.values.get("charge", 0, type=row_number))
        if charge.subscription_id != number:
            raise NotFound("charge_unknown", "There is no such charge.")
    typed = {name: tidy(value)[:_LONGEST] for name, value in request.values.items()}
    case = Case(tx, at, row, parts().clock.now(), typed, charge)
    if request.method == "POST":
        return case
    at_first = {one.name: one.value for one in action.fields(case)}
    return Case(tx, at, row, case.now, at_first | typed, charge)


def _filled(action: Action, case: Case) -> Sequence[Field]:
    """The fields with what stands in them."""
    return [
        Field(one.name, one.label, one.kind, case.text(one.name), one.options, one.hint, one.needed)
        for one in action.fields(case)
    ]
