"""Every act of the desk by its name, and its page."""

from flask import Blueprint, Response

from linkpay.domain.roles import Right
from linkpay.web.owner import act_membership, act_money, act_person, acting, gate
from linkpay.web.owner.acting import Action, Case

ACTIONS: dict[str, Action] = {
    one.name: one for one in (*act_membership.ACTIONS, *act_money.ACTIONS, *act_person.ACTIONS)
}
bp = Blueprint("owner_acts", __name__, url_prefix="/owner")
_ADDRESS = f"/<slug:site>/members/<int:number>/<any({', '.join(repr(name) for name in ACTIONS)}):act>"


@bp.get(_ADDRESS)
@gate.site_page(Right.HELP)
def look(site: str, number: int, act: str) -> Response:
    """What can be filled in, and what would come of it."""
    return acting.look(ACTIONS[act], number)


@bp.post(_ADDRESS)
@gate.site_page(Right.HELP)
def press(site: str, number: int, act: str) -> Response:
    """What would come of what was filled in; when that was seen, do it."""
    return acting.press(ACTIONS[act], number)


def offered(case: Case, about: str) -> list[Action]:
    """What makes sense to offer for a subscription, one of its charges (`case.charge`), or the person."""
    return [one for one in ACTIONS.values() if one.about == about and one.offered(case)]


def notice_of(name: str | None) -> str | None:
    """What was just done, by the name in the address."""
    return ACTIONS[name].done() if name in ACTIONS else None
