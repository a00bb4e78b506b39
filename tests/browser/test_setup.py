"""An owner sets up a site from nothing, with a browser, and a buyer gets in."""

from playwright.sync_api import Browser, Page, expect

from linkpay.store import sites
from tests.browser import chromium
from tests.browser.screenshots import sign_in
from tests.browser.studio import Studio
from tests.browser.test_buying import settle

ANNA = "anna@example.com"
HOME = "/owner/adem-in-zuid"


def make_site(page: Page, studio: Studio) -> None:
    page.goto(studio.url("/owner/new?lang=nl"))
    page.fill("#name", "Adem in Zuid")
    chromium.press(page, "main button")
    page.wait_for_url("**/start")
    expect(page.get_by_text("Er is nog geen sleutel.")).to_be_visible()
    page.goto(studio.url(f"{HOME}/settings?lang=nl"))
    page.fill("#mollie_key", "test_anewaccountofanewowner")
    page.get_by_role("button", name="Proberen en bewaren").first.click()
    expect(page.get_by_text("Bewaard.", exact=True)).to_be_visible()


def make_offer(page: Page, studio: Studio) -> None:
    kajabi = studio.stage.sandbox.call("POST", "/_sandbox/kajabi/sites", {"name": "Adem"})
    made = studio.stage.sandbox.call(
        "POST", "/_sandbox/kajabi/offers", {"site_id": kajabi["id"], "title": "Adem", "products": ["Adem"]}
    )
    page.goto(studio.url(f"{HOME}/offers/new?lang=nl"))
    page.fill("#title", "Ademen")
    page.fill("#activation_url", made["activation_url"])
    page.fill("#deactivation_url", made["deactivation_url"])
    chromium.press(page, "main button")
    page.wait_for_url("**/plans/new")
    page.fill("#title", "Per maand")
    page.fill("#amount", "12,50")
    chromium.press(page, "main form button")
    page.wait_for_url("**/offers/*")


def prove(page: Page, studio: Studio) -> None:
    page.goto(studio.url(f"{HOME}/start?lang=nl"))
    page.get_by_role("button", name="Stuur mij er een").click()
    page.fill("#email", "ikzelf@example.com")
    page.get_by_role("button", name="Nu proberen").click()
    expect(page.get_by_text("Het werkt: Kajabi gaf ikzelf@example.com toegang")).to_be_visible()


def test_from_nothing_to_a_member_who_is_in(browser: Browser, studio: Studio) -> None:
    with chromium.page(browser) as page:
        sign_in(page, studio)
        make_site(page, studio)
        make_offer(page, studio)
        prove(page, studio)
    with chromium.page(browser, size=chromium.PHONE, proxy=studio.bank) as page:
        page.goto(studio.url("/adem-in-zuid/buy/ademen?lang=nl"))
        expect(page.get_by_text("Je betaalt met")).to_contain_text("iDEAL")
        page.fill("#name", "Anna de Vries")
        page.fill("#email", ANNA)
        page.check("#agree")
        chromium.press(page, ".button-pay")
        settle(page, "paid")
        page.wait_for_url("**/adem-in-zuid/order/**")
    studio.stage.work()
    (anna,) = studio.stage.sandbox.call("GET", f"/_sandbox/kajabi/members?email={ANNA}")
    assert [offer["title"] for offer in anna["offers"]] == ["Adem"]
    with studio.stage.database.read() as tx:
        site = sites.by_slug(tx, "adem-in-zuid")
        assert site is not None
        assert site.methods["first"]
