"""An owner's map from what runs at Mollie to plans of the site: one CSV row per kind of subscription."""

import csv
import io
import re

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money, parse_amount
from linkpay.domain.takeover import Rule
from linkpay.errors import InputError

_COLUMNS = ("plan", "description", "amount", "currency", "interval")
_INTERVAL = re.compile(r"(?:(\d{1,3}) )?(day|week|month|year)s?", re.ASCII)


def read(raw: bytes, name: str) -> list[Rule]:
    """Rules in the order of the file. Columns: ``plan`` and any of ``description`` (``*`` for anything),
    ``amount`` (``25.00``), ``currency`` (EUR) and ``interval`` (``1 month``). Raises InputError.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("map_text", f"{name} is not UTF-8. Save it as CSV UTF-8.", "plan_map") from None
    if "\0" in text:  # no database holds it
        raise InputError("map_text", f"{name} holds a NUL sign. Save it as CSV UTF-8.", "plan_map")
    first, _, _ = text.partition("\n")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [column.strip().casefold() for column in rows.fieldnames or []]
    strange = [column for column in header if column not in _COLUMNS]
    if "plan" not in header or strange:
        raise InputError(
            "map_header", f"{name} has the columns plan, description, amount, currency, interval: "
            f"{'there is no ' + strange[0] if strange else 'plan is missing'}.", "plan_map",
        )  # fmt: skip
    rows.fieldnames = header
    found = [
        _rule({key: (cell or "").strip() for key, cell in row.items() if key}, f"{name}, line {number}")
        for number, row in enumerate(rows, start=2)
    ]
    if not found:
        raise InputError("map_empty", f"{name} holds no rows.", "plan_map")
    return found


def _rule(row: dict[str, str], where: str) -> Rule:
    if not row.get("plan"):
        raise InputError("map_plan", f"{where} names no plan.", "plan_map")
    return Rule(
        plan=row["plan"],
        description=row.get("description") or None,
        amount=_amount(row, where),
        interval=_interval(row.get("interval", ""), where),
    )


def _amount(row: dict[str, str], where: str) -> Money | None:
    typed = row.get("amount", "")
    if not typed:
        return None
    try:
        return parse_amount(typed.replace(",", "."), row.get("currency") or "EUR")
    except ValueError:
        raise InputError(
            "map_amount", f"{where}: {typed!r} is no amount such as 25.00.", "plan_map"
        ) from None


def _interval(typed: str, where: str) -> Interval | None:
    if not typed:
        return None
    match = _INTERVAL.fullmatch(typed.casefold())
    if match is None or match[1] == "0":
        raise InputError("map_interval", f"{where}: {typed!r} is no interval such as 1 month.", "plan_map")
    return Interval(Unit(match[2]), int(match[1] or 1))
