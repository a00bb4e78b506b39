"""Policy is data: layers over defaults, and nothing odd gets in."""

from dataclasses import Field, asdict, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.policy import Policy, PolicyError, merge


def _ladders(least: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(least, most), unique=True, max_size=6).map(sorted)


def _values(known: Field[Any]) -> st.SearchStrategy[Any]:
    """Everything that may stand for one policy."""
    if isinstance(known.default, bool):
        return st.booleans()
    if isinstance(known.default, tuple):
        return _ladders(1, 31) if known.name == "pay_days" else _ladders(0, 400)
    if isinstance(known.default, str):
        return st.sampled_from(known.metadata["values"])
    return st.integers(0, known.metadata["most"])


VALUES = {known.name: _values(known) for known in fields(Policy)}
LAYERS = st.fixed_dictionaries({}, optional=VALUES)


@given(LAYERS, LAYERS)
def test_the_later_layer_wins_value_by_value(site: dict[str, Any], plan: dict[str, Any]) -> None:
    expected = asdict(Policy()) | site | plan
    merged = asdict(merge(site, plan))
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in merged.items()} == {
        name: list(value) if isinstance(value, tuple) else value for name, value in expected.items()
    }


@given(LAYERS)
def test_merging_again_changes_nothing(layer: dict[str, Any]) -> None:
    once = merge(layer)
    assert merge(asdict(once)) == once == merge(None, layer, {}, None)


def test_without_layers_the_defaults_hold() -> None:
    assert merge() == merge(None, {}) == Policy()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grace_days", -1),
        ("grace_days", 401),
        ("grace_days", 14.0),
        ("grace_days", "14"),
        ("grace_days", True),
        ("grace_days", None),
        ("keep_access_while_debit_runs", 1),
        ("keep_access_while_debit_runs", "yes"),
        ("retry_days", [8, 5]),
        ("retry_days", [5, 5]),
        ("retry_days", [5, -1]),
        ("retry_days", [5, 401]),
        ("retry_days", 5),
        ("retry_days", "58"),
        ("mail_days", [0, True]),
        ("mail_days", [[0]]),
        ("grace_dayz", 3),
        ("cancel_notice_days", 32),
        ("pay_days", [32]),
        ("cancel_at", "whenever"),
        ("cancel_at", 0),
        ("bounce_cost_cents", 750.0),
    ],
)
def test_an_odd_value_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(PolicyError) as refusal:
        merge({name: value})
    assert refusal.value.field == name
    assert name in str(refusal.value)
