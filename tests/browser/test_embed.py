"""The checkout inside a seller's own page, on another site: it fits, and leaves for the bank whole."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser, FrameLocator, Page, expect

from linkpay.domain.coupon import DiscountKind, Duration
from linkpay.store.tables import Coupon, Site
from tests.browser import chromium
from tests.browser.studio import Studio

ANNA = "anna@example.com"


@contextmanager
def somebody_elses(studio: Studio) -> Iterator[str]:
    """A page at another site that holds the checkout; its address."""
    checkout = studio.url("/studio/buy/members?plan=monthly&amp;lang=nl")
    code = f'<script async src="{studio.url("/embed.js")}" data-checkout="{checkout}"></script>'
    html = f"<!doctype html><title>Mijn pagina</title><h1>Word lid</h1>{code}<p>Onderaan</p>".encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        # To a browser, localhost is another site than 127.0.0.1: no cookie of ours gets through.
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()


def allow(studio: Studio, *origins: str) -> None:
    with studio.stage.database.write() as tx:
        site = tx.get_one(Site, studio.stage.shop.site_id)
        site.embed_parents = list(origins)
        if not tx.query(Coupon).count():
            coupon = Coupon(site_id=site.id, code="TIEN", kind=DiscountKind.PERCENT.value, value=1000)
            coupon.duration, coupon.created_at = Duration.ONCE.value, studio.stage.clock.now()
            tx.add(coupon)


def inside(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_it_fits_counts_a_coupon_in_place_and_breaks_out_to_the_bank(
    browser: Browser, studio: Studio
) -> None:
    with (
        somebody_elses(studio) as address,
        chromium.page(browser, size=chromium.PHONE, proxy=studio.bank) as page,
    ):
        allow(studio, address)
        page.goto(address)
        frame = inside(page)
        expect(frame.locator("h1")).to_have_text("Members")
        page.wait_for_function(
            "() => { const f = document.querySelector('iframe'); return parseInt(f.style.height) > 700 }"
        )
        frame.locator(".coupon summary").click()
        frame.locator("#coupon").fill("tien")
        frame.locator("button[name=apply]").click()
        expect(frame.locator(".lines-total dd").first).to_contain_text("45,00")
        expect(frame.locator("#live")).to_contain_text("10%")
        frame.locator("#name").fill("Anna de Vries")
        frame.locator("#email").fill(ANNA)
        frame.locator("#agree").check()
        frame.locator(".button-pay").click()
        page.wait_for_url("**/checkout/**")
        page.check("input[name=status][value=paid]")
        chromium.press(page, "button[type=submit]")
        page.wait_for_url("**/studio/order/**")
        studio.stage.work()
        page.goto(page.url)
        expect(page.get_by_role("link", name="Naar de cursus")).to_be_visible()
    assert studio.stage.has_access(ANNA)
    assert studio.stage.charges(ANNA)[0].amount_cents == 4500


def test_what_is_wrong_is_said_on_a_page_of_its_own_with_everything_kept(
    browser: Browser, studio: Studio
) -> None:
    with somebody_elses(studio) as address, chromium.page(browser) as page:
        allow(studio, address)
        page.goto(address)
        inside(page).locator("#name").fill("Anna de Vries")
        inside(page).locator(".button-pay").click()
        page.wait_for_url("**/studio/buy/members**")
        expect(page.locator("#name")).to_have_value("Anna de Vries")
        expect(page.locator(".summary-errors")).to_be_visible()


def test_a_page_that_was_not_allowed_shows_nothing_of_it(browser: Browser, studio: Studio) -> None:
    with somebody_elses(studio) as address, chromium.page(browser) as page:
        allow(studio, "https://www.example.com")
        page.goto(address)
        page.wait_for_selector("iframe")
        page.wait_for_timeout(500)
        assert inside(page).locator("#buy").count() == 0
