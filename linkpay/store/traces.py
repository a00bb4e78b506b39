"""How a person's name and address look where somebody wrote or repeated them, and text without them."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote_plus

from sqlalchemy import ColumnElement, Text, cast, or_

from linkpay.domain.email import spellings

#: JSON within JSON within a form is as deep as Kajabi has been seen to nest what it says.
_NESTED = 3
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_AT = ("@", "%40")
#: What stands in the place of a name.
_BLANK = "…"


@dataclass(frozen=True)
class Traces:
    """Who is forgotten, as texts show her: every address of hers, her names, her ids at Kajabi."""

    emails: frozenset[str]
    names: frozenset[str]
    external_ids: frozenset[str]
    placeholder: str

    def named_in(self, column: Any) -> ColumnElement[bool]:
        """A condition that no text with an address of hers fails; `names_her` says which really have one.

        What is before the @ is ASCII, so that no database need know of large and small letters, nor of how
        JSON writes the rest.
        """
        text = cast(column, Text)
        before = {email.rpartition("@")[0] for email in self.emails}
        shown = {form + at for local in before for form in (local, json.dumps(local)[1:-1]) for at in _AT}
        return or_(*(text.icontains(form, autoescape=True) for form in sorted(shown)))

    def names_her(self, value: Any) -> bool:
        """Whether a text, or a text anywhere in a JSON value, has an address of hers."""
        return any(self._address.search(text) for text in _texts(value))

    def is_her_name(self, value: Any) -> bool:
        """Whether a text of a JSON value is her name and nothing else; one word alone is many people's."""
        return any(" " in text and text.strip().casefold() in self._folded for text in _texts(value))

    def not_named(self, value: Any) -> Any:
        """A JSON value without the texts that are her name and nothing else."""
        return _each(value, lambda text: _BLANK if self.is_her_name(text) else text)

    def without(self, value: Any) -> Any:
        """A text or JSON value about her without her addresses and names."""
        return _each(value, lambda text: self._name.sub(_BLANK, self._address.sub(self.placeholder, text)))

    def in_message(self, body: bytes) -> bool:
        """Whether a message of Kajabi's is about her, however its letters are written."""
        return any(self._address.search(text) or self._external_id.search(text) for text in _readings(body))

    @cached_property
    def _address(self) -> re.Pattern[str]:
        written = {form for email in self.emails for form in spellings(email)}
        written |= {quote(form, safe="") for form in written}
        return re.compile(rf"(?<![\w.+-])(?:{_any_of(written)})(?![\w.-]*\w)", re.IGNORECASE)

    @cached_property
    def _name(self) -> re.Pattern[str]:
        # As she wrote it: many a name is a word as well, in what she agreed to for instance.
        return re.compile(rf"(?<!\w)(?:{_any_of(self.names)})(?!\w)")

    @cached_property
    def _external_id(self) -> re.Pattern[str]:
        return re.compile(rf"external_user_id\W{{1,9}}(?:{_any_of(self.external_ids)})(?![\w.@+-])")

    @cached_property
    def _folded(self) -> frozenset[str]:
        return frozenset(name.casefold() for name in self.names)


def _any_of(words: frozenset[str] | set[str]) -> str:
    """The longest first, so that none is found as a part of another; without any, what nothing matches."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda one: (-len(one), one))) or r"(?!)"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _each(value: Any, mend: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, dict):
        return {key: _each(inner, mend) for key, inner in value.items()}
    return [_each(inner, mend) for inner in value] if isinstance(value, list) else value


def _readings(body: bytes) -> Iterator[str]:
    """A message as it came and as a form, each with the escapes of JSON undone as deep as they may be."""
    plain = body.decode("utf-8", "replace")
    for read in {plain, unquote_plus(plain)}:
        text = read
        yield unicodedata.normalize("NFC", text)
        # Most messages have no escapes, and there are very many.
        for _ in range(_NESTED):
            if "\\" not in text:
                break
            text = _ESCAPE.sub(_meant, text)
            yield unicodedata.normalize("NFC", text)


def _meant(escape: re.Match[str]) -> str:
    sign = escape[1]
    if len(sign) > 1:
        return chr(int(sign[1:], 16))
    return " " if sign in "nrtbf" else sign
