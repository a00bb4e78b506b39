"""A forecast in words: every kind has them in both languages, and equal collections are told once."""

from datetime import date, timedelta

import pytest

from linkpay.domain.forecast import Item, Kind, OnlyIf, in_order
from linkpay.services import forecast_words
from linkpay.services.forecast import Account, Forecast

DAY = date(2026, 5, 3)


def forecast(*items: Item, halted: bool = False) -> Forecast:
    account = Account("directdebit", "1234", works=True)
    return Forecast(
        1, "a@example.com", "Members", "monthly", "active", "EUR", account, halted, in_order(items)
    )


def words(known: Forecast, locale: str) -> list[str]:
    return [line.text.replace("\xa0", " ") for line in forecast_words.lines(known, locale)]


def months(count: int, cents: int = 5000) -> list[Item]:
    return [Item(date(2026, 5 + number, 3), Kind.CHARGE, cents) for number in range(count)]


def test_the_next_collection_says_what_how_and_what_follows_when_it_fails() -> None:
    steps = [(0, Kind.MAIL), (5, Kind.DEBIT), (5, Kind.MAIL), (8, Kind.DEBIT), (8, Kind.MAIL)]
    steps.append((14, Kind.ACCESS_ENDS))
    fails = tuple(Item(DAY + timedelta(days=days), kind) for days, kind in steps)
    (line,) = forecast_words.lines(forecast(Item(DAY, Kind.CHARGE, 5000, if_it_fails=fails)), "en")
    assert line.text == "€50.00 by SEPA from ··1234"
    assert line.if_it_fails == (
        "if that fails: mail on 3 May 2026, 8 May 2026 and 11 May 2026, tried again on 8 May 2026 and"
        " 11 May 2026, access closes on 17 May 2026"
    )


def test_equal_collections_in_a_row_are_told_once_and_the_last_by_itself() -> None:
    said = words(forecast(*months(6)), "nl")
    assert said == ["€ 50,00 via SEPA van rekening ··1234", "daarna steeds € 50,00"]
    ends = Item(date(2026, 9, 3), Kind.CHARGE, 5000, is_last=True)
    said = words(forecast(*months(4), ends), "en")
    assert said[1:] == [
        "then €50.00 each time, the last one on 3 August 2026",
        "€50.00 by SEPA from ··1234, for the last time",
    ]


def test_what_hangs_on_a_payment_says_so() -> None:
    items = (
        Item(DAY, Kind.ACCESS_ENDS, only_if=OnlyIf.UNPAID),
        Item(DAY, Kind.CHARGE, 5000, only_if=OnlyIf.PAID),
    )
    said = words(forecast(*items), "nl")
    assert said[0].startswith("als er dan betaald is: € 50,00")
    assert said[1] == "zolang er niet betaald is: de toegang sluit"


@pytest.mark.parametrize("locale", ["nl", "en"])
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_words(kind: Kind, locale: str) -> None:
    item = Item(DAY, kind, 5000, before_cents=4000, plan="Yearly")
    (line,) = forecast_words.lines(forecast(item), locale)
    assert line.text
    assert "{" not in line.text
    assert forecast_words.remark(forecast(halted=True), locale)
