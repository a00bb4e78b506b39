"""What owners type into the forms of the desk, read field by field: what cannot be read becomes a problem."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

from linkpay.domain.calendar import typed_day
from linkpay.web.forms import Problem, tidy
from linkpay.web.i18n import gettext as _

_LONGEST = 1000
_EURO = re.compile(r"(\d{1,3}(?:[.,]\d{3})+|\d{1,7})(?:[.,](\d{1,2}))?")
_SHARE = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?")


class Sheet:
    """A form as it was typed, or as it stands; reading a field notes what is wrong with it.

    A value is always returned, so that all fields are read and all that is wrong is said at once.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = {name: tidy(value)[:_LONGEST] for name, value in given.items()}
        self.problems: list[Problem] = []

    def complete(self, standing: Mapping[str, str]) -> None:
        """Fill in what was not typed as it stands."""
        self._given = {**standing, **self._given}

    def value(self, name: str) -> str:
        """What stands in the field."""
        return self._given.get(name, "")

    def filled(self) -> list[str]:
        """The fields that something stands in."""
        return [name for name, value in self._given.items() if value]

    def has(self, name: str) -> bool:
        """Whether the box is ticked."""
        return self.value(name) == "yes"

    def problem(self, name: str) -> str | None:
        """What is wrong with the field."""
        return next((problem.text for problem in self.problems if problem.field == name), None)

    def wrong(self, name: str, text: str) -> None:
        """Note what is wrong with a field."""
        self.problems.append(Problem(name, text))

    def text(self, name: str, *, most: int = 120, needed: str = "") -> str:
        """One line of words. `needed` is what to say of an empty one; without it, it may be empty."""
        found = self.value(name)
        if needed and not found:
            self.wrong(name, needed)
        elif len(found) > most:
            self.wrong(name, _("At most %(most)s characters.", most=most))
        return found[:most]

    def cents(self, name: str, *, least: int = 0, empty: int | None = None) -> int:
        """An amount in euro, in cents. `empty` is what an empty field means; without it, it may not be."""
        text = self.value(name).replace("€", "").replace(" ", "")
        if not text and empty is not None:
            return empty
        cents = read_euros(text)
        if cents is None or not least <= cents <= 10_000_000:
            self.wrong(name, _("Fill in an amount in euro, such as 49.50."))
            return least
        return cents

    def whole(self, name: str, least: int, most: int, *, empty: int | None = None) -> int:
        """A whole number within bounds."""
        text = self.value(name)
        if not text and empty is not None:
            return empty
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            self.wrong(name, _("Fill in a whole number from %(least)s to %(most)s.", least=least, most=most))
            return least
        return int(text)

    def share(self, name: str) -> int:
        """A percentage from 0 to 100 in basis points."""
        match = _SHARE.fullmatch(self.value(name).replace("%", "").replace(" ", ""))
        found = int(Decimal(f"{match[1]}.{match[2] or 0}") * 100) if match else -1
        if not 0 <= found <= 10_000:
            self.wrong(name, _("Fill in a percentage from 0 to 100."))
            return 0
        return found

    def day(self, name: str) -> date | None:
        """A day, as browsers send it; None where it is empty."""
        text = self.value(name)
        if not text:
            return None
        try:
            return typed_day(text)
        except ValueError:
            self.wrong(name, _("Fill in a date, such as 2026-12-31."))
            return None

    def one_of(self, name: str, choices: Iterable[str]) -> str:
        """One of the choices; the first where it is none of them, with a problem."""
        known = list(choices)
        if self.value(name) not in known:
            self.wrong(name, _("Make a choice."))
            return known[0]
        return self.value(name)

    def web_address(self, name: str) -> str | None:
        """An https address; None where it is empty."""
        text = self.value(name)
        if not text:
            return None
        try:
            address = urlsplit(text)
            fine = address.scheme == "https" and bool(address.hostname) and "." in str(address.hostname)
        except ValueError:
            fine = False
        if not fine or len(text) > 500:
            self.wrong(name, _("Fill in a whole web address, beginning with https://."))
        return text[:500]


def read_euros(text: str) -> int | None:
    """ "1.250,50" or "1250.5" in cents; None for what is no amount."""
    match = _EURO.fullmatch(text)
    if match is None:
        return None
    return int(re.sub(r"[.,]", "", match[1])) * 100 + int((match[2] or "0").ljust(2, "0"))


def euros(cents: int) -> str:
    """Cents as they are typed into a field, with the comma or point of the page's language."""
    return _("%(euro)s.%(cents)s", euro=cents // 100, cents=f"{cents % 100:02d}")
