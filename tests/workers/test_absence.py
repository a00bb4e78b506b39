"""What Mollie says it does not have: asked again for two days, and then a person's."""

from datetime import timedelta

import pytest

from linkpay.clock import ManualClock
from linkpay.errors import Missing, Retryable
from linkpay.store.tables import Outbox
from tests.builders import NOW
from workers import absence

TWO_DAYS = timedelta(days=2)


@pytest.mark.parametrize(
    ("passed", "raised"),
    [(timedelta(0), Retryable), (TWO_DAYS - timedelta(seconds=1), Retryable), (TWO_DAYS, Missing)],
)
def test_it_is_asked_again_for_two_days_and_then_set_aside(
    passed: timedelta, raised: type[Exception]
) -> None:
    row = Outbox(created_at=NOW)
    with pytest.raises(raised, match="no such customer"), absence.doubted(ManualClock(NOW + passed), row):
        raise Missing("no such customer", status=404)
