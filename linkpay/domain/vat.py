"""VAT numbers of businesses in the EU: their shape by country, and the check digits of ours.

That a number exists is for the tax authorities' register (VIES) to say; this only catches what was mistyped.
Shapes are those of the European Commission's list for VIES.
"""

import re

_SHAPES = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}", "FR": r"[A-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}", "LT": r"(?:\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{10}\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}",
    "SI": r"\d{8}", "SK": r"\d{10}", "XI": r"(?:\d{9}|\d{12})",
}  # fmt: skip


def normalise(typed: str) -> str | None:
    """A number without blanks, points and dashes, in capitals; None for what is none."""
    text = re.sub(r"[\s.\-]", "", typed).upper()
    country, rest = text[:2], text[2:]
    shape = _SHAPES.get(country)
    if shape is None or not re.fullmatch(shape, rest, re.ASCII):
        return None
    checks = {"NL": _is_dutch, "BE": _is_belgian}
    return text if checks.get(country, _anything)(rest) else None


def _anything(_rest: str) -> bool:
    return True


def _is_belgian(rest: str) -> bool:
    """The last two digits are what 97 lacks after division."""
    return 97 - int(rest[:8]) % 97 == int(rest[8:])


def _is_dutch(rest: str) -> bool:
    """Older numbers hold an eleven-check; those of sole traders, since 2020, the check of bank accounts."""
    digits = rest[:9]
    if rest[9] == "B" and digits.isdecimal():
        weighed = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 1, -1), strict=False))
        if weighed % 11 == int(digits[8]):
            return True
    signs = {"+": 36, "*": 37}
    numbers = [signs[s] if s in signs else int(s, 36) for s in f"NL{rest}"]
    return int("".join(map(str, numbers))) % 97 == 1
