"""A buyer with a browser: on a phone, and without JavaScript."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.studio import Studio

ANNA = "anna@example.com"


def order(page: Page, studio: Studio) -> None:
    """Fill in the checkout and go to the bank."""
    page.goto(studio.url("/studio/buy/members?plan=monthly&lang=nl"))
    page.fill("#name", "Anna de Vries")
    page.fill("#email", ANNA)
    page.check("#agree")
    chromium.press(page, ".button-pay")


def settle(page: Page, outcome: str) -> None:
    """What the buyer chooses on the hosted payment page."""
    page.check(f"input[name=status][value={outcome}]")
    chromium.press(page, "button[type=submit]")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_she_buys_on_a_phone_and_sees_that_the_course_is_open(
    browser: Browser, studio: Studio, *, scripts: bool
) -> None:
    with chromium.page(browser, size=chromium.PHONE, scripts=scripts, proxy=studio.bank) as page:
        order(page, studio)
        settle(page, "paid")
        page.wait_for_url("**/studio/order/**")
        studio.stage.work()
        page.goto(page.url)
        expect(page.get_by_role("link", name="Naar de cursus")).to_be_visible()
    assert studio.stage.has_access(ANNA)


def test_a_failed_payment_offers_another_try_with_everything_kept(browser: Browser, studio: Studio) -> None:
    with chromium.page(browser, size=chromium.PHONE, proxy=studio.bank) as page:
        order(page, studio)
        settle(page, "failed")
        page.wait_for_url("**/studio/order/**")
        studio.stage.work()
        page.goto(page.url)
        expect(page.get_by_role("heading", level=1)).to_contain_text("niet gelukt")
        chromium.press(page, "main form button, main a.button")
        page.wait_for_url("**/checkout/**")
        settle(page, "paid")
        studio.stage.work()
    assert studio.stage.has_access(ANNA)


def test_nothing_on_a_phone_is_wider_than_the_phone(browser: Browser, studio: Studio) -> None:
    with chromium.page(browser, size=chromium.PHONE) as page:
        page.goto(studio.url("/studio/buy/members"))
        assert page.evaluate("document.documentElement.scrollWidth") <= chromium.PHONE[0]
