"""Takes secrets and personal data out of text that people or log stores will see.

It errs to the side of hiding too much. What is hidden: e-mail addresses (the first letter and the
domain stay), Mollie keys, authorisation headers, the secret paths of webhooks and of Kajabi's offer
addresses, bank account numbers, encrypted values and their keys, credentials in addresses, and
query values named as secrets.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

SHOWN = 2_048  # characters of one value; more helps nobody and floods the store
_READ = 8 * SHOWN  # how much of a huge value is looked at at all
_EDGE = 512  # what a cut at _READ might have torn: no secret here is longer

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|token|authori[sz]ation|cookie|api_?key|iban|signature", re.I
)
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udfff]"
)


#: What no rule below can find anything in: names of fields, events, methods, ids of our own. Nearly all
#: values of a log line are such, and each of the rules would read them in vain.
HARMLESS = re.compile(r"[a-z_]{1,19}|[A-Z]{1,8}")

# Where a word begins; the letter of an escaped line break (a backslash and n) is no part of it.
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"


def _account(match: re.Match[str]) -> str:
    """Hide what is written like an account number in capitals, or proves to be one (ISO 7064, 97-10)."""
    text = match.group()
    return "[iban]" if text.upper() == text or _holds_iban(text) else text


def _holds_iban(text: str) -> bool:
    bare = re.sub(r"[^A-Za-z0-9]", "", text)
    candidates = (bare[:size] for size in range(15, len(bare) + 1))
    return any(int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1 for iban in candidates)


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # PostgreSQL shows the row that it refuses, whose texts may have lines of their own.
    (
        re.compile(r"(?ms)^(DETAIL: ).*?(?=\n\[SQL: |\n\nThe above exception |\n\nDuring handling |\Z)"),
        r"\1***",
    ),
    # Kajabi's and our own webhook addresses are secrets in their path, also when percent-encoded.
    (re.compile(r"(?i)(webhooks(?:/|%2f)(?:offers|mollie|kajabi)(?:/|%2f))[^\s\"'<>\\)]+"), r"\1***"),
    (re.compile(r"(?<=://)[^\s/\"'<>]*@"), "[hidden]@"),
    (re.compile(r"(?i)(bearer)\s+[^\s\"',;]+"), r"\1 ***"),
    (re.compile(r"(Basic)\s+[A-Za-z0-9+/_-]{6,}={0,2}"), r"\1 ***"),
    (
        re.compile(r"(live|test|access)_(?:(?=[A-Za-z0-9]*[0-9A-Z])[A-Za-z0-9]{8,}|[A-Za-z0-9]{20,})"),
        r"\1_***",
    ),
    (re.compile(r"gAAAAA[A-Za-z0-9_-]{16,}={0,2}"), "[encrypted]"),
    (re.compile(_START + r"[A-Za-z0-9_-]{43}="), "[key]"),
    (
        re.compile(r"(?i)([?&;](?:[a-z_]*(?:token|secret|password|signature|sig|api_?key)))=[^&\s\"'<>]+"),
        r"\1=***",
    ),
    (re.compile(r"(?i)\"([^\"\s])[^\"@]{0,64}\"@(?=[a-z0-9\[])"), r"\1***@"),
    (
        re.compile(r"(?i)([^\s@<>\"'()\[\],;:=/\\&?%])[^\s@<>\"'()\[\],;:=/\\&?]{0,128}(@|%40)(?=[\w\[])"),
        r"\1***\2",
    ),
    (
        re.compile(
            "(?i)" + _START + r"[a-z]{2}\d{2}(?:[ \u00a0-]?[a-z0-9]{4}){2,7}(?:[ \u00a0-]?[a-z0-9]{1,3})?"
        ),
        _account,
    ),
)


def redact(text: str) -> str:
    """The text with every secret and personal datum we know how to find replaced."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def neutralise(text: str) -> str:
    """Write control, direction and line characters out, so that a value cannot forge a line or a colour."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def clean(text: str, shown: int = SHOWN) -> str:
    """Redacted, on one line, and at most `shown` characters with a note of what was cut."""
    size = len(text)
    if size <= shown and HARMLESS.fullmatch(text):
        return text
    seen = redact(text[:_READ])
    if size > _READ:
        seen = seen[:-_EDGE]
    if size > _READ or len(seen) > shown:
        return f"{neutralise(seen[:shown])}... [cut, {size} characters]"
    return neutralise(seen)


def clean_lines(text: str, shown: int) -> list[str]:
    """The last `shown` characters of a traceback as clean lines; its end says most."""
    tail = text[-shown:]
    if len(text) > shown:  # drop the torn line, or its torn edge when it is the only one
        tail = "[cut]\n" + (tail.partition("\n")[2] or tail[_EDGE:])
    return [neutralise(line) for line in redact(tail).split("\n")]


def clean_value(value: Any, name: str = "", depth: int = 4) -> Any:
    """A value of any kind as something that JSON can hold, redacted throughout.

    Numbers, booleans and None stay; mappings and sequences keep their shape to `depth` levels and
    50 entries; anything under a name that speaks of a secret is hidden whole.
    """
    if value is None or isinstance(value, bool):
        return value
    if name and _SECRET_NAME.search(name):
        return "***"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping) and depth:
        pairs = list(value.items())[:50]
        return {clean(str(key), 100): clean_value(inner, str(key), depth - 1) for key, inner in pairs}
    if isinstance(value, (list, tuple, set, frozenset)) and depth:
        return [clean_value(inner, name, depth - 1) for inner in list(value)[:50]]
    return clean(value if isinstance(value, str) else str(value))
