"""An owner with a browser: signs in, switches the second step on, and comes back with a code."""

import re
from datetime import timedelta

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.studio import MIRA, PASSWORD, Studio


def enter(page: Page, studio: Studio) -> None:
    """Give e-mail address and password."""
    page.goto(studio.url("/owner/sign-in?lang=en"))
    page.fill("#email", MIRA)
    page.fill("#password", PASSWORD)
    chromium.press(page, "main button")


def test_the_second_step_is_switched_on_and_asked_for(browser: Browser, studio: Studio) -> None:
    with chromium.page(browser) as page:
        enter(page, studio)
        page.goto(studio.url("/owner/account/second-step?lang=en"))
        secret = page.inner_text(".key")
        page.fill("#code", pyotp.TOTP(secret).at(studio.stage.clock.now()))
        chromium.press(page, "main button")
        shown = page.locator(".codes code")
        expect(shown).to_have_count(10)
        codes = shown.all_inner_texts()
        assert all(re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){3}", code) for code in codes)
    studio.stage.pass_time(timedelta(minutes=1))
    with chromium.page(browser, size=chromium.PHONE) as page:
        enter(page, studio)
        page.fill("#code", pyotp.TOTP(secret).at(studio.stage.clock.now()))
        chromium.press(page, "main button")
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Today|Vandaag"))
