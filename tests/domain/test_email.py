"""E-mail addresses: one form, clear refusals, and hints only where a finger slipped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.email import FORGOTTEN, email_to_find, likely_meant, normalise_email
from linkpay.errors import InputError

LOCALS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,20}", fullmatch=True)
DOMAINS = st.sampled_from(["Example.com", "example.test", "GMAIL.com", "ziggo.nl", "Sub.Example.com"])
SPACES = st.sampled_from(["", " ", "  ", "\t", "\n"])


@given(LOCALS, DOMAINS, SPACES, SPACES)
def test_case_and_spaces_around_do_not_matter(local: str, domain: str, before: str, after: str) -> None:
    typed = f"{before}{local}@{domain}{after}"
    found = normalise_email(typed)
    assert found == f"{local}@{domain}".lower()
    assert normalise_email(found) == found


def test_who_was_forgotten_can_be_looked_up_and_is_no_address() -> None:
    left = f"forgotten-customer-3{FORGOTTEN}"
    assert email_to_find(f" {left.upper()}") == left
    assert email_to_find("Anna@Example.com") == "anna@example.com"
    with pytest.raises(InputError):
        normalise_email(left)


def test_a_domain_in_another_script_is_one_domain() -> None:
    assert normalise_email("anna@BÜCHER.example.com") == normalise_email("anna@xn--bcher-kva.example.com")


@pytest.mark.parametrize(
    "typed",
    [
        "", "anna", "anna@", "@example.com", "anna@example", "anna@@example.com", "an na@example.com",
        "anna@exa mple.com", "anna@example..com", "anna.@example.com", "anna@-example.com", "a@b@example.com",
        "Anna <anna@example.com>", "anna@example.com, ben@example.com", "anna@example.com\nbcc: x",
        "anna@[127.0.0.1]", f"anna@{'a' * 250}.com", "ånna@example.com",
        "anna\x00@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InputError) as refusal:
        normalise_email(typed)
    assert (refusal.value.code, refusal.value.field) == ("email_invalid", "email")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("anna@gmial.com", "anna@gmail.com"),
        ("anna@gmail.con", "anna@gmail.com"),
        ("anna@gmail.co", "anna@gmail.com"),
        ("anna@gmai.com", "anna@gmail.com"),
        ("anna@gnail.com", "anna@gmail.com"),
        ("anna@hotmial.com", "anna@hotmail.com"),
        ("anna@hotmal.nl", "anna@hotmail.nl"),
        ("anna@outlok.com", "anna@outlook.com"),
        ("anna@zigo.nl", "anna@ziggo.nl"),
        ("anna@telenet.b", "anna@telenet.be"),
        ("anna@icloud.con", "anna@icloud.com"),
    ],
)
def test_a_slip_of_the_finger_gets_a_hint(typed: str, meant: str) -> None:
    assert likely_meant(typed) == meant


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com", "hotmail.com", "hotmail.nl", "hotmail.be", "hotmail.fr", "outlook.be", "live.be",
        "example.com", "mail.com", "email.com", "ymail.com", "gmx.com", "me.com", "home.nl", "hetnet.nl",
        "yahoo.co.uk", "hotmail.co.uk", "msn.com", "proton.me", "casema.nl", "upcmail.nl",
    ],
)  # fmt: skip
def test_an_address_that_exists_gets_no_hint(domain: str) -> None:
    assert likely_meant(f"anna@{domain}") is None
