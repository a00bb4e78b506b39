"""A member with a phone: her debit bounces and she pays, and she stops and changes her mind."""

import re

from playwright.sync_api import Browser, Page, expect

from linkpay.domain.subscription import SubscriptionState
from linkpay.ports import Letter
from tests.browser import chromium
from tests.browser.studio import Studio

ANNA = "anna@example.com"


def open_link(page: Page, studio: Studio, letter: Letter) -> None:
    """The link in a mail, as its reader presses it."""
    found = re.search(re.escape(studio.address) + r"(/\S+)", letter.text)
    assert found is not None, letter.text
    page.goto(studio.url(found[1]))


def test_a_debit_bounces_and_she_pays_by_the_link_in_the_mail(browser: Browser, studio: Studio) -> None:
    stage = studio.stage
    stage.buy(ANNA)
    stage.advance(days=29)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "failed", "MD01")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    with chromium.page(browser, size=chromium.PHONE, proxy=studio.bank) as page:
        open_link(page, studio, stage.mailer.letters[-1])
        expect(page.get_by_role("main")).to_contain_text("€ 50,00")
        page.check("#agree")
        chromium.press(page, ".button-pay")
        page.wait_for_url("**/checkout/**")
        page.check("input[name=status][value=paid]")
        chromium.press(page, "button[type=submit]")
        page.wait_for_url(f"{studio.address}/**")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)


def test_she_stops_and_changes_her_mind_without_scripts(browser: Browser, studio: Studio) -> None:
    stage = studio.stage
    stage.buy(ANNA)
    with chromium.page(browser, size=chromium.PHONE, scripts=False) as page:
        page.goto(studio.url("/studio/portal?lang=nl"))
        page.fill("#email", ANNA)
        chromium.press(page, "main form button")
        stage.work()
        open_link(page, studio, stage.mailer.letters[-1])
        chromium.press(page, "main form button")
        page.get_by_role("link", name="Opzeggen").click()
        page.get_by_role("radio").last.check()
        chromium.press(page, "form.doing[method=post] button")
        assert stage.subscription(ANNA).state is SubscriptionState.CANCELING
        expect(page.get_by_role("main")).to_contain_text("Opgezegd")
        page.get_by_role("link", name=re.compile("Opzegging")).click()
        chromium.press(page, "form.doing[method=post] button")
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    stage.work()
    assert {"canceled", "cancel_undone"} & set(stage.mail_kinds()), stage.mail_kinds()
