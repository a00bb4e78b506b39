"""How one gets about the desk: every page of a list is within reach, and only those that one may see."""

import re

import pytest

from linkpay.domain.roles import Role
from linkpay.store.tables import Plan
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, words_of

DESK = "/owner/studio"
LINK = re.compile(r'<a href="([^"]+)"(?: aria-current="(\w+)")?>([^<]+)</a>')


def rows(visitor: Visitor, path: str) -> list[list[tuple[str, str, str]]]:
    """The links of each row: address, whether one is there, name."""
    page = visitor.look(path).text
    return [LINK.findall(row) for row in re.findall(r'<nav class="tabs.*?</nav>', page, re.DOTALL)]


@pytest.mark.parametrize("role", Role)
def test_every_place_that_is_offered_can_be_seen(team: Team, role: Role) -> None:
    visitor = team.signed_in(role)
    top, *_ = rows(visitor, f"{DESK}/")
    assert [name for *_, name in top] == ["Today", "Attention", "Members", "Offers", "Money", "Site"]
    offered = {address for address, *_ in top}
    for address, *_ in top:
        offered |= {one for row in rows(visitor, address) for one, *_ in row}
    for address in offered:
        assert visitor.look(address).status_code == 200, address
    assert (f"{DESK}/settings" in offered) is (role is Role.OWNER)
    assert f"{DESK}/log" in offered


def test_one_sees_where_one_is(team: Team) -> None:
    visitor = team.signed_in()
    (alone,) = rows(visitor, f"{DESK}/")
    assert [(name, here) for _, here, name in alone if here] == [("Today", "page")]
    top, within = rows(visitor, f"{DESK}/books")
    assert [(name, here) for _, here, name in top if here] == [("Money", "true")]
    assert [(name, here) for _, here, name in within] == [("Numbers", ""), ("Books", "page")]
    _, within = rows(visitor, f"{DESK}/coupons/new")
    assert [(name, here) for _, here, name in within if here] == [("Coupons", "true")]


def test_a_wrong_address_and_a_refusal_leave_the_way_about(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    with stage.database.read() as tx:
        terms = tx.query(Plan).filter_by(slug="terms").one().id
    for page, status, told in (
        ("members/9999", 404, "We cannot find this page"),
        (f"plans/{terms}/price", 409, "This can be done with a membership only."),
    ):
        answer = owner.look(f"/owner/studio/{page}")
        assert answer.status_code == status
        assert told in words_of(answer)
        assert 'href="/owner/studio/members"' in answer.text
