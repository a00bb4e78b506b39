"""How many statements a page makes: a number that no history of a member lets grow beyond twelve."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from linkpay.store.tables import Coupon
from tests.browser.studio import members_of_every_fate
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team, team  # noqa: F401 - the fixture
from tests.web.visitor import Visitor

MOST = 12
OWNER_PAGES = ("", "members", "members?q=anna", "numbers", "attention", "start", "offers/1", "log", "audit")
PORTAL_PAGES = ("", "account", "switch", "cancel", "pause", "withdraw")
EVERYBODY = ("anna", "bram", "carla", "dirk", "eva")


@contextmanager
def counted(stage: Stage) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(stage.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(stage.database.engine, "before_cursor_execute", note)


def asks_little(stage: Stage, visitor: Visitor, *pages: str) -> None:
    for page in pages:
        visitor.look(page)  # what is kept for a minute is there
        with counted(stage) as seen:
            assert visitor.look(page).status_code in (200, 409), page
        assert len(seen) <= MOST, "\n".join([page, *seen])


def in_the_portal(stage: Stage, visitor: Visitor, email: str) -> Visitor:
    visitor.press(visitor.look("/studio/portal"), email=email)
    stage.work()
    link = re.search(r"/studio/portal/enter/\S+", stage.mailer.letters[-1].text)
    assert link is not None
    assert visitor.press(visitor.look(link[0])).status_code == 303
    return visitor


@pytest.fixture
def furnished(stage: Stage) -> Stage:
    """A shop with a past: who pays, who bounced, who stopped, and something that waits for a person."""
    members_of_every_fate(stage)
    with stage.database.write() as tx:
        tx.add(
            Coupon(
                site_id=stage.shop.site_id, code="TEN", kind="percent", value=10, duration="forever",
                created_at=stage.clock.now(),
            )
        )  # fmt: skip
    return stage


def test_no_page_asks_more_than_twelve_times(furnished: Stage, team: Team) -> None:  # noqa: F811
    owner = team.signed_in()
    asks_little(furnished, owner, *(f"/owner/studio/{page}" for page in OWNER_PAGES))
    held = [furnished.subscription(f"{name}@example.com") for name in EVERYBODY]
    asks_little(furnished, owner, *(f"/owner/studio/members/{one.id}" for one in held))
    asks_little(furnished, team.new_visitor(), *(f"/studio/order/{one.token}" for one in held))
    charge = furnished.charges("bram@example.com")[1]
    buying = ("/studio/buy/members", "/studio/buy/members?coupon=TEN", f"/studio/pay/{charge.token}")
    asks_little(furnished, team.new_visitor(), *buying)
    anna = in_the_portal(furnished, team.new_visitor(), "anna@example.com")
    rooms = [f"/subscriptions/{held[0].token}/{page}" if page else "" for page in PORTAL_PAGES]
    asks_little(furnished, anna, *(f"/studio/portal{room}" for room in rooms))


def test_who_has_much_is_shown_with_no_more_statements(furnished: Stage, team: Team) -> None:  # noqa: F811
    """Another purchase, and months of payments, ask nothing more than the first."""
    dirk = "dirk@example.com"
    furnished.buy(dirk, "terms")
    furnished.advance(days=32)
    number = furnished.subscription(dirk).id
    assert number > len(EVERYBODY), "his second purchase"
    failing = furnished.charges(dirk)[-1].id
    furnished.bank(furnished.mollie_ids(failing)[-1], "failed", "AM04")
    furnished.work()
    assert furnished.charges(dirk)[-1].failed_at is not None
    owner = team.signed_in()
    asks_little(furnished, owner, f"/owner/studio/members/{number}", "/owner/studio/members/4")
    asks_little(furnished, in_the_portal(furnished, team.new_visitor(), dirk), "/studio/portal")
