"""One buyer with a browser: from the checkout page to the bank and back, over real HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from linkpay.cli.output import CommandFailed
from linkpay.cli.pages import Form, Page, refresh_target

Fields = Mapping[str, str | list[str]]

_PATIENCE = (5.0, 30.0)  # seconds to connect, and between two bytes
_LONGEST_WAIT = 20.0  # seconds a page may send the buyer round before she gives up


@dataclass(frozen=True, slots=True)
class Wish:
    """What she wants, and what becomes of her payment at the bank. `address` is the checkout page's.

    `bumps` are the plans that she adds; `method` is also how she proves an account that nothing is due from.
    """

    address: str
    plan: str
    name: str
    email: str
    method: str
    status: str
    coupon: str = ""
    bumps: tuple[str, ...] = ()


class Buyer:
    """A browser of her own: cookies, redirects, forms."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept"] = "text/html"

    def buy(self, wish: Wish) -> str:
        """Order and pay; returns the address she ends at. Raises CommandFailed with what a page said."""
        bank = self._order(wish)
        form = _form_with(bank, "status", "The bank's page")
        if not form.choose("method", wish.method):
            raise CommandFailed(
                "method_unknown", f"Mollie does not offer {wish.method} here, but {_options(form, 'method')}."
            )
        if not form.choose("status", wish.status):
            raise CommandFailed("status_unknown", f"A payment can become {_options(form, 'status')}.")
        return str(self._send(form).url)

    def _order(self, wish: Wish) -> requests.Response:
        """The bank's page, reached through the checkout page."""
        page = self._ask("GET", wish.address, params={"plan": wish.plan, "coupon": wish.coupon})
        checkout = urlsplit(page.url).netloc
        # Twice: a page that asks whether an unusual address is meant takes it when it is sent again.
        for _ in range(2):
            form = _form_with(page, "email", "The checkout page")
            form.values |= {"name": wish.name, "email": wish.email}
            form.choose("plan", wish.plan)
            form.choose("method", wish.method)
            for box in ("agree", "start"):
                form.tick(box)
            for bump in wish.bumps:
                if not form.tick("bump", bump):
                    offered = ", ".join(form.boxes.get("bump", [])) or "nothing"
                    raise CommandFailed("bump_unknown", f"{bump} cannot be added here, but {offered}.")
            page = self._go_on(self._send(form))
            if urlsplit(page.url).netloc != checkout:
                return page
        raise CommandFailed("not_ordered", f"The checkout page said: {Page(page.text, page.url).said()}")

    def _go_on(self, page: requests.Response) -> requests.Response:
        """Follow a page that goes on by itself, as long as a buyer would watch it."""
        ends = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < ends:
            header = page.headers.get("Refresh")
            target = refresh_target(header, page.url) if header else Page(page.text, page.url).goes_to
            if target is None:
                return page
            time.sleep(0.5)
            page = self._ask("GET", target)
        return page

    def _send(self, form: Form) -> requests.Response:
        if form.method == "get":
            return self._ask("GET", form.action, params=form.fields())
        return self._ask("POST", form.action, data=form.fields())

    def _ask(
        self,
        method: str,
        url: str,
        *,
        params: Fields | None = None,
        data: Fields | None = None,
    ) -> requests.Response:
        try:
            page = self._session.request(method, url, params=params, data=data, timeout=_PATIENCE)
        except requests.RequestException as error:
            where = urlsplit(url)
            raise CommandFailed(
                "page_away",
                f"{where.scheme}://{where.netloc} does not answer ({type(error).__name__})."
                " Is `make run` running?",
            ) from error
        if page.status_code >= 500 or page.status_code == 404:
            said = Page(page.text, page.url).said()
            raise CommandFailed("page_failed", f"{urlsplit(url).path} answered {page.status_code}: {said}")
        return page


def _form_with(page: requests.Response, name: str, what: str) -> Form:
    read = Page(page.text, page.url)
    for form in read.forms:
        if name in form.values or name in form.choices:
            return form
    raise CommandFailed("no_form", f"{what} takes no order. It says: {read.said()}")


def _options(form: Form, name: str) -> str:
    return ", ".join(form.choices.get(name, [])) or form.values.get(name, "nothing")
