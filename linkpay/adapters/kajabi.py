"""Kajabi: `AccessProvider` over the activation and deactivation addresses of offers.

The address comes from an owner, so it is checked when it is saved and again when it is used: allowed
hosts only, https only, no redirects, a connection to public addresses only, 64 KiB and ten seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from socket import gaierror

import requests

from linkpay.adapters import kajabi_hooks
from linkpay.adapters.kajabi_answers import Outcome, classify
from linkpay.adapters.kajabi_urls import (
    OfferAddress,
    check_action,
    check_pair,
    mask_url,
    parse_offer_url,
)
from linkpay.adapters.silence import Silence
from linkpay.adapters.time_limits import time_limit
from linkpay.adapters.wire import (
    PooledAdapter,
    describe,
    open_session,
    resolve_public,
    retry_after,
    storable,
    surely_not_sent,
)
from linkpay.errors import (
    CredentialsRefused,
    IdentityConflict,
    InputError,
    Missing,
    OutcomeUnknown,
    Permanent,
    ProviderError,
    Retryable,
)
from linkpay.ports import AccessAnswer, AccessOrder, Announcement

_MAX_BODY = 64 * 1024
_KEPT_BODY = 2 * 1024
_CHUNK = 8 * 1024
_HEADERS = {
    "Accept": "application/json",
    # No compression: a few bytes could unpack to gigabytes before the cap is seen.
    "Accept-Encoding": "identity",
    "User-Agent": "LinkPay/1",
}
_FAILURES: dict[Outcome, type[ProviderError]] = {
    Outcome.IDENTITY_CONFLICT: IdentityConflict,
    Outcome.REFUSED: Permanent,
    Outcome.ADDRESS_GONE: Missing,
    Outcome.NOT_ALLOWED: CredentialsRefused,
    Outcome.UNCLEAR: OutcomeUnknown,
}


@dataclass(frozen=True, slots=True)
class _Reply:
    response: requests.Response
    body: str
    cut: bool


class KajabiOffers:
    """Grants and revokes access, for any number of threads.

    `hosts` are reached over https at public addresses only. `test_hosts` (``127.0.0.1:8090``, a name
    without port for port 80 or 443) come from the server's configuration alone and may be http and
    private. Times are in seconds: to connect, between two bytes, and for a whole call.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        test_hosts: Iterable[str] = (),
        connect_timeout_s: float = 2.0,
        read_timeout_s: float = 8.0,
        total_s: float = 10.0,
    ) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._test_hosts = frozenset(host.lower() for host in test_hosts)
        self._timeouts = (connect_timeout_s, read_timeout_s)
        self._total_s = total_s
        self._public = open_session(PooledAdapter(public_only=True))
        self._local = open_session(PooledAdapter())
        self._silences = {host: Silence("Kajabi") for host in self._hosts | self._test_hosts}

    def read_announcement(self, content_type: str, body: bytes) -> Announcement:
        """What one of Kajabi's own webhooks says."""
        return kajabi_hooks.read(content_type, body)

    def check_pair(self, activation_url: str, deactivation_url: str) -> None:
        """Raise InputError unless both addresses belong to one offer and each does its own work."""
        check_pair(activation_url, deactivation_url)

    def mask_url(self, url: str) -> str:
        """The address with its secret hidden but for its end."""
        return mask_url(url)

    def check_url(self, url: str, *, grant: bool) -> None:
        """Raise InputError when this cannot be an offer address we may send to.

        A name that cannot be looked up now is no reason to refuse: sending checks again.
        """
        address = self._allowed(url, grant=grant)
        if address.host in self._test_hosts:
            return
        try:
            resolve_public(address.host, 443)
        except gaierror:
            return
        except Permanent:
            raise InputError(
                "kajabi_url_host", "This address does not lead to the internet.", "url"
            ) from None

    def apply(self, order: AccessOrder) -> AccessAnswer:
        """Send the order once. Raises as the port says; no message holds the secret part of the address."""
        try:
            address = self._allowed(order.url, grant=order.grant)
        except InputError as error:
            raise Permanent(f"Kajabi: {error.message}", field="url") from None
        reply = self._post(order, address)
        sent = (order.name, order.email, order.external_user_id)
        status = reply.response.status_code
        outcome = classify(status, reply.body, grant=order.grant, sent=sent, cut=reply.cut)
        shown = storable(reply.body[:_KEPT_BODY]).replace(address.token, "***")
        if outcome in (Outcome.DONE, Outcome.WAS_SO_ALREADY):
            return AccessAnswer(status, shown, was_so_already=outcome is Outcome.WAS_SO_ALREADY)
        detail = f"Kajabi {status}, {outcome.value}: {shown}"
        if outcome is Outcome.AGAIN:
            raise Retryable(detail, status=status, retry_after=retry_after(reply.response))
        raise _FAILURES[outcome](detail, status=status)

    def _allowed(self, url: str, *, grant: bool) -> OfferAddress:
        address = parse_offer_url(url)
        if address.host not in self._test_hosts:
            if address.host not in self._hosts:
                raise InputError("kajabi_url_host", "This is not one of Kajabi's addresses.", "url")
            if address.scheme != "https":
                raise InputError("kajabi_url_scheme", "The address must start with https://.", "url")
        check_action(address, grant=grant)
        return address

    def _post(self, order: AccessOrder, address: OfferAddress) -> _Reply:
        session = self._local if address.host in self._test_hosts else self._public
        silence = self._silences[address.host]
        silence.require_hope()
        payload = {
            "name": order.name,
            "email": order.email,
            "external_user_id": order.external_user_id,
        }
        try:
            with (
                time_limit(self._total_s) as limit,
                session.post(
                    address.url(send_mail=order.grant and order.send_offer_mail),
                    json=payload,
                    headers=_HEADERS,
                    timeout=self._timeouts,
                    stream=True,
                ) as response,
            ):
                reply = _read(response)
        except requests.RequestException as error:
            if limit.expired or isinstance(error, requests.Timeout):
                silence.hung()
            raise _of_transport(error, expired=limit.expired) from None
        if limit.expired:
            silence.hung()
            raise OutcomeUnknown("Kajabi: no whole answer in time", status=response.status_code)
        silence.answered()
        return reply


def _read(response: requests.Response) -> _Reply:
    """The body up to the cap; a longer one is cut and says so."""
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MAX_BODY:
            return _Reply(response, body[:_MAX_BODY].decode("utf-8", "replace"), cut=True)
    return _Reply(response, body.decode("utf-8", "replace"), cut=False)


def _of_transport(error: requests.RequestException, *, expired: bool) -> ProviderError:
    if surely_not_sent(error):
        return Retryable(f"Kajabi: {describe(error)}")
    return OutcomeUnknown("Kajabi: no answer in time" if expired else f"Kajabi: {describe(error)}")
