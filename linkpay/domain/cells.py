"""One cell of a CSV file, for spreadsheets that run what looks like a formula. Nothing is lost either way.

An empty cell is nothing; a lone apostrophe is an empty text. A text that a spreadsheet would take for a
formula (CSV injection, OWASP), or that begins with an apostrophe itself, gets one in front, which shows
it as text; reading takes exactly one away again.
"""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

_MARK = "'"
# Also the wide forms, which some spreadsheets take for the narrow ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_text(text: str) -> str:
    """A text of people, defused."""
    return f"{_MARK}{text}" if not text or text.startswith((_MARK, *_FORMULA)) else text


def read_text(cell: str) -> str | None:
    """The text that was written, or None for an empty cell."""
    return cell.removeprefix(_MARK) if cell else None


def write(value: Any) -> str:
    """Any value of the store: ISO days and instants (UTC), whole numbers, ``true``, JSON, or a text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Enum():
            return write_text(str(value.value))
        case dict() | list():
            return write_text(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return write_text(str(value))


def line(values: Iterable[Any]) -> str:
    """A line of a CSV file, with its end."""
    written = io.StringIO()
    csv.writer(written).writerow([write(value) for value in values])
    return written.getvalue()
