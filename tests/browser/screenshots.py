"""``python -m tests.browser.screenshots``: every page as people see it, and what axe finds on it.

Pictures go to var/screenshots: desktop and phone, Dutch and English, light and dark.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from rich.console import Console

from linkpay.store.tables import Mail
from tests.browser import chromium
from tests.browser.studio import MIRA, PASSWORD, Studio, members_of_every_fate, opened

#: Who shows her portal.
MEMBER = "anna@example.com"
FOLDER = Path("var/screenshots")
_LINKS_LIVE = timedelta(minutes=16)
_LOOKS: tuple[chromium.Look, ...] = ("light", "dark")
_SIZES = {"desktop": chromium.DESKTOP, "phone": chromium.PHONE}


def buyer_pages(studio: Studio) -> dict[str, str]:
    """Pages that need no sign-in, by name."""
    stage = studio.stage
    found = {"home": "/", "buy": "/studio/buy/members", "not-found": "/studio/buy/none"}
    for name in ("anna", "bram", "carla", "dirk", "eva"):
        email = f"{name}@example.com"
        found[f"order-{name}"] = f"/studio/order/{stage.subscription(email).token}"
    found["bill"] = f"/studio/pay/{stage.charges('bram@example.com')[1].token}"
    found |= {"withdraw": "/studio/withdraw", "portal-door": "/studio/portal"}
    found |= {"sign-in": "/owner/sign-in"}
    return found


def portal_pages(studio: Studio) -> dict[str, str]:
    """Pages of a member of her own, by name."""
    held, charge = studio.stage.subscription(MEMBER), studio.stage.charges(MEMBER)[0]
    found = {"home": "", "email": "/email", "data": "/data", "receipt": f"/receipts/{charge.token}"}
    for act in ("account", "pause", "switch", "cancel", "withdraw"):
        found[act] = f"/subscriptions/{held.token}/{act}"
    return {name: f"/studio/portal{path}" for name, path in found.items()}


def owner_pages(studio: Studio) -> dict[str, str]:
    """Pages of the desk, by name."""
    number = studio.stage.subscription("bram@example.com").id
    first = studio.stage.charges("bram@example.com")[0].id
    with studio.stage.database.read() as tx:
        mail = tx.query(Mail).filter_by(subscription_id=number, kind="welcome").one().id
    return {
        "account": "/owner/account", "second-step": "/owner/account/second-step", "today": "/owner/studio/",
        "members": "/owner/studio/members", "numbers": "/owner/studio/numbers",
        "books": "/owner/studio/books", "log": "/owner/studio/log",
        "message": "/owner/studio/log/1", "nobody-found": "/owner/studio/members?q=zzz",
        "member": f"/owner/studio/members/{number}", "colleagues": "/owner/studio/colleagues",
        "offers": "/owner/studio/offers", "offer": "/owner/studio/offers/1",
        "offer-new": "/owner/studio/offers/new", "offer-edit": "/owner/studio/offers/1/edit",
        "plan": "/owner/studio/plans/3", "policies": "/owner/studio/policies",
        "settings": "/owner/studio/settings", "audit": "/owner/studio/audit", "mails": "/owner/studio/mails",
        "mail": "/owner/studio/mails/payment_failed/nl", "start": "/owner/studio/start",
        "rehearsal": "/owner/studio/start/rehearsal?still=1", "new-site": "/owner/new",
        "prices": "/owner/studio/prices", "price": "/owner/studio/plans/1/price",
        "coupons": "/owner/studio/coupons", "coupon-new": "/owner/studio/coupons/new",
        "member-acts": f"/owner/studio/members/{number}/cancel",
        "member-refund": f"/owner/studio/members/{number}/refund?charge={first}",
        "member-mail": f"/owner/studio/members/{number}/mails/{mail}",
        "attention": "/owner/studio/attention", "bulk": "/owner/studio/members/bulk?act=cancel",
        "withdrawals": "/owner/studio/withdrawals", "runs": "/owner/studio/runs",
        "run": "/owner/studio/runs/1", "programs": "/owner/studio/programs",
        "refused": "/owner/studio/plans/3/price",
    }  # fmt: skip


def no_sign_in(_page: Page, _studio: Studio) -> None:
    """Anybody may look."""


def sign_in(page: Page, studio: Studio) -> None:
    """Into the desk, as its owner."""
    page.goto(studio.url("/owner/sign-in"))
    page.fill("#email", MIRA)
    page.fill("#password", PASSWORD)
    chromium.press(page, "main button")


def enter_portal(page: Page, studio: Studio) -> None:
    """Into the portal, by the link in the member's mail."""
    studio.stage.clock.advance(_LINKS_LIVE)  # nobody gets many links within their life
    page.goto(studio.url("/studio/portal"))
    page.fill("#email", MEMBER)
    chromium.press(page, "main button")
    studio.stage.work()
    link = re.search(r"https?://\S+/portal/enter/\S+", studio.stage.mailer.letters[-1].text)
    assert link is not None
    page.goto(link[0])
    chromium.press(page, "main button")
    assert page.get_by_text("Uitloggen").count() == 1, "the link leads in"


PARTS: tuple[tuple[str, Callable[[Page, Studio], None], Callable[[Studio], dict[str, str]]], ...] = (
    ("buyer", no_sign_in, buyer_pages),
    ("portal", enter_portal, portal_pages),
    ("owner", sign_in, owner_pages),
)


def pictures(browser: Browser, studio: Studio) -> Iterator[tuple[str, int]]:
    """Take every picture; its name, and how much axe finds on the page."""
    for (size, look), (part, enter, pages) in itertools.product(itertools.product(_SIZES, _LOOKS), PARTS):
        with chromium.page(browser, size=_SIZES[size], look=look) as page:
            enter(page, studio)
            for (name, path), lang in itertools.product(pages(studio).items(), ("nl", "en")):
                page.goto(studio.url(f"{path}{'&' if '?' in path else '?'}lang={lang}"))
                page.screenshot(path=FOLDER / f"{part}-{name}-{lang}-{size}-{look}.png", full_page=True)
                yield f"{part}-{name}-{lang}-{size}-{look}", findings(page)


def findings(page: Page) -> int:
    """How many rules of WCAG 2.2 AA the page breaks; what they are goes to the terminal."""
    # axe is a script, which the page's own policy would refuse: it is brought in from outside.
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    for violation in found.response["violations"]:
        places = ", ".join(node["html"][:100] for node in violation["nodes"][:3])
        Console(stderr=True).print(f"{page.url}: {violation['help']}: {places}", markup=False)
    return len(found.response["violations"])


def main() -> None:
    """Take all pictures and say what was found."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    console = Console()
    with opened(members_of_every_fate) as studio, chromium.launched() as browser:
        taken = list(pictures(browser, studio))
    console.print(f"{len(taken)} pictures in {FOLDER}; axe finds {sum(number for _, number in taken)} faults")


if __name__ == "__main__":
    main()
