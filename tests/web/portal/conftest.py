"""A member who is in her portal."""

import pytest

from tests.flows.stage import Stage
from tests.web.portal.guests import ANNA, sign_in
from tests.web.visitor import Visitor


@pytest.fixture
def anna(visitor: Visitor, stage: Stage) -> Visitor:
    """Anna's browser: she has bought, and is signed in."""
    stage.buy(ANNA)
    sign_in(visitor, stage)
    return visitor
