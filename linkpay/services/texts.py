"""Turns facts into the words of a mail."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text in both forms."""

    subject: str
    text: str
    html: str


def write_texts(kind: str, locale: str, facts: Any, data: dict[str, Any]) -> Written:
    """Placeholder signature: see the mail templates."""
    return Written(kind, kind, kind)
