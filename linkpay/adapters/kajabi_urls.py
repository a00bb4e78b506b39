"""Kajabi's offer addresses: what we are willing to send to, and how to show one without telling it.

Shape (Kajabi's help pages): ``https://checkout.kajabi.com/webhooks/offers/<token>/<number>/activate``,
and ``/deactivate``. Nothing else protects an offer: the address itself is the secret.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from linkpay.errors import InputError

_MAX_LENGTH = 1000
# Printable ASCII without what parsers read in different ways (blank, quotes, backslash, per cent, ...).
_SAFE = re.compile(r"[A-Za-z0-9:/?=&_.~-]+")
_PATH = re.compile(
    r"/webhooks/offers/(?P<token>[A-Za-z0-9][A-Za-z0-9_.~-]{0,127})/(?P<number>[0-9]{1,20})"
    r"/(?P<action>activate|deactivate)"
)
_HOST = re.compile(r"(?P<name>[a-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_MAIL = "send_offer_grant_email"


@dataclass(frozen=True, slots=True)
class OfferAddress:
    """The parts of an offer address that passed every check of its form; `host` may hold a port."""

    scheme: str
    host: str
    token: str
    number: str
    action: str

    def url(self, *, send_mail: bool) -> str:
        """The address to call, whatever query the pasted one had. Kajabi's default is to send no mail."""
        path = f"/webhooks/offers/{self.token}/{self.number}/{self.action}"
        return f"{self.scheme}://{self.host}{path}" + (f"?{_MAIL}=true" if send_mail else "")


def parse_offer_url(url: str) -> OfferAddress:
    """Read an address that an owner pasted. Raises InputError with a stable code for anything odd.

    A query may only hold ``send_offer_grant_email``, which the activation address of older carts does.
    """
    if not isinstance(url, str) or len(url) > _MAX_LENGTH or not _SAFE.fullmatch(url):
        raise _refused("kajabi_url_characters", "This is not an offer address: it holds odd characters.")
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _refused("kajabi_url_shape", "This is not a web address.") from None
    path, host = _PATH.fullmatch(parts.path), _HOST.fullmatch(parts.netloc.lower())
    if parts.scheme not in ("https", "http") or host is None:
        raise _refused("kajabi_url_shape", "This is not a web address that starts with https://.")
    if path is None:
        raise _refused(
            "kajabi_url_path",
            "Copy the whole address from Kajabi: it ends in /webhooks/offers/.../activate or /deactivate.",
        )
    if query and [(name, value in ("true", "false")) for name, value in query] != [(_MAIL, True)]:
        raise _refused("kajabi_url_query", f"Nothing but {_MAIL}=true may follow the question mark.")
    return OfferAddress(parts.scheme, _plain_host(parts.scheme, host), **path.groupdict())


def _plain_host(scheme: str, host: re.Match[str]) -> str:
    """The host, without a port that the scheme implies."""
    implied = {"https": "443", "http": "80"}[scheme]
    return host["name"] if host["port"] in (None, implied) else host[0]


def check_pair(activation_url: str, deactivation_url: str) -> None:
    """Raise InputError unless both addresses belong to one offer and each does its own work.

    A pair that was mixed up would grant one offer and revoke another.
    """
    activation, deactivation = parse_offer_url(activation_url), parse_offer_url(deactivation_url)
    check_action(activation, grant=True, field="activation_url")
    check_action(deactivation, grant=False, field="deactivation_url")
    if (activation.token, activation.number) != (deactivation.token, deactivation.number):
        raise _refused(
            "kajabi_urls_differ", "These two addresses belong to different offers.", "deactivation_url"
        )


def check_action(address: OfferAddress, *, grant: bool, field: str | None = None) -> None:
    """Raise InputError when an activation address stands where a deactivation address belongs, or reverse."""
    wanted = "activate" if grant else "deactivate"
    if address.action != wanted:
        raise _refused("kajabi_url_action", f"This address must end in /{wanted}.", field)


def mask_url(url: str) -> str:
    """The address with its token hidden but for the last four characters, for pages and logs."""
    try:
        address = parse_offer_url(url)
    except InputError:
        return "***"
    shown = address.token[-4:] if len(address.token) >= 12 else ""
    path = f"/webhooks/offers/***{shown}/{address.number}/{address.action}"
    return f"{address.scheme}://{address.host}{path}"


def _refused(code: str, message: str, field: str | None = None) -> InputError:
    return InputError(code, message, field or "url")
