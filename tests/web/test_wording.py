"""Prices and permissions in words, for every interval and kind of plan, in both languages."""

from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.coupon import Discount, DiscountKind, Duration
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms, Trial
from linkpay.domain.policy import Policy
from linkpay.domain.proof import PROOF_CENTS
from linkpay.domain.quote import quote
from linkpay.web import offered
from linkpay.web.prices import discount, each, later, price, price_note, repeat
from linkpay.web.shop import Seller
from linkpay.web.wording import (
    Collector,
    Consent,
    checkout_consent,
    fingerprint,
    renewal_consent,
    start_at_once,
)

STUDIO = Collector("Studio Vecht", None, Policy())
MONTHLY = Terms(PlanKind.MEMBERSHIP, Money(5000), Interval(Unit.MONTH))
QUARTERLY = Terms(PlanKind.MEMBERSHIP, Money(12_000), Interval(Unit.MONTH, 3))
TERMS = Terms(PlanKind.INSTALMENTS, Money(33_333), Interval(Unit.MONTH), 3)
ONCE = Terms(PlanKind.ONE_TIME, Money(27_500), Interval(Unit.MONTH), 1)

TRIAL = replace(MONTHLY, trial=Trial(14))
PAID_TRIAL = replace(MONTHLY, trial=Trial(7, 500), minimum_periods=3, setup_fee_cents=2500)
UNEVEN = Terms(
    PlanKind.INSTALMENTS, Money(10_000), Interval(Unit.MONTH), 3, term_cents=(20_000, 15_000, 10_000)
)
TEN = Discount(DiscountKind.PERCENT, 1000, Duration.ONCE)
TWICE = Discount(DiscountKind.AMOUNT, 1500, Duration.PERIODS, 2)


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
        (TRIAL, "14 dagen gratis, daarna € 50,00 per maand", "Je kunt op elk moment stoppen."),
        (
            PAID_TRIAL,
            "7 dagen voor € 5,00, daarna € 50,00 per maand",
            "Minimaal 3 maanden, daarna maandelijks opzegbaar. Eenmalig € 25,00 startkosten.",
        ),
        (
            UNEVEN,
            "€ 200,00 + € 150,00 + € 100,00, een per maand",
            "Samen € 450,00. Het stopt vanzelf na de laatste termijn.",
        ),
    ],
)
def test_a_price_says_when_it_ends(app: Flask, terms: Terms, said: str, note: str) -> None:
    with app.test_request_context("/?lang=nl"):
        assert plain(price(terms)) == said
        assert plain(price_note(terms)) == note


def consent(
    app: Flask, terms: Terms, lang: str = "nl", today: date = date(2026, 1, 31),
    *, collector: Collector = STUDIO, given: Discount | None = None,
) -> Consent:  # fmt: skip
    with app.test_request_context(f"/?lang={lang}"):
        told = quote(terms, today, vat_basis_points=2100, discount=given)
        made = checkout_consent(collector, terms, told)
    assert made is not None
    return Consent(plain(made.sentence), tuple(plain(line) for line in made.details))


def test_the_next_collection_follows_the_calendar_of_the_plan(app: Flask) -> None:
    assert "28 februari 2026" in consent(app, MONTHLY).text
    assert "30 april 2026" in consent(app, QUARTERLY).text
    assert "28 February 2026" in consent(app, MONTHLY, "en").text


def test_only_a_membership_promises_that_it_can_be_stopped(app: Flask) -> None:
    assert "Stoppen kan altijd" in consent(app, MONTHLY).text
    assert "Stoppen kan" not in consent(app, TERMS).text
    assert "Na 3 termijnen stopt het vanzelf" in consent(app, TERMS).text


def test_who_pays_once_allows_nothing(app: Flask) -> None:
    with app.test_request_context("/"):
        assert checkout_consent(STUDIO, ONCE, quote(ONCE, date(2026, 1, 31), vat_basis_points=0)) is None
        assert renewal_consent(STUDIO, ONCE, [], None) is None


def test_any_change_of_what_was_shown_is_noticed(app: Flask) -> None:
    dearer = Terms(PlanKind.MEMBERSHIP, Money(5001), Interval(Unit.MONTH))
    shown = [consent(app, MONTHLY), consent(app, dearer), consent(app, MONTHLY, today=date(2026, 2, 1))]
    shown.append(consent(app, MONTHLY, "en"))
    assert len({fingerprint([one.text]) for one in shown}) == 4
    assert fingerprint(["a", "b"]) != fingerprint(["b", "a"])


def test_a_trial_says_when_it_ends_and_what_is_collected_then(app: Flask) -> None:
    told = consent(app, TRIAL).text
    assert "Ja, Studio Vecht mag elke maand € 50,00 afschrijven, tot ik stop." in told
    assert "duurt je proefperiode tot 14 februari 2026" in told
    assert "de eerste afschrijving, van € 50,00, op 14 februari 2026" in told
    assert "Stop je voordat je proefperiode voorbij is, dan wordt er niets afgeschreven." in told
    assert "gaat van de eerste afschrijving af" in told
    refunded = Collector("Studio Vecht", None, Policy(trial_check="refund"))
    assert "krijg je terug" in consent(app, TRIAL, collector=refunded).text
    assert "cent waarmee" not in consent(app, PAID_TRIAL).text


def test_a_minimum_term_is_told_with_its_day_and_what_follows(app: Flask) -> None:
    told = consent(app, PAID_TRIAL).text
    assert "minimaal 3 maanden, tot 7 mei 2026" in told
    assert "op elk moment, zonder opzegtermijn" in told
    assert "Stoppen kan altijd" not in told
    month = Collector("Studio Vecht", None, Policy(cancel_notice_days=30))
    assert "met een opzegtermijn van 30 dagen" in consent(app, PAID_TRIAL, collector=month).text
    assert "for at least 3 months, until 7 May 2026" in consent(app, PAID_TRIAL, "en").text


def test_amounts_that_differ_are_each_agreed_to_with_their_days(app: Flask) -> None:
    assert consent(app, UNEVEN).sentence == (
        "Ja, Studio Vecht mag afschrijven: € 150,00 op 28 februari 2026; € 100,00 op 31 maart 2026."
    )
    assert consent(app, MONTHLY, given=TWICE).sentence == (
        "Ja, Studio Vecht mag afschrijven tot ik stop: € 35,00 op 28 februari 2026; "
        "€ 50,00 elke maand vanaf 31 maart 2026."
    )
    assert consent(app, MONTHLY, given=TEN).sentence == consent(app, MONTHLY).sentence


def test_the_days_of_notice_are_those_of_the_policy(app: Flask) -> None:
    assert "minstens 2 dagen van tevoren" in consent(app, MONTHLY).text
    patient = Collector("Studio Vecht", None, Policy(agreed_notice_days=5))
    assert "minstens 5 dagen van tevoren" in consent(app, MONTHLY, collector=patient).text


def test_a_start_at_once_is_asked_for_only_where_there_is_something_to_withdraw_from(app: Flask) -> None:
    with app.test_request_context("/?lang=nl"):
        assert start_at_once(Policy(withdrawal_days=0)) == ""
        assert "14 dagen bedenktijd" in start_at_once(Policy())
        assert "betaal ik voor wat ik heb gehad" in start_at_once(Policy())
        assert "krijg ik alles terug" in start_at_once(Policy(withdrawal_refund="full"))


def test_a_coupon_says_what_it_gives(app: Flask) -> None:
    with app.test_request_context("/?lang=nl"):
        assert discount(TEN) == "10% korting op de eerste periode"
        assert plain(discount(TWICE)) == "€ 15,00 korting op elk van de eerste 2 perioden"
        assert discount(replace(TEN, duration=Duration.FOREVER)) == "10% korting op elke periode"


def test_what_comes_later_is_told_run_by_run(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        told = later(quote(TERMS, date(2026, 1, 31), vat_basis_points=0).runs, TERMS.interval)
        assert [when for when, _ in told] == ["2 times, every month from 28 February 2026"]


def test_every_method_that_can_prove_an_account_has_a_name(app: Flask) -> None:
    seller = Seller(1, "studio", "Studio", "nl", "Europe/Amsterdam", None)
    with app.test_request_context("/"):
        found = offered.proofs(seller)
    assert [(proof.id, proof.cents) for proof in found] == list(PROOF_CENTS.items())
    assert all(proof.name for proof in found)


def test_only_what_the_account_offers_is_named_and_can_prove(app: Flask) -> None:
    methods = {"first": [["creditcard", "Card"], ["ideal", "iDEAL"]], "once": [["mybank", "MyBank"]]}
    seller = Seller(1, "studio", "Studio", "nl", "Europe/Amsterdam", None, methods=methods)
    with app.test_request_context("/?lang=en"):
        assert [(proof.place, proof.id) for proof in offered.proofs(seller)] == [
            (1, "ideal"),
            (3, "creditcard"),
        ]
        assert offered.pays_by(seller, goes_on=True) == "card or iDEAL | Wero"
        assert offered.pays_by(seller, goes_on=False) == "MyBank"
