"""``python -m tests.browser.owner_docs``: the pictures of docs/owner, taken from the running product."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page
from rich.console import Console

from tests.browser import chromium
from tests.browser.screenshots import no_sign_in, sign_in
from tests.browser.studio import Studio, members_of_every_fate, opened

FOLDER = Path("docs/owner/images")
#: A picture is read in a guide, not studied: what is larger is cut off.
MOST_BYTES = 60_000
_DESK, _PHONE = (800, 520), (390, 640)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its name, where, how large, and the part of the page that it begins with."""

    name: str
    path: str
    size: tuple[int, int] = _DESK
    begins_at: str = ""
    enter: Callable[[Page, Studio], None] = sign_in


PICTURES = (
    Picture("start", "/owner/studio/start"),
    Picture("rehearsal", "/owner/studio/start/rehearsal?plan=monthly&still=1"),
    Picture("offer", "/owner/studio/offers/1?plan=monthly", size=(620, 460), begins_at="#reach"),
    Picture("policies", "/owner/studio/policies", size=(560, 440), begins_at="#group-1"),
    Picture("checkout", "/studio/buy/members?plan=monthly", size=_PHONE, enter=no_sign_in),
)


def take(browser: Browser, studio: Studio, picture: Picture, lang: str) -> int:
    """Take one picture; its bytes."""
    with chromium.page(browser, size=picture.size) as page:
        picture.enter(page, studio)
        page.goto(studio.url(f"{picture.path}{'&' if '?' in picture.path else '?'}lang={lang}"))
        if picture.begins_at:
            page.locator(picture.begins_at).evaluate("element => element.scrollIntoView()")
        path = FOLDER / f"{lang}-{picture.name}.png"
        page.screenshot(path=path)
        return path.stat().st_size


def main() -> None:
    """Take all pictures, in both languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    console = Console()
    with opened(members_of_every_fate) as studio, chromium.launched() as browser:
        for picture in PICTURES:
            for lang in ("nl", "en"):
                size = take(browser, studio, picture, lang)
                console.print(f"{lang}-{picture.name}: {size:,} bytes")
                if size > MOST_BYTES:
                    raise SystemExit(f"{picture.name} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
