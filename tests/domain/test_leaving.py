"""Leaving: the day on which a course ends whose terms were all charged."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.leaving import CancelMode, Standing, leave
from linkpay.domain.plan import PlanKind
from linkpay.domain.policy import Policy

TODAY = date(2026, 4, 1)


@given(st.none() | st.integers(-60, 60))
def test_a_course_that_was_charged_whole_ends_with_its_last_charge_and_never_before_today(
    days: int | None,
) -> None:
    charged_until = None if days is None else TODAY + timedelta(days=days)
    standing = Standing(
        PlanKind.INSTALMENTS, Policy(), datetime(2026, 4, 1, 9, tzinfo=UTC), "Europe/Amsterdam", series=None,
        paid_until=None, charged_until=charged_until,
    )  # fmt: skip
    leaving = leave(standing, CancelMode.PERIOD_END, None, by_member=False)
    assert leaving.ends_on == TODAY + timedelta(days=max(days or 0, 0))
    assert (leaving.last_charge_on, leaving.refund_cents) == (None, 0)
