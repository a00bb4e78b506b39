"""What the web layer needs to know beyond the parts, and how its views reach both."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app

from linkpay.services.parts import Parts

#: Where a pressed pay button may end. Browsers hold the whole chain of redirects to this, and with one
#: method only Mollie sends the buyer straight on to her bank, whose host nobody can list.
_PAYMENT_PAGES = "https:"


def _nobody_to_ask() -> bool:
    return True


def _nobody_counts() -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Edge:
    """`secret_key` signs form tokens. `secure` when buyers come by https.

    `checkout_origin` is where hosted payment pages are when they are not Mollie's own.
    `redis_answers` tells whether Redis takes rings, within a second; pages work without it.
    `workers_listening` counts the workers that it hears, None when it cannot be asked.
    `metrics_token` opens /metrics.
    `proxies` is how many of ours stand in front and name the address that they were asked from.
    """

    secret_key: str
    secure: bool
    checkout_origin: str | None = None
    redis_answers: Callable[[], bool] = _nobody_to_ask
    workers_listening: Callable[[], int | None] = _nobody_counts
    metrics_token: str | None = None
    proxies: int = 0

    @property
    def payment_hosts(self) -> str:
        """Sources for the policy: where a buyer may be sent."""
        return f"{_PAYMENT_PAGES} {self.checkout_origin}" if self.checkout_origin else _PAYMENT_PAGES


def checkout_origin(mollie_api_url: str) -> str:
    """The origin of a provider address, as a Content-Security-Policy writes it."""
    address = urlsplit(mollie_api_url)
    return f"{address.scheme}://{address.netloc}"


def parts() -> Parts:
    """The parts this application was made with."""
    found: Parts = current_app.extensions["linkpay"]
    return found


def edge() -> Edge:
    """The web settings this application was made with."""
    found: Edge = current_app.extensions["linkpay.edge"]
    return found
