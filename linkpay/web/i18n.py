"""The language of a page: chosen per request, Dutch first, without a cookie.

English stands in the code; ``translations/<language>/<part>.po`` hold the others, a part of the pages
each, and are read as they are when the process starts, so there is no compiled copy that can be older
than its source.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request

from linkpay.domain.money import Money
from linkpay.services.formats import (
    LOCALES,
    count_text,
    day_text,
    instant_text,
    moment_text,
    money_text,
    month_text,
    share_text,
)

DEFAULT = "nl"
_CATALOGS = Path(__file__).parent / "translations"

#: One entry is the translation, or its singular and plural.
Catalog = Mapping[str, str | tuple[str, ...]]


def read_catalog(locale: str) -> Catalog:
    """The translations into `locale`; empty for English, which needs none."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            message.string if isinstance(message.string, str) else tuple(message.string)
        )
        for path in sorted((_CATALOGS / locale).glob("*.po"))
        for message in _entries(path, locale)
        if message.id and message.string and not message.fuzzy
    }


def _entries(path: Path, locale: str) -> list[Message]:
    with path.open("rb") as file:
        return list(read_po(file, locale=locale))


_READ = {locale: read_catalog(locale) for locale in LOCALES}


def locale() -> str:
    """The language of this request: ``nl`` or ``en``."""
    if not has_request_context():
        return DEFAULT
    # Asked for with every word of a page: found out once.
    if (known := g.get("spoken")) is None:
        known = asked_language() or g.get("locale")
        known = g.spoken = known or request.accept_languages.best_match(list(LOCALES)) or DEFAULT
    return str(known)


def asked_language() -> str | None:
    """The language that the visitor chose, by a button or in the address."""
    asked = g.get("switched") or request.args.get("lang")
    return str(asked) if asked in LOCALES else None


def settle_on(preferred: str) -> None:
    """Speak the site's or the customer's language, unless the address asks for another."""
    g.locale, g.spoken = preferred if preferred in LOCALES else DEFAULT, None


def switch_to(other: str) -> None:
    """Speak the language whose button was pressed, whatever the address asks for."""
    g.switched, g.spoken = other, None


def gettext(message: str, **values: Any) -> str:
    """`message` in the language of this request, with its %(named)s values filled in."""
    found = _READ[locale()].get(message, message)
    text = found if isinstance(found, str) else found[0]
    return text % values if values else text


def ngettext(singular: str, plural: str, n: int, **values: Any) -> str:
    """The form for `n`, in the language of this request. Both languages have two forms."""
    found = _READ[locale()].get(singular, (singular, plural))
    forms = (found, found) if isinstance(found, str) else found
    return forms[n != 1] % {"num": n, **values}


def install(app: Flask) -> None:
    """Teach the templates to speak."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_plain, _plain_plural, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    app.jinja_env.filters["money"] = lambda money: money_text(money, locale())
    app.jinja_env.filters["cents"] = lambda cents, currency: money_text(Money(cents, currency), locale())
    app.jinja_env.filters["number"] = lambda count: count_text(count, locale())
    app.jinja_env.filters["instant"] = lambda instant, zone: instant_text(instant, zone, locale())
    app.jinja_env.filters["share"] = lambda basis_points: share_text(basis_points, locale())
    app.jinja_env.filters["day"] = lambda day: day_text(day, locale())
    app.jinja_env.filters["month"] = lambda one: month_text(one.year, one.month, locale())
    app.jinja_env.filters["moment"] = lambda instant, zone: moment_text(instant, zone, locale())
    app.context_processor(lambda: {"locale": locale(), "languages": {"nl": "Nederlands", "en": "English"}})


def _plain(message: str) -> str:
    return gettext(message)


def _plain_plural(singular: str, plural: str, n: int) -> str:
    found = _READ[locale()].get(singular, (singular, plural))
    return found if isinstance(found, str) else found[n != 1]
