"""The machine's own Chromium, driven for tests and pictures; nothing is downloaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

Look = Literal["light", "dark"]
DESKTOP, PHONE = (1280, 900), (390, 844)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# It runs as root in CI, and every word to its maker's servers would only be refused.
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


def path() -> str | None:
    """Where Chromium is; None where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window. Raises RuntimeError where there is none."""
    found = path()
    if found is None:
        raise RuntimeError("There is no Chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page(
    browser: Browser,
    *,
    size: tuple[int, int] = DESKTOP,
    look: Look = "light",
    scripts: bool = True,
    proxy: str | None = None,
) -> Iterator[Page]:
    """A fresh browser profile with one page; without `scripts` none of a page's own runs.

    Hosts that are not this machine are reached by `proxy`.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=look, java_script_enabled=scripts,
        is_mobile=size == PHONE, has_touch=size == PHONE, locale="nl-NL",
        proxy=None if proxy is None else {"server": proxy, "bypass": "127.0.0.1,localhost"},
    )  # fmt: skip
    try:
        yield context.new_page()
    finally:
        context.close()


def press(page: Page, selector: str) -> None:
    """Click what leads to another page, and wait until that is there; a click alone may not."""
    with page.expect_navigation():
        page.click(selector)
