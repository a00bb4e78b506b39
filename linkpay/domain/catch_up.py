"""Periods that were missed while nobody worked: how many are still asked for, and how far apart."""

from datetime import date, timedelta

from linkpay.domain.leaving import Series
from linkpay.domain.policy import Policy


def is_too_old(series: Series, policy: Policy, today: date) -> bool:
    """Whether more periods were missed than may be collected, so that the next one is let go."""
    return series.starts_on(series.next_index + policy.catch_up_periods) <= today


def not_before(last_raised_on: date, policy: Policy) -> date:
    """The first day on which the period after one that was charged on a day may be charged."""
    return last_raised_on + timedelta(days=policy.catch_up_gap_days)
