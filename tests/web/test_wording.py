"""Prices and permissions in words, for every interval and kind of plan, in both languages."""

from datetime import date

import pytest
from flask import Flask

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.web.wording import (
    Collector,
    Consent,
    checkout_consent,
    each,
    fingerprint,
    price,
    price_note,
    renewal_consent,
    repeat,
)

STUDIO = Collector("Studio Vecht", None)
MONTHLY = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
QUARTERLY = Terms(PlanKind.MEMBERSHIP, Money(12_000), Interval(Unit.MONTH, 3))
TERMS = Terms(PlanKind.INSTALMENTS, Money(33_333), Interval(Unit.MONTH), 3)
ONCE = Terms(PlanKind.ONE_TIME, Money(27_500), Interval(Unit.MONTH), 1)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("interval", "dutch", "english"),
    [
        (Interval(Unit.DAY), ("per dag", "elke dag"), ("per day", "every day")),
        (Interval(Unit.DAY, 10), ("per 10 dagen", "elke 10 dagen"), ("every 10 days", "every 10 days")),
        (Interval(Unit.WEEK), ("per week", "elke week"), ("per week", "every week")),
        (Interval(Unit.WEEK, 4), ("per 4 weken", "elke 4 weken"), ("every 4 weeks", "every 4 weeks")),
        (Interval(Unit.MONTH), ("per maand", "elke maand"), ("per month", "every month")),
        (Interval(Unit.MONTH, 3), ("per 3 maanden", "elke 3 maanden"), ("every 3 months", "every 3 months")),
        (Interval(Unit.YEAR), ("per jaar", "elk jaar"), ("per year", "every year")),
        (Interval(Unit.YEAR, 2), ("per 2 jaar", "elke 2 jaar"), ("every 2 years", "every 2 years")),
    ],
)
def test_how_often_is_said_as_people_say_it(
    app: Flask, interval: Interval, dutch: tuple[str, str], english: tuple[str, str]
) -> None:
    for lang, said in (("nl", dutch), ("en", english)):
        with app.test_request_context(f"/?lang={lang}"):
            assert (each(interval), repeat(interval)) == said


@pytest.mark.parametrize(
    ("terms", "said", "note"),
    [
        (MONTHLY, "€ 50,00 per maand", "Je kunt op elk moment stoppen."),
        (QUARTERLY, "€ 120,00 per 3 maanden", "Je kunt op elk moment stoppen."),
        (TERMS, "3 × € 333,33 per maand", "Samen € 999,99. Het stopt vanzelf na de laatste termijn."),
        (ONCE, "eenmalig € 275,00", "Je betaalt één keer; daarna wordt er niets afgeschreven."),
    ],
)
def test_a_price_says_when_it_ends(app: Flask, terms: Terms, said: str, note: str) -> None:
    with app.test_request_context("/?lang=nl"):
        assert plain(price(terms)) == said
        assert plain(price_note(terms)) == note


def consent(app: Flask, terms: Terms, lang: str = "nl", today: date = date(2026, 1, 31)) -> Consent:
    with app.test_request_context(f"/?lang={lang}"):
        given = checkout_consent(STUDIO, terms, today)
    assert given is not None
    return given


def test_the_next_collection_follows_the_calendar_of_the_plan(app: Flask) -> None:
    assert "28 februari 2026" in consent(app, MONTHLY).text
    assert "30 april 2026" in consent(app, QUARTERLY).text
    assert "28 February 2026" in consent(app, MONTHLY, "en").text


def test_only_a_membership_promises_that_it_can_be_stopped(app: Flask) -> None:
    assert "Stoppen kan altijd" in consent(app, MONTHLY).text
    assert "Stoppen kan" not in consent(app, TERMS).text
    assert "Na 3 termijnen, samen € 999,99, stopt het vanzelf" in plain(consent(app, TERMS).text)


def test_who_pays_once_allows_nothing(app: Flask) -> None:
    with app.test_request_context("/"):
        assert checkout_consent(STUDIO, ONCE, date(2026, 1, 31)) is None
        assert renewal_consent(STUDIO, ONCE, None) is None


def test_any_change_of_what_was_shown_is_noticed(app: Flask) -> None:
    dearer = Terms(PlanKind.MEMBERSHIP, Money(5001), Interval(Unit.MONTH))
    shown = [consent(app, MONTHLY), consent(app, dearer), consent(app, MONTHLY, today=date(2026, 2, 1))]
    shown.append(consent(app, MONTHLY, "en"))
    assert len({fingerprint([one.text]) for one in shown}) == 4
    assert fingerprint(["a", "b"]) != fingerprint(["b", "a"])
