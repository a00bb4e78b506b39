"""What is hidden, what stays readable, and what a hostile value can do to a line (nothing)."""

import math
import time

import pytest
from cryptography.fernet import Fernet
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkpay.redaction import HARMLESS, SHOWN, clean, clean_lines, clean_value, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail to jan.de-vries+a@example.test failed", "mail to j***@example.test failed"),
        ("?email=jan%2Bx%40example.test&plan=monthly", "?email=j***%40example.test&plan=monthly"),
        ("<zoë@exämple.test>", "<z***@exämple.test>"),
        ('"Jan de Vries"@example.test', "J***@example.test"),
        ("key test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM used", "key test_*** used"),
        ("'live_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM'", "'live_***'"),
        ("\\naccess_Wwvu7egPcJLLJ9Kb7J632x8wJ2zMeJ", "\\naccess_***"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': 'Basic ***'}"),
        (
            "POST https://checkout.kajabi.com/webhooks/offers/Xk9/214/activate?send_mail=true: 500",
            "POST https://checkout.kajabi.com/webhooks/offers/***",
        ),
        ("url: /webhooks/offers/Xk9/214/deactivate (Caused", "url: /webhooks/offers/*** (Caused"),
        (
            "next=https%3A%2F%2Fk.test%2Fwebhooks%2Foffers%2FXk9%2F1",
            "next=https%3A%2F%2Fk.test%2Fwebhooks%2Foffers%2F***",
        ),
        ("POST /webhooks/mollie/Zq81nS 200", "POST /webhooks/mollie/*** 200"),
        ("iban NL91ABNA0417164300.", "iban [iban]."),
        ("NL91 ABNA 0417 1643 00", "[iban]"),
        ("nl91 abna 0417 1643 00 was refused", "[iban] was refused"),
        ("be68539007547034", "[iban]"),
        ("\\nNL91ABNA0417164300", "\\n[iban]"),
        ("postgresql+psycopg://app:p@ss@db.internal/x", "postgresql+psycopg://[hidden]@db.internal/x"),
        ("redis://:pw@127.0.0.1:6379/0", "redis://[hidden]@127.0.0.1:6379/0"),
        ("GET /portal?token=abc123&lang=nl", "GET /portal?token=***&lang=nl"),
    ],
)
def test_secrets_and_personal_data_are_hidden(text: str, shown: str) -> None:
    assert redact(text).startswith(shown)


@pytest.mark.parametrize(
    "text",
    [
        "payment tr_7UhSN1zuXS for charge 42 is paid",
        "cst_kEn1PlbGa md_h3gAaf5zX6 sub_rVKGtNd6s3",
        "test_settings_cannot_reach_anything_real",
        "correlation 5f2a9c1b7d3e4f60 took 12.5 ms",
        "2026-03-29T01:00:00.000+00:00",
        "a8098c1a-f86e-11da-bd1a-00112444be1e",
        "ab12cdef34567890abcdef1234567890",
        "https://api.mollie.com/v2/payments/tr_7UhSN1zuXS?embed=refunds",
        "    @property",
        "50.00 EUR on 2026-01-31",
    ],
)
def test_what_people_need_to_read_stays(text: str) -> None:
    assert clean(text) == text


def test_encrypted_values_and_their_keys_are_hidden() -> None:
    key = Fernet.generate_key()
    token = Fernet(key).encrypt(b"hello").decode()
    shown = redact(f"row 7 holds {token} under {key.decode()}")
    assert shown == "row 7 holds [encrypted] under [key]"


def test_a_value_cannot_forge_a_line_or_a_colour() -> None:
    shown = clean("ok\r\n2026-01-01 ERROR forged\x1b[31m\x00\u2028\u202e\x9b1m")
    assert shown == r"ok\r\n2026-01-01 ERROR forged\x1b[31m\x00\u2028\u202e\x9b1m"
    assert clean("half a pair \ud800").encode() == rb"half a pair \ud800"


def test_long_values_are_cut_without_tearing_a_secret_open() -> None:
    assert clean("x" * SHOWN) == "x" * SHOWN
    assert clean("y" * 3000) == "y" * SHOWN + "... [cut, 3000 characters]"
    for offset in range(0, 120, 5):
        key = "live_" + "k7" * 15
        for length in (SHOWN, SHOWN * 8):
            text = "é " * ((length - offset) // 2) + key + " " + "z" * 5000
            assert "k7" not in clean(text)


def test_a_mebibyte_is_cleaned_in_milliseconds() -> None:
    for filler in ("a", "1", "A1", "a@", "://", " NL91", "live_", "%40", '"'):
        started = time.thread_time()
        clean(filler * (1_048_576 // len(filler)))
        assert time.thread_time() - started < 1, filler


def test_the_end_of_a_long_traceback_is_kept() -> None:
    lines = clean_lines("\n".join(f"line {number}" for number in range(500)), 100)
    assert lines[0] == "[cut]"
    assert lines[-1] == "line 499"
    for offset in range(40):
        torn = clean_lines("live_" + "k7" * 15 + "," * (600 - offset), 600)
        assert "k7k7" not in "".join(torn)


def test_values_of_any_kind_become_clean_data() -> None:
    value = {
        "to": ["jan@example.test"],
        "api_key": "anything",
        "nested": {"site_token": ["abc"], "cents": 5000, "late": False, "at": None, "rate": 0.5},
        "odd": math.nan,
        "body": b"jan@example.test",
    }
    assert clean_value(value) == {
        "to": ["j***@example.test"],
        "api_key": "***",
        "nested": {"site_token": "***", "cents": 5000, "late": False, "at": None, "rate": 0.5},
        "odd": "nan",
        "body": "b'j***@example.test'",
    }
    assert len(clean_value(list(range(1000)))) == 50


@settings(max_examples=1_000)
@given(st.from_regex(HARMLESS, fullmatch=True))
@example("live_abcdefghijklmn")
@example("password_secret_key")
def test_what_is_not_looked_at_holds_nothing_to_hide(text: str) -> None:
    assert redact(text) == text
    assert clean(text) == text
