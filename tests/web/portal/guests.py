"""People who sign in to the portal, by the link in their mail."""

import re

from werkzeug.test import TestResponse

from tests.flows.stage import Stage
from tests.web.visitor import Visitor

ANNA = "anna@example.com"
PORTAL = "/studio/portal"
_LINK = re.compile(r"https://pay\.example\.com(/\S+)")


def ask(visitor: Visitor, email: str = ANNA, url: str = PORTAL) -> TestResponse:
    """Ask for a link."""
    return visitor.press(visitor.look(url), email=email)


def newest_link(stage: Stage) -> str:
    """The path of the link in the newest letter."""
    found = _LINK.search(stage.mailer.letters[-1].text)
    assert found is not None
    return found[1]


def link_for(visitor: Visitor, stage: Stage, email: str = ANNA, url: str = PORTAL) -> str:
    """Ask for a link, and open the mail that brings it."""
    ask(visitor, email, url)
    stage.work()
    assert stage.mailer.letters[-1].to == email
    return newest_link(stage)


def sign_in(visitor: Visitor, stage: Stage, email: str = ANNA, url: str = PORTAL) -> TestResponse:
    """Sign in; the first page."""
    entered = visitor.press(visitor.look(link_for(visitor, stage, email, url)))
    assert entered.status_code == 303
    return visitor.look(entered.headers["Location"])
