"""The arithmetic of moving time; the journeys themselves are in `test_clock`."""

from datetime import UTC, datetime, timedelta

import pytest

from linkpay.cli.advance import _mark_after


@pytest.mark.parametrize(("minute", "mark"), [(0, 0), (1, 15), (15, 15), (44, 45), (46, 60)])
def test_stubborn_work_is_gathered_to_quarters_of_an_hour(minute: int, mark: int) -> None:
    hour = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert _mark_after(hour + timedelta(minutes=minute)) == hour + timedelta(minutes=mark)
