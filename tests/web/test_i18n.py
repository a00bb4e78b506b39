"""Both languages, everywhere, chosen by address, site, customer and browser in that order."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask

from linkpay import web
from linkpay.store.tables import Customer, Site
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, form_of, words_of

WEB = Path(web.__path__[0])
BUY = "/studio/buy/members"


def messages() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """(where, message) for all that the code and the templates say."""
    methods = [("templates/**.html", "jinja2"), ("**.py", "python")]
    keywords = {"_": None, "ngettext": (1, 2)}
    for name, line, message, _, _ in extract_from_dir(WEB, methods, keywords=keywords):
        yield f"{name}:{line}", message if isinstance(message, str) else tuple(message or ())


def catalog() -> dict[str | tuple[str, ...], tuple[str, ...]]:
    found: list[Message] = []
    for path in sorted((WEB / "translations" / "nl").glob("*.po")):
        with path.open("rb") as file:
            found += [message for message in read_po(file, locale="nl") if message.id]
    assert not any(message.fuzzy for message in found)
    ids = [str(message.id) for message in found]
    assert len(ids) == len(set(ids)), "said twice, perhaps differently"
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): (
            (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        )
        for message in found
        if message.id
    }


def test_everything_that_is_said_is_said_in_dutch_too() -> None:
    known, said = catalog(), {message: where for where, message in messages()}
    assert len(said) > 100
    missing = {where: message for message, where in said.items() if not all(known.get(message, ("",)))}
    assert not missing
    assert known.keys() <= said.keys(), "translations of what nobody says any more"


def test_translations_name_the_same_facts() -> None:
    for message, translated in catalog().items():
        originals = (message,) if isinstance(message, str) else message
        for original, text in zip(originals, translated, strict=True):
            names = re.findall(r"%\((\w+)\)s", original)
            assert set(re.findall(r"%\((\w+)\)s", text)) == set(names), original
            assert "%" not in re.sub(r"%\(\w+\)s", "", text)


def test_no_template_holds_words_that_cannot_be_translated() -> None:
    for path in (WEB / "templates").rglob("*.html"):
        bare = re.sub(
            r"{#.*?#}|{%.*?%}|{{.*?}}|<(style|svg)\b.*?</\1>|<[^>]*>", " ", path.read_text(), flags=re.DOTALL
        )
        words = set(re.findall(r"[A-Za-z]{2,}", bare)) - {"LinkPay", "doctype"}
        assert not words, (path.name, words)


@pytest.mark.parametrize(
    ("query", "site", "browser", "spoken"),
    [
        ("", "nl", "en", "nl"),
        ("", "en", "nl", "en"),
        ("?lang=en", "nl", "nl", "en"),
        ("?lang=nl", "en", "en", "nl"),
        ("?lang=fr", "nl", "fr", "nl"),
        ("?lang=", "en", "", "en"),
    ],
)
def test_the_address_goes_before_the_site_and_the_site_before_the_browser(
    visitor: Visitor, stage: Stage, query: str, site: str, browser: str, spoken: str
) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).locale = site
    page = visitor.look(f"{BUY}{query}", **{"Accept-Language": browser})
    assert f'<html lang="{spoken}">' in page.text


@pytest.mark.parametrize(
    ("browser", "spoken"), [("", "nl"), ("en-US,en;q=0.9", "en"), ("de", "nl"), ("nl-BE", "nl")]
)
def test_where_no_site_speaks_the_browser_is_heard_and_dutch_comes_first(
    visitor: Visitor, browser: str, spoken: str
) -> None:
    assert f'<html lang="{spoken}">' in visitor.look("/", **{"Accept-Language": browser}).text


def test_switching_the_language_keeps_what_was_typed(visitor: Visitor) -> None:
    typed = {"name": "Anna", "email": "anna@", "plan": "terms", "agree": "yes"}
    english = visitor.press(visitor.look(BUY), **typed, switch="en")
    assert english.status_code == 200
    assert "How do you want to pay?" in words_of(english)
    fields = form_of(english).fields
    assert {name: fields[name] for name in typed} == typed
    dutch = visitor.press(english, switch="nl")
    assert "Hoe wil je betalen?" in words_of(dutch)
    refused = visitor.press(english)
    assert "Check your e-mail address" in words_of(refused)


def test_the_language_of_an_order_is_kept_with_the_customer(visitor: Visitor, stage: Stage) -> None:
    visitor.order(f"{BUY}?lang=en")
    with stage.database.read() as tx:
        assert tx.query(Customer).one().locale == "en"


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("url", ["/", "/studio/buy/members", "/studio/buy/none", "/none/buy/none"])
def test_each_page_links_to_itself_in_the_other_language(visitor: Visitor, url: str, lang: str) -> None:
    page = visitor.look(f"{url}?lang={lang}&name=A%26B")
    other = {"nl": "en", "en": "nl"}[lang]
    link = f'href="{url}?lang={other}&amp;name=A%26B"'
    assert link in page.text or f'name="switch" value="{other}"' in page.text


def test_amounts_and_days_are_written_as_each_language_does(visitor: Visitor) -> None:
    dutch, english = (words_of(visitor.look(f"/studio/buy/solo?lang={lang}")) for lang in ("nl", "en"))
    assert "€ 25,00" in dutch
    assert "28 februari 2026" in dutch
    assert "€25.00" in english
    assert "28 February 2026" in english


@pytest.mark.parametrize("path", ["/%5Cevil.example", "/%09/evil.example", "/%3Fa"])
def test_the_link_to_the_other_language_leads_to_this_page(app: Flask, path: str) -> None:
    (href,) = re.findall(r'class="language" href="([^"]*)"', app.test_client().get(path).text)
    assert href.startswith("/")
    assert not href.startswith("//")
    assert "\\" not in href
    assert "\t" not in href
