"""Errors keep what they say when they go from one process to another."""

import pickle

import pytest

from linkpay.errors import Conflict, InputError, LinkPayError, NotFound, Permanent, Retryable, SlowDown


@pytest.mark.parametrize("kind", [InputError, NotFound, Conflict, SlowDown])
def test_what_is_refused_is_told_whole(kind: type[InputError]) -> None:
    told = pickle.loads(pickle.dumps(kind("coupon_used", "This code was used before.", "coupon")))  # noqa: S301 - our own
    assert type(told) is kind
    assert (told.code, told.message, told.field) == ("coupon_used", "This code was used before.", "coupon")
    assert str(told) == "This code was used before."


@pytest.mark.parametrize(
    "error", [Retryable("busy", status=429, retry_after=7.0), Permanent("no", status=422, field="amount")]
)
def test_so_is_what_a_provider_said(error: LinkPayError) -> None:
    told = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(told), vars(told), str(told)) == (type(error), vars(error), str(error))
