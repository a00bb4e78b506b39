"""Real HTTP for webhooks: time-outs and redirects as Mollie treats them."""

import time
from urllib.parse import urljoin

import urllib3

from linkpay.sandbox.records import Delivery

TIMEOUT_SECONDS = 15.0
MAX_REDIRECTS = 5


class HttpPost:
    """Posts deliveries over pooled connections.

    301, 302 and 303 turn the call into a GET without body (so the id is lost), 307 and 308 keep it
    (Mollie docs, webhooks). An answer after 15 s is no answer.
    """

    def __init__(self, pool_size: int) -> None:
        self._pool = urllib3.PoolManager(maxsize=pool_size, retries=False)

    def __call__(self, delivery: Delivery) -> int:
        """Returns the HTTP status of the last answer, or 0 when there was none in time."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        method, url, body = "POST", delivery.url, delivery.body.encode()
        headers = {"Content-Type": delivery.content_type, **delivery.headers}
        for _ in range(MAX_REDIRECTS + 1):
            left = deadline - time.monotonic()
            if left <= 0:
                return 0
            try:
                answer = self._pool.request(
                    method, url, body=body, headers=headers, timeout=left, redirect=False, retries=False
                )
            except (urllib3.exceptions.HTTPError, ValueError):
                return 0
            location = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None:
                return answer.status if time.monotonic() <= deadline else 0
            url = urljoin(url, location)
            if answer.status in (301, 302, 303):
                method, body = "GET", b""
                headers.pop("Content-Type", None)
        return 0
