"""Kajabi's contacts as an owner exports them: who is known there under which external id."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from linkpay.domain.email import normalise_email
from linkpay.errors import InputError

_MOST_BYTES = 50_000_000
_EMAIL = ("email", "email_address", "e-mail")
_EXTERNAL = ("external_user_id", "external_id")
_MOLLIE = ("mollie_customer_id",)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody whom Kajabi knows. `mollie_customer_id` says who pays for her, where an owner added that."""

    email: str
    name: str = ""
    external_user_id: str | None = None
    mollie_customer_id: str | None = None


class Contacts:
    """Contacts, found by e-mail or by the Mollie customer who pays for them.

    `asked_all` says that whoever is not among them is not at Kajabi, also when nobody is.
    """

    def __init__(self, contacts: list[Contact], *, asked_all: bool = False) -> None:
        self.is_complete = asked_all or bool(contacts)
        self._by_email = {contact.email: contact for contact in contacts}
        self._by_customer = {c.mollie_customer_id: c for c in contacts if c.mollie_customer_id}

    def of(self, mollie_customer_id: str, email: str | None) -> Contact | None:
        """The contact of a customer at Mollie; who is named for her goes before who has her e-mail."""
        return self._by_customer.get(mollie_customer_id) or (self._by_email.get(email) if email else None)


def read(raw: bytes, name: str) -> Contacts:
    """Contacts from a CSV file: a column ``email``, and where there are any ``external_user_id``, ``name``
    (or ``first_name`` and ``last_name``) and ``mollie_customer_id``; other columns are left alone.

    Rows without an e-mail are skipped, as Kajabi has contacts without one. Raises InputError.
    """
    if len(raw) > _MOST_BYTES:
        raise InputError("contacts_size", f"{name} is larger than 50 MB.", "contacts")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("contacts_text", f"{name} is not UTF-8. Save it as CSV UTF-8.", "contacts") from None
    if "\0" in text:  # no database holds it
        raise InputError("contacts_text", f"{name} holds a NUL sign. Save it as CSV UTF-8.", "contacts")
    return Contacts(list(_rows(text, name)))


def _rows(text: str, name: str) -> Iterator[Contact]:
    first, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [_normal(cell) for cell in next(rows, [])]
        if not set(header) & set(_EMAIL):
            raise InputError("contacts_header", f"{name} has no column named email.", "contacts")
        for number, cells in enumerate(rows, start=2):
            contact = _contact(dict(zip(header, cells, strict=False)), f"{name}, line {number}")
            if contact is not None:
                yield contact
    except csv.Error as wrong:
        raise InputError("contacts_csv", f"{name} is not CSV: {wrong}", "contacts") from None


def _normal(cell: str) -> str:
    return cell.strip().casefold().replace(" ", "_")


def _contact(row: Mapping[str, str], where: str) -> Contact | None:
    email = _first(row, _EMAIL)
    if not email:
        return None
    try:
        email = normalise_email(email)
    except InputError as wrong:
        raise InputError("contacts_email", f"{where}: {wrong.message}", "contacts") from None
    name = (
        _first(row, ("name", "full_name")) or f"{_first(row, ('first_name',))} {_first(row, ('last_name',))}"
    )
    external = _first(row, _EXTERNAL)[:254] or None
    return Contact(email, name.strip()[:200], external, _first(row, _MOLLIE) or None)


def _first(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((row[name].strip() for name in names if row.get(name, "").strip()), "")
