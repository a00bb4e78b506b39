"""Reads single fields of a body as strictly as Mollie does."""

import json
import re
from collections.abc import Collection
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from linkpay.sandbox.mollie.call import invalid
from linkpay.sandbox.web import Json

WITHOUT_DECIMALS = frozenset({"ISK", "JPY"})
CURRENCIES = frozenset(
    [
        "AED",
        "AUD",
        "BGN",
        "BRL",
        "CAD",
        "CHF",
        "CZK",
        "DKK",
        "EUR",
        "GBP",
        "HKD",
        "HUF",
        "ILS",
        "ISK",
        "JPY",
        "MXN",
        "MYR",
        "NOK",
        "NZD",
        "PHP",
        "PLN",
        "RON",
        "RUB",
        "SEK",
        "SGD",
        "THB",
        "TWD",
        "USD",
        "ZAR",
    ]
)
LOCALES = frozenset(
    [
        "en_US",
        "en_GB",
        "nl_NL",
        "nl_BE",
        "de_DE",
        "de_AT",
        "de_CH",
        "fr_FR",
        "fr_BE",
        "es_ES",
        "ca_ES",
        "pt_PT",
        "it_IT",
        "nb_NO",
        "sv_SE",
        "fi_FI",
        "da_DK",
        "is_IS",
        "hu_HU",
        "pl_PL",
        "lv_LV",
        "lt_LT",
    ]
)
METADATA_BYTES = 1024
_WITH_CENTS = re.compile(r"^-?\d{1,9}\.\d{2}$")
_WHOLE = re.compile(r"^-?\d{1,9}$")


def text(body: Json, name: str, *, required: bool = False, limit: int | None = None) -> str | None:
    """A text field, None when it is absent or null."""
    value = body.get(name)
    if value is None or (required and value == ""):
        if required:
            raise invalid(f"The '{name}' field is missing", name)
        return None
    if not isinstance(value, str):
        raise invalid(f"The {name} should be a string", name)
    if limit is not None and len(value) > limit:
        raise invalid(f"The {name} is longer than {limit} characters", name)
    return value


def required_text(body: Json, name: str, limit: int | None = None) -> str:
    """A text field that must be there."""
    value = text(body, name, required=True, limit=limit)
    assert value is not None  # noqa: S101 - `required` raised otherwise
    return value


def amount(body: Json, name: str = "amount") -> tuple[int, str]:
    """An amount object as (smallest units, currency). Numbers and wrong decimals are refused."""
    value = body.get(name)
    if value is None:
        raise invalid(f"The '{name}' field is missing", name)
    if not isinstance(value, dict) or set(value) - {"value", "currency"}:
        raise invalid("The amount contains an invalid value", name)
    currency, digits = value.get("currency"), value.get("value")
    if not isinstance(currency, str) or currency not in CURRENCIES:
        raise invalid("The amount contains an invalid currency", f"{name}.currency")
    form = _WHOLE if currency in WITHOUT_DECIMALS else _WITH_CENTS
    if not isinstance(digits, str) or not form.match(digits):
        raise invalid("The amount contains an invalid value", f"{name}.value")
    return int(digits.replace(".", "")), currency


def money(cents: int, currency: str) -> Json:
    """An amount object as Mollie writes it."""
    if currency in WITHOUT_DECIMALS:
        return {"value": str(cents), "currency": currency}
    sign = "-" if cents < 0 else ""
    return {"value": f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}", "currency": currency}


def choice(body: Json, name: str, options: Collection[str], default: str | None = None) -> str | None:
    """One of the allowed words, or `default` when absent."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in options:
        raise invalid(f"The {name} is invalid", name)
    return value


def locale(body: Json) -> str | None:
    return choice(body, "locale", LOCALES)


def metadata(body: Json) -> Any:
    """Any JSON of at most about a kilobyte."""
    value = body.get("metadata")
    if value is not None and len(json.dumps(value)) > METADATA_BYTES:
        raise invalid("The metadata is too large, the maximum is 1024 bytes", "metadata")
    return value


def address(body: Json, name: str, *, required: bool = False) -> str | None:
    """An http or https address."""
    value = text(body, name, required=required, limit=2048)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(letter.isspace() for letter in value):
        raise invalid(f"The {_spoken(name)} is invalid", name)
    return value


def _spoken(name: str) -> str:
    return {"redirectUrl": "redirect URL", "webhookUrl": "webhook URL", "cancelUrl": "cancel URL"}.get(
        name, name
    )


def day(body: Json, name: str) -> date | None:
    """A date ``YYYY-MM-DD``."""
    value = text(body, name)
    if value is None:
        return None
    try:
        if len(value) != 10:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise invalid(f"The {name} is not a valid date", name) from None


def mapping(body: Json, name: str) -> Json | None:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise invalid(f"The {name} should be an object", name)
    return value


def listing(body: Json, name: str) -> list[Any] | None:
    value = body.get(name)
    if value is not None and not isinstance(value, list):
        raise invalid(f"The {name} should be an array", name)
    return value


def whole(body: Json, name: str, *, least: int = 1) -> int | None:
    """A whole number; forms send it as text."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise invalid(f"The {name} is invalid", name)
    return value
