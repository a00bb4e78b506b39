"""How a call to Mollie ended: the one place that turns wire and status into our three kinds of failure.

Reading, and revoking a mandate, can be repeated without harm; asking for money cannot. So what is
`Retryable` for the former is `OutcomeUnknown` for the latter wherever the request may have arrived.
Sources: Mollie's OpenAPI specification (documented codes), overview/api-idempotency and
overview/handling-errors.
"""

import json
import re
from dataclasses import dataclass

import requests

from linkpay.adapters.mollie_fields import Json, text_if_any
from linkpay.adapters.wire import describe, retry_after, surely_not_sent
from linkpay.errors import CredentialsRefused, Missing, OutcomeUnknown, Permanent, ProviderError, Retryable

_DETAIL = 500


@dataclass(frozen=True, slots=True)
class Doubt:
    """A refusal after which the thing asked for may exist all the same."""

    status: int
    detail: re.Pattern[str]
    why: str


# Refusals of a write that must be resolved by listing, never booked as failed.
DOUBTS = (
    # "Another request with this Idempotency-Key is already being processed" (api-idempotency), and "A
    # duplicate refund has been detected" (specification): that refund may be the one whose answer we lost.
    Doubt(409, re.compile(""), "the same request is or was under way"),
    # The same key with other parameters: something was asked for under this key before (api-idempotency).
    Doubt(400, re.compile(r"idempotency", re.IGNORECASE), "the idempotency key is taken"),
    # Seen although a payment existed (mollie-api-php issue 745).
    Doubt(422, re.compile(r"card was not found", re.IGNORECASE), "a payment may exist"),
)


def of_transport(error: BaseException | None, *, repeatable: bool) -> ProviderError:
    """The outcome of a call that brought no answer; `error` is the exception of `requests`."""
    if repeatable or surely_not_sent(error):
        return Retryable(f"Mollie: {describe(error)}")
    return OutcomeUnknown(f"Mollie: {describe(error)}, the request may have arrived")


def of_unreadable(why: str, *, status: int | None, repeatable: bool) -> ProviderError:
    """The outcome of a call whose answer says success but makes no sense."""
    if repeatable:
        return Retryable(f"Mollie: unreadable answer, {why}", status=status)
    return OutcomeUnknown(f"Mollie: unreadable answer, {why}", status=status)


def of_answer(response: requests.Response, *, repeatable: bool) -> ProviderError | None:
    """The failure that this answer means, or None when it says that the call succeeded."""
    status = response.status_code
    if status in (200, 201, 204):
        return None
    body = json_object(response)
    detail = _detail(response, body)
    if status == 429:
        return Retryable(detail, status=status, retry_after=retry_after(response))
    if status in (401, 403):
        return CredentialsRefused(detail, status=status)
    if 400 <= status < 500 and status != 408:
        return _refusal(status, detail, body, repeatable=repeatable)
    # 202 (accepted, not yet processed), 3xx, 408, 5xx and anything odd: nobody knows.
    if repeatable:
        return Retryable(detail, status=status, retry_after=retry_after(response))
    return OutcomeUnknown(detail, status=status)


def _refusal(status: int, detail: str, body: Json | None, *, repeatable: bool) -> ProviderError:
    if not repeatable:
        for doubt in DOUBTS:
            if doubt.status == status and doubt.detail.search(detail):
                return OutcomeUnknown(f"{detail} ({doubt.why})", status=status)
    field = text_if_any(body or {}, "field")
    if status in (404, 410):
        return Missing(detail, status=status, field=field)
    return Permanent(detail, status=status, field=field)


def _detail(response: requests.Response, body: Json | None) -> str:
    told = text_if_any(body or {}, "detail") or text_if_any(body or {}, "title")
    if not told:
        return f"Mollie {response.status_code} without a readable answer"
    key = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
    clean = told.replace(key, "(key)") if key else told
    return f"Mollie {response.status_code}: {clean[:_DETAIL]}"


def json_object(response: requests.Response) -> Json | None:
    """The answer's JSON object; None for anything else, however broken or deeply nested."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
