"""What Kajabi's webhooks say, in three shapes and two encodings, and what they must not make us believe."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from linkpay.adapters.kajabi_hooks import read
from linkpay.errors import InputError
from linkpay.ports import Announcement
from tests.adapters.kajabi_samples import CAPTURED_TEST, grouped, purchase, resources

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ANNA = Announcement("1234567", "anna@example.com", "Anna de Vries")


def told(message: object) -> Announcement:
    return read(JSON, json.dumps(message).encode())


def flattened(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested values as form fields: ``payload[offer][id]``."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [
            pair for key, each in items for pair in flattened(each, f"{name}[{key}]" if name else str(key))
        ]
    return [(name, "" if value is None else str(value))]


SHAPES = pytest.mark.parametrize(
    "message",
    [purchase(), grouped(), resources(), grouped() | {"event": "purchase.created"}],
    ids=["flat", "grouped", "resources", "grouped purchase"],
)


@SHAPES
def test_every_shape_is_read_as_json(message: dict[str, Any]) -> None:
    assert told(message) == ANNA


@SHAPES
def test_every_shape_is_read_as_a_form(message: dict[str, Any]) -> None:
    assert read(FORM, urlencode(flattened(message)).encode()) == ANNA


def test_groups_are_found_inside_the_payload_too() -> None:
    message = grouped()
    payload = {name: message.pop(name) for name in ("offer", "member", "payment_transaction")}
    assert told(message | {"payload": payload}) == ANNA


def test_a_payload_may_be_json_inside_a_form_field() -> None:
    fields = {"event": "purchase.created", "payload": json.dumps(purchase()["payload"])}
    assert read(FORM, urlencode(fields).encode()) == ANNA


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert read(JSON, b"\xef\xbb\xbf" + json.dumps(purchase()).encode()) == ANNA


def test_the_captured_test_message_is_ignored() -> None:
    assert told(CAPTURED_TEST).ignored == "test message"
    assert read(FORM, urlencode(flattened(CAPTURED_TEST)).encode()).ignored == "test message"


@pytest.mark.parametrize("event", ["form_submission", "tag_added", "order_created", "offer.purchased"])
def test_other_events_are_ignored(event: str) -> None:
    assert told(purchase() | {"event": event}).ignored == f"event {event}"


def test_an_external_id_is_kept_to_the_letter() -> None:
    assert told(resources("Ext_ 042-é")).external_user_id == "Ext_ 042-é"


def test_a_missing_name_is_left_empty() -> None:
    assert told(purchase(member_name=None)).name == ""


ODD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "unreadable"),
    "no JSON": (b"event=purchase", "unreadable"),
    "invalid UTF-8": (b'{"event": "\xff"}', "unreadable"),
    "a list": (b"[]", "unreadable"),
    "a number without end": (b'{"event": 1' + b"0" * 5000 + b"}", "unreadable"),
    "too deep": (b"[" * 100_000, "unreadable"),
    "no event": (b"{}", "no_event"),
    "an event that is no text": (b'{"event": 1}', "no_event"),
    "a payload that is no JSON": (b'{"event": "purchase", "payload": "{"}', "unreadable"),
    "an empty payload": (b'{"event": "purchase", "payload": []}', "no_offer"),
    "resources that are none": (b'{"event": "purchase", "payload": [1, null, "x"]}', "no_offer"),
    "types that are lists": (b'{"event": "purchase", "payload": [{"type": []}]}', "no_offer"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_bodies_are_refused_with_a_reason(name: str) -> None:
    body, code = ODD[name]
    with pytest.raises(InputError) as caught:
        read(JSON, body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"offer_id": None}, "no_offer"),
        ({"offer_id": True}, "no_offer"),
        ({"offer_id": 1.5}, "no_offer"),
        ({"offer_id": "1; drop"}, "no_offer"),
        ({"offer_id": "9" * 41}, "no_offer"),
        ({"member_email": None}, "no_email"),
        ({"member_email": "  "}, "no_email"),
        ({"member_email": "anna"}, "email_invalid"),
        ({"member_email": "an\x00na@example.com"}, "email_invalid"),
        ({"member_email": "\ud800@example.com"}, "email_invalid"),
    ],
)
def test_odd_fields_are_refused_with_a_reason(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        told(purchase(**changes))
    assert caught.value.code == code
    assert caught.value.message.isascii()


@pytest.mark.parametrize("odd", ["x" * 255, "a\x00b", "\ud800"])
def test_an_external_id_that_cannot_be_kept_is_refused(odd: str) -> None:
    with pytest.raises(InputError, match="cannot be kept"):
        told(resources(odd))


def test_a_name_loses_what_no_database_takes() -> None:
    assert told(purchase(member_name="An\x00na \ud800" + "x" * 300)).name == ("Anna ?" + "x" * 300)[:200]


def test_form_fields_that_contradict_each_other_keep_the_first() -> None:
    twice = [("payload[offer_id]", "1234567"), ("payload[offer_id][x]", "2"), ("payload[offer_id]", "3")]
    fields = [("event", "purchase.created"), ("payload[member_email]", "anna@example.com"), *twice]
    assert read(FORM, urlencode(fields).encode()).offer_id == "1234567"
