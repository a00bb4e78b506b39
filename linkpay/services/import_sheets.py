"""The files of an export, read back: what is in a folder, checked cell by cell before anything is done."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from linkpay.domain.cells import read_text
from linkpay.errors import InputError
from linkpay.store.exports import DAYS, reader
from linkpay.store.tables import Consent, Coupon, Mandate, Member, PriceChange, Subscription
from linkpay.store.tables.terms import agreed_columns

Row = dict[str, Any]

#: The columns that come back, by file and table; JSON among them is decoded.
_JSON = frozenset({"policy", "term_cents", "plan_slugs", "data"})
MEMBER = ("email", "name", "external_user_id", "blocked_at", "blocked_reason")
COUPON = (
    "code", "kind", "value", "duration", "periods", "max_uses", "starts_on", "ends_on", "plan_slugs",
    "archived_at",
)  # fmt: skip
SUBSCRIPTION = (*agreed_columns(), *DAYS)
PRICE = ("amount_cents", "effective_on", "told_at", "applied_at", "withdrawn_at", "decided_by")
CONSENT = ("kind", "locale", "text", "data", "created_at")
MANDATE = ("mollie_id", "status", "unusable_at", "unusable_code")
_NAMED = (
    "id", "payer_email", "payer_name", "payer_locale", "mollie_customer_id", "member_email", "plan",
    "next_plan", "mandate", "coupon", "discount_kind", "discount_duration",
)  # fmt: skip
_COUNTED = ("discount_value", "discount_periods", "credit_cents")


@dataclass(frozen=True, slots=True)
class Folder:
    """What is read in. Prices and consents by the number that their subscription had."""

    members: list[Row]
    coupons: list[Row]
    subscriptions: list[Row]
    mandates: dict[str, Row] = field(default_factory=dict)
    prices: dict[str, list[Row]] = field(default_factory=dict)
    consents: dict[str, list[Row]] = field(default_factory=dict)


def read(files: Mapping[str, bytes]) -> Folder:
    """Read the files, by name without ``.csv``. Only members and subscriptions must be there.

    Raises InputError that names file, line and column of what cannot be read.
    """
    for name in ("members", "subscriptions"):
        if name not in files:
            raise InputError("file_missing", f"There is no {name}.csv in the folder.", name)
    empty = dict.fromkeys(("coupons", "mandates", "prices", "consents"), b"")
    return _folder({**empty, **files})


def _folder(files: Mapping[str, bytes]) -> Folder:
    mandates = _rows("mandates", files["mandates"], Mandate, MANDATE)
    return Folder(
        members=list(_rows("members", files["members"], Member, MEMBER)),
        coupons=list(_rows("coupons", files["coupons"], Coupon, COUPON)),
        subscriptions=[
            _extras(row)
            for row in _rows(
                "subscriptions", files["subscriptions"], Subscription, ("state", *SUBSCRIPTION),
                (*_NAMED, *_COUNTED, "discount_counted_at"),
            )
        ],
        mandates={row["mollie_id"]: row for row in mandates},
        prices=_by_subscription(_rows("prices", files["prices"], PriceChange, PRICE, ("subscription",))),
        consents=_by_subscription(_rows("consents", files["consents"], Consent, CONSENT, ("subscription",))),
    )  # fmt: skip


def _by_subscription(rows: Iterator[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["subscription"], []).append(row)
    return found


def _rows(
    name: str, raw: bytes, table: type[Any], typed: tuple[str, ...], named: tuple[str, ...] = ()
) -> Iterator[Row]:
    """The rows of one file: `typed` columns as values of their table, `named` ones as texts."""
    if not raw:
        return
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not_utf8", f"{name}.csv is not UTF-8.", name) from None
    if "\0" in text:  # no database holds it
        raise InputError("not_text", f"{name}.csv holds a NUL sign.", name)
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(lines, [])
        for column in (*typed, *named):
            if column not in header:
                raise InputError("column_missing", f"{name}.csv has no column {column}.", column)
        readers = {column: _reader(table, column) for column in typed} | dict.fromkeys(named, _text)
        for number, cells in enumerate(lines, start=2):
            if cells:
                yield _row(f"{name}.csv, row {number}", dict(zip(header, cells, strict=False)), readers)
    except csv.Error as wrong:
        raise InputError("not_csv", f"{name}.csv is not CSV: {wrong}", name) from None


def _text(text: str | None) -> Any:
    return text


def _reader(table: type[Any], column: str) -> Any:
    read_value = reader(table, column)
    if column in _JSON:
        return lambda text: json.loads(text or "null")
    return read_value


def _row(where: str, cells: Mapping[str, str], readers: Mapping[str, Any]) -> Row:
    found: Row = {}
    for column, read_value in readers.items():
        if column not in cells:
            raise InputError("cell_missing", f"{where} is too short: it has no {column}.", column)
        try:
            found[column] = read_value(read_text(cells[column]))
        except (ValueError, KeyError):
            raise InputError("cell", f"{where}: {column} cannot be read.", column) from None
    return found


def _extras(row: Row) -> Row:
    """What is no column of a subscription, but of what belongs to it."""
    where = f"subscription {row['id']}"
    for column in _COUNTED:
        try:
            row[column] = None if row[column] is None else int(row[column])
        except ValueError:
            raise InputError("cell", f"{where}: {column} is no whole number.", column) from None
    row["discount_counted_at"] = _instant(row["discount_counted_at"], where)
    return row


def _instant(text: str | None, where: str) -> Any:
    try:
        return reader(Subscription, "started_at")(text)
    except ValueError:
        raise InputError(
            "cell", f"{where}: discount_counted_at is no instant.", "discount_counted_at"
        ) from None
