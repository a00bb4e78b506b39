"""What a member does to a subscription of hers: a page that says what will come of it, then a button.

The button carries a fingerprint of what was said. Where something else is true by the time it is pressed,
it is said anew and nothing is done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, make_response, render_template, request

from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import portal
from linkpay.services.portal import Holding
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.web import csrf
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.i18n import gettext as _
from linkpay.web.portal.door import guest, see
from linkpay.web.portal.refusals import refusal_words
from linkpay.web.wording import fingerprint


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do: what will come of it, line by line, and what its button says.

    `hidden` goes along with the button.
    """

    title: str
    lines: tuple[str, ...]
    button: str
    hidden: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> str:
        """Changes when anything that was said changes."""
        return fingerprint((self.title, *self.lines))


@dataclass(frozen=True, slots=True)
class Case:
    """The subscription that it is about, for a preview and for doing it."""

    tx: Tx
    holding: Holding
    subscription_id: int
    now: datetime


def _nothing(_case: Case) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Action:
    """One page with its button. `name` is the last word of its address; `beside` is what the template shows
    whatever the preview says, such as what else can be chosen."""

    name: str
    preview: Callable[[Case], Act]
    do: Callable[[Case], object]
    template: str = "portal/act.html"
    beside: Callable[[Case], dict[str, Any]] = _nothing


def look(action: Action, token: str) -> Response:
    """The page that says what would come of it."""
    return _show(action, token)


def press(action: Action, token: str) -> Response:
    """The pressed button: do it, if what was said still holds, and tell so on the first page."""
    if not csrf.is_ours(_purpose(action, token)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _show(action, token, notice=notice, status=403)
    seen = request.form.get("seen", "")[:16]
    try:
        with parts().database.write() as tx:
            case = _case(tx, token)
            if action.preview(case).seen != seen:
                changed = _("Something changed while this page was open. Check it and press again.")
                raise Conflict("changed", changed)
            action.do(case)
    except NotFound:
        raise
    except InputError as problem:
        told = problem.message if problem.code == "changed" else refusal_words(problem)
        return _show(action, token, notice=told, status=problem.status)
    return see("portal_entry.door", site=guest().seller.slug, done=action.name)


def _case(tx: Tx, token: str) -> Case:
    me = guest()
    if me.customer_id is None:
        raise NotFound("order_unknown", "There is no such order.")
    site = sites.get(tx, me.seller.id)
    now = parts().clock.now()
    holding, number = portal.holding(tx, site, me.customer_id, token, now)
    return Case(tx, holding, number, now)


def _show(action: Action, token: str, *, notice: str | None = None, status: int = 200) -> Response:
    me, act, refused = guest(), None, None
    problems: tuple[Problem, ...] = ()
    with parts().database.read() as tx:
        case = _case(tx, token)
        try:
            act = action.preview(case)
        except NotFound:
            raise
        except InputError as problem:
            told, status = refusal_words(problem), status if notice else problem.status
            if problem.field and not isinstance(problem, Conflict):
                problems = (Problem(problem.field, told),)
            else:
                refused = told
        beside = action.beside(case)
    page = render_template(
        action.template, seller=me.seller, guest=me, holding=case.holding, act=act, name=action.name,
        notice=notice, problems=problems, refused=refused, purpose=_purpose(action, token),
        given=request.values, **beside,
    )  # fmt: skip
    return make_response(page, status)


def _purpose(action: Action, token: str) -> str:
    return f"portal/{guest().seller.slug}/{token}/{action.name}"
