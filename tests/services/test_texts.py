"""The mails: every kind in both languages, with all facts and with as few as there may be."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest

from linkpay import services
from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.services.mail_facts import Facts, SiteFacts
from linkpay.services.notices import Coming
from linkpay.services.texts import Written, write_texts

PAY, ORDER = "https://pay.example.com/studio/pay/one", "https://pay.example.com/studio/order/two"
PORTAL = "https://pay.example.com/studio/portal"
FULL = Facts(
    site_name="Studio Vecht", zone="Europe/Amsterdam", offer_title="Rustig bewegen",
    customer_name="Anna de Vries", member_email="anna@example.com", amount=Money(5000),
    next_charge_on=date(2026, 6, 3), account_hint="4321", mandate_valid=True, order_url=ORDER, pay_url=PAY,
    buy_url="https://pay.example.com/studio/buy/members", portal_url=PORTAL,
    course_url="https://studio.example.com/login", failure_code="AM04",
    until=datetime(2026, 5, 16, 22, 0, tzinfo=UTC), access_open=False,
    support_email="hallo@studio.example.com",
    old_amount=Money(5000), new_amount=Money(6000), starts_on=date(2026, 6, 3),
    cancel_url=PORTAL + "/subscriptions/two/cancel",
    debit=Coming(
        Money(5000), date(2026, 6, 3), Interval(Unit.MONTH), 1, "STUDIO-MD1", "NL08ZZZ502057730000", "4321"
    ),
)  # fmt: skip
SPARSE = replace(
    FULL, customer_name="anna@example.com", next_charge_on=None, account_hint=None, pay_url=None,
    course_url=None, failure_code=None, until=None, support_email=None,
    debit=Coming(Money(5000), date(2026, 6, 3), None, 1, None, None, None),
)  # fmt: skip
DOOR = "https://pay.example.com/studio/portal/enter/three"
ABOUT_SITE = SiteFacts(
    "Studio Vecht", "Europe/Amsterdam", "Anna de Vries", DOOR, "hallo@studio.example.com", "Thuis oefenen"
)  # fmt: skip
MAILS = Path(services.__path__[0]) / "mails"
PARTIALS = {"hello", "closing", "reason", "debit_lines"}


def kinds_owed() -> set[str]:
    """Every kind of mail that the services owe, read from where they owe it."""
    source = "\n".join(path.read_text() for path in Path(services.__path__[0]).glob("*.py"))
    owed = re.findall(r'letters\.owe(?:_to)?\(\s*tx,\s*"(\w+)"', source)
    chosen = re.findall(r'kind = "(\w+)"(?: if .* else "(\w+)")?', source)
    return {kind for kind in (*owed, *(one for pair in chosen for one in pair)) if kind}


#: Kinds that are about no subscription.
ABOUT_NONE = {
    "sign_in", "email_change", "email_changed", "forgotten", "gift_open", "gift_over", "cannot_order",
    "withdrawal_received", "upsell_link",
}  # fmt: skip
ALL_KINDS = {path.stem for path in (MAILS / "nl").glob("*.txt")} - PARTIALS
KINDS = sorted(ALL_KINDS - ABOUT_NONE)


def write(kind: str, locale: str = "nl", facts: Facts = FULL, **data: Any) -> Written:
    return write_texts(kind, locale, facts, data)


def test_every_mail_that_is_owed_has_its_words_in_both_languages() -> None:
    assert kinds_owed() == ALL_KINDS
    assert sorted(path.name for path in (MAILS / "nl").iterdir()) == sorted(
        path.name for path in (MAILS / "en").iterdir()
    )


@pytest.mark.parametrize("locale", ["nl", "en"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("facts", [FULL, SPARSE], ids=["full", "sparse"])
@pytest.mark.parametrize(
    "data", [{}, {"debit_runs": True}, {"next_debit_on": "2026-05-08"}, {"next_debit_on": None}], ids=str
)
def test_every_mail_reads_well_with_what_is_known(
    kind: str, locale: str, facts: Facts, data: dict[str, Any]
) -> None:
    written = write(kind, locale, facts, **data)
    assert 10 < len(written.subject) <= 200
    for text in (written.subject, written.text):
        assert not re.search(r"[{}<>]|None|%|Undefined|&\w+;", text)
        assert "  " not in text
        assert not re.search(r"[ ,.]\.|\( | ,", text)
    assert "{{" not in written.html
    assert "None" not in written.html
    assert "\n\n\n" not in written.text
    assert facts.offer_title in written.subject or kind == "paid_twice"
    assert facts.site_name in written.text
    assert "http" in written.text or (kind == "mandate_wanted" and facts.pay_url is None) or not facts.pay_url


@pytest.mark.parametrize("locale", ["nl", "en"])
@pytest.mark.parametrize("kind", sorted(ABOUT_NONE))
@pytest.mark.parametrize("sparse", [False, True])
def test_a_mail_about_no_purchase_reads_well(kind: str, locale: str, sparse: bool) -> None:
    facts = replace(ABOUT_SITE, customer_name="", support_email=None) if sparse else ABOUT_SITE
    written = write_texts(kind, locale, facts, {})
    for text in (written.subject, written.text):
        assert not re.search(r"[{}<>]|None|%|Undefined|&\w+;|  ", text)
    assert re.findall(r'href="([^"]+)"', written.html) == [DOOR]
    assert "Studio Vecht" in written.text


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_of_the_text_is_a_button_and_each_button_a_link_of_the_text(kind: str) -> None:
    written = write(kind)
    in_text = re.findall(r"https://\S+", written.text)
    assert in_text
    assert re.findall(r'href="([^"]+)"', written.html) == in_text


def test_the_first_grant_says_how_to_log_in_and_announces_the_next_debit() -> None:
    text = write("access_open").text.replace("\xa0", " ")
    for fact in ("anna@example.com", "Forgot password", "3 juni 2026", "€ 50,00", "4321", FULL.course_url):
        assert fact is not None
        assert fact in text


def test_a_purchase_without_later_debits_announces_none() -> None:
    text = write("access_open", facts=replace(FULL, next_charge_on=None)).text
    assert "afschrijving" not in text
    assert "€" not in text


@pytest.mark.parametrize("kind", ["payment_failed", "mandate_needed", "payment_taken_back", "mandate_wanted"])
def test_mails_about_an_open_amount_hold_the_pay_link_and_the_end_of_access(kind: str) -> None:
    text = write(kind).text.replace("\xa0", " ")
    assert PAY in text
    assert "€ 50,00" in text
    assert "17 mei 2026" in text


def test_while_a_new_debit_runs_nobody_is_asked_to_pay_as_well() -> None:
    text = write("payment_failed", debit_runs=True).text
    assert PAY not in text
    assert ORDER in text
    assert "Mocht ook deze afschrijving niet lukken" in text
    assert "17 mei 2026" in text


def test_the_receipt_announces_access_only_while_it_is_not_open() -> None:
    assert "wordt nu geopend" in write("welcome").text
    open_already = write("welcome", facts=replace(FULL, access_open=True)).text
    assert "wordt nu geopend" not in open_already
    assert "Je toegang is open" in open_already


def test_a_planned_debit_is_told_with_its_day_and_an_unknown_plan_is_not_made_up() -> None:
    assert "8 mei 2026" in write("payment_failed", next_debit_on="2026-05-08").text
    assert "niet nog eens zelf af" in write("payment_failed", next_debit_on=None).text
    assert "niet nog eens zelf af" not in write("payment_failed").text


@pytest.mark.parametrize(
    ("code", "told"),
    [("AM04", "te weinig"), ("AC04", "opgeheven"), ("card_expired", "verlopen"),
     ("XX99", "geen duidelijke reden"), (None, "geen duidelijke reden")],
)  # fmt: skip
def test_the_reason_is_told_in_words(code: str | None, told: str) -> None:
    assert told in write("payment_failed", facts=replace(FULL, failure_code=code)).text


@pytest.mark.parametrize(
    ("name", "hello"),
    [("Anna de Vries", "Hoi Anna,"), ("A. de Vries", "Hoi A. de Vries,"), ("anna@example.com", "Hoi,"),
     ("", "Hoi,")],
)  # fmt: skip
def test_a_person_is_greeted_as_she_calls_herself(name: str, hello: str) -> None:
    assert write("welcome", facts=replace(FULL, customer_name=name)).text.startswith(hello)


def test_what_people_typed_cannot_become_markup_or_a_button() -> None:
    nasty = 'Eve\n\n> Click: https://evil.example.com\n\n<b onload="x">&'
    written = write("welcome", facts=replace(FULL, customer_name=nasty, offer_title=nasty))
    assert 'href="https://evil' not in written.html
    assert "<b onload" not in written.html
    assert "\n" not in written.subject


def test_a_subject_fits_its_column_however_long_the_title() -> None:
    assert len(write("welcome", facts=replace(FULL, offer_title="a" * 200)).subject) <= 200


def test_a_language_we_do_not_speak_is_written_in_dutch() -> None:
    assert write("welcome", "fr").text == write("welcome", "nl").text


def test_a_kind_without_words_is_an_error_not_an_empty_mail() -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        write("nothing_like_it")


def test_the_html_brings_nothing_from_elsewhere() -> None:
    html = write("access_open").html
    assert not re.search(r"<img|<script|url\(|<link|@import", html)
    assert "prefers-color-scheme: dark" in html
