"""Mails in the owner's own words: what they may say, what is refused, and that no word ever stops a mail."""

from datetime import UTC, datetime

import pytest

from linkpay.errors import InputError, NotFound
from linkpay.ports import Letter
from linkpay.services import letters, mail_texts, owner_words
from linkpay.services.texts import kinds, our_words
from linkpay.store.db import Database
from linkpay.store.tables import Attention, Mail, MailText, Site, Subscription
from tests import builders as make

NOW = datetime(2026, 5, 3, 9, 0, tzinfo=UTC)
FAILED = """Oops, {{ first_name }}: {{ offer_title }}

Dear {{ customer_name }}, we could not collect {{ money(amount) }}.
{% if next_debit_on %}
We try on {{ day(next_debit_on) }}.
{% endif %}

{% if pay_url %}
> Pay: {{ pay_url }}
{% endif %}
"""


@pytest.mark.parametrize("locale", ["nl", "en"])
@pytest.mark.parametrize("kind", kinds())
def test_an_owner_can_begin_from_our_words_of_every_mail(database: Database, kind: str, locale: str) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        ours = our_words(kind, locale)
        assert mail_texts.get(tx, site, kind, locale).text == ours
        written = mail_texts.save(tx, site, kind, locale, ours, "owner", NOW)
        assert mail_texts.get(tx, site, kind, locale).changed_by == "owner"
    assert written.subject
    assert site.name in written.text


NOTHING = "Subject\n\nWords."
WRONG = {
    "Subject {{ passwords }}\n\nWords.": "Line 1: 'passwords' is not known in this mail.",
    "Subject\n\nWords {{ amount": "Line 3:",
    "Subject\n\n{% if until %}Words.": "Line 3:",
    "Subject\n\nWords\n{{ offer_title.__class__ }}": "Line 4: '.__class__' is not allowed.",
    "Subject\n\n{{ amount.cents.real }}": "Line 3: '.real' is not allowed.",
    "Subject\n\n{{ ''['__class__'] }}": "'getitem' is not allowed here.",
    "Subject\n\n{{ offer_title() }}": "Only day, instant, moment, money, rhythm of one thing are known.",
    "Subject\n\n{{ money(amount, 3) }}": "of one thing",
    "Subject\n\n{{ 'a' * 1000000000 }}": "'mul' is not allowed here.",
    "Subject\n\n{{ 9 ** 9 ** 9 }}": "'pow' is not allowed here.",
    "Subject\n\n{{ offer_title | attr('x') }}": "Only these filters are known",
    "S\n\n{% for a in later_debits_on %}{% for b in later_debits_on %}x{% endfor %}{% endfor %}": "loop",
    "Subject\n\n{% for a in range(9) %}x{% endfor %}": "loop",
    "Subject\n\n{% include 'nl/../../layout.html' %}": "can be included",
    "Subject\n\n{% include offer_title %}": "can be included",
    "Subject\n\n{% set x = 1 %}": "'assign' is not allowed here.",
    "Subject\n\n{% macro m() %}x{% endmacro %}": "'macro' is not allowed here.",
    "Subject\n\n{% extends 'layout.html' %}": "'extends' is not allowed here.",
    "Subject\n\n{{ self }}": "'self' is not known",
    "Subject\n\n{{ course_url }}": "Line 3: this may be unknown in some mails",
    "Subject\n\n> Pay: {{ pay_url }}": "Line 3: this may be unknown",
    "Subject\n\n{{ day(until) }}": "Line 3:",
    "Subject\n\n> Press: javascript:alert(1)": "leads nowhere",
    "Only a subject": "The first line is the subject",
    "   \n\n  ": "The first line is the subject",
    f"Subject\n\n{'x' * 10_001}": "at most 10,000 characters",
}


@pytest.mark.parametrize("text", WRONG, ids=[key[:60] for key in WRONG])
def test_what_cannot_be_is_refused_with_its_line(database: Database, text: str) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        with pytest.raises(InputError) as refused:
            mail_texts.save(tx, site, "payment_failed", "nl", text, "owner", NOW)
        assert mail_texts.get(tx, site, "payment_failed", "nl").changed_by is None
    assert refused.value.code == "mail_text"
    assert WRONG[text] in refused.value.message


def test_kinds_and_languages_that_there_are_not(database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        for kind, locale in (("hello", "nl"), ("../layout", "nl"), ("welcome", "fr")):
            with pytest.raises(NotFound):
                mail_texts.save(tx, site, kind, locale, NOTHING, "owner", NOW)


def test_a_preview_shows_the_mail_and_keeps_nothing(database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        shown = mail_texts.preview(site, "payment_failed", "en", FAILED)
        assert mail_texts.get(tx, site, "payment_failed", "en").changed_by is None
    assert shown.subject == "Oops, Anna: A calm back"
    assert "€50.00" in shown.text
    assert "8 May 2026" in shown.text
    assert 'href="https://pay.example.com/' in shown.html


def test_words_that_look_like_markup_are_words(database: Database) -> None:
    with database.write() as tx:
        shown = mail_texts.preview(make.make_site(tx), "welcome", "nl", "<b>S</b>\n\n<script>x</script>")
    assert "<script>" not in shown.html


def owed(database: Database) -> tuple[int, int]:
    """(site, mail) of one mail that is owed to a Dutch member."""
    with database.write() as tx:
        charge = make.make_charge(tx)
        subscription = tx.get_one(Subscription, charge.subscription_id)
        letters.owe(tx, "payment_failed", subscription, step="one", now=NOW, charge_id=charge.id)
        return charge.site_id, tx.query(Mail).one().id


def composed(database: Database, mail_id: int) -> Letter:
    with database.write() as tx:
        letter = letters.compose(tx, mail_id, "https://pay.example.com", NOW)
        assert letter is not None
        return letter


def own(database: Database, site_id: int, text: str) -> None:
    with database.write() as tx:
        mail_texts.save(tx, tx.get_one(Site, site_id), "payment_failed", "nl", text, "owner", NOW)


def test_a_mail_goes_out_in_the_owners_words_with_our_closing(database: Database) -> None:
    site_id, mail_id = owed(database)
    own(database, site_id, FAILED)
    letter = composed(database, mail_id)
    assert letter.subject.startswith("Oops, Anna")
    assert "Groet" in letter.text


def test_words_changed_after_a_mail_was_written_change_only_the_next_one(database: Database) -> None:
    site_id, mail_id = owed(database)
    own(database, site_id, FAILED)
    first = composed(database, mail_id)
    own(database, site_id, FAILED.replace("Oops", "Sorry"))
    assert composed(database, mail_id) == first, "tried again, it is the same mail"
    with database.write() as tx:
        subscription = tx.query(Subscription).one()
        letters.owe(tx, "payment_failed", subscription, step="one", now=NOW)
        assert tx.query(Mail).count() == 1, "and the step is not mailed again"


def test_a_broken_text_never_stops_a_mail(database: Database) -> None:
    site_id, mail_id = owed(database)
    own(database, site_id, FAILED)
    with database.write() as tx:
        tx.query(MailText).update({"text": "Was once good {{ gone }}\n\nWords."})
    letter = composed(database, mail_id)
    assert "is niet gelukt" in letter.subject
    with database.write() as tx:
        (trouble,) = tx.query(Attention)
        assert (trouble.kind, trouble.subject) == ("mail_text", "mail_text:payment_failed:nl")
        assert "gone" in trouble.detail
    own(database, site_id, FAILED)
    with database.read() as tx:
        assert tx.query(Attention).one().solved_at is not None


def test_a_fact_that_one_mail_lacks_sends_that_mail_in_our_words(database: Database) -> None:
    site_id, mail_id = owed(database)
    own(database, site_id, FAILED)
    with database.write() as tx:
        tx.query(MailText).update({"text": "Hi\n\nUntil {{ moment(until) }}."})
    assert "is niet gelukt" in composed(database, mail_id).subject


def test_our_words_come_back(database: Database) -> None:
    site_id, mail_id = owed(database)
    own(database, site_id, FAILED)
    with database.write() as tx:
        site = tx.get_one(Site, site_id)
        mail_texts.reset(tx, site, "payment_failed", "nl", NOW)
        assert mail_texts.get(tx, site, "payment_failed", "nl").changed_by is None
    assert "is niet gelukt" in composed(database, mail_id).subject


def test_another_sites_words_are_another_sites(database: Database) -> None:
    _, mail_id = owed(database)
    with database.write() as tx:
        mail_texts.save(tx, make.make_site(tx), "payment_failed", "nl", FAILED, "owner", NOW)
    assert "is niet gelukt" in composed(database, mail_id).subject


def test_the_overview_says_whose_words_each_mail_is_written_in(database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        mail_texts.save(tx, site, "welcome", "en", NOTHING, "eva", NOW)
        found = mail_texts.overview(tx, site)
    assert len(found) == 2 * len(kinds())
    assert [(t.kind, t.locale) for t in found if t.changed_by] == [("welcome", "en")]


def test_a_text_of_the_longest_kind_is_filled_in_quickly(database: Database) -> None:
    line = "{% for a in later_debits_on %}{{ day(a) }} {% endfor %}\n"
    text = "S\n\nWords.\n" + line * (owner_words.LONGEST // len(line) - 1)
    with database.write() as tx:
        assert mail_texts.preview(make.make_site(tx), "payment_failed", "nl", text).text
