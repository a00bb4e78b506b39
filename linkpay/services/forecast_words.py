"""What will happen, in words: a line for each thing, with its day, and what follows where it fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from linkpay.domain.forecast import Item, Kind, OnlyIf
from linkpay.domain.money import Money
from linkpay.redaction import neutralise
from linkpay.services.forecast import Account, Forecast
from linkpay.services.formats import day_text, money_text
from linkpay.services.policy_words import joined

Words = Mapping[str, str]


def _w(nl: str, en: str) -> Words:
    return {"nl": nl, "en": en}


#: By kind; an amount, a price before, an account and a plan are filled in where they are known.
SENTENCES: Mapping[Kind, Words] = {
    Kind.DEBIT_RUNS: _w(
        "de bank antwoordt op zijn vroegst over de {cents} die onderweg is",
        "the bank answers at the earliest about the {cents} that is under way",
    ),
    Kind.WAITS_FOR_PAYER: _w("{cents} wacht op betaling", "{cents} waits to be paid"),
    Kind.ENDS: _w("het abonnement eindigt", "the subscription ends"),
    Kind.RESUMES: _w("de pauze is voorbij, het gaat verder", "the pause is over, it goes on"),
    Kind.PAUSE_BEGINS: _w("de pauze begint", "the pause begins"),
    Kind.TRIAL_ENDS: _w("de proefperiode is voorbij", "the trial is over"),
    Kind.TERM_OVER: _w("de minimumperiode is voorbij", "the minimum term is over"),
    Kind.PLAN_CHANGES: _w(
        "ander plan, {plan}: {cents} in plaats van {before}",
        "another plan, {plan}: {cents} instead of {before}",
    ),
    Kind.PRICE_CHANGES: _w(
        "nieuwe prijs: {cents} in plaats van {before}", "new price: {cents} instead of {before}"
    ),
    Kind.COUPON_ENDS: _w("de korting is voorbij", "the discount is over"),
    Kind.CHARGE: _w("{cents} {account}", "{cents} {account}"),
    Kind.FREE_PERIOD: _w("een nieuwe periode, die niets kost", "a new period that costs nothing"),
    Kind.LET_GO: _w("een gemiste periode wordt kwijtgescholden", "a missed period is written off"),
    Kind.NOTICE: _w(
        "mail die de afschrijving van {cents} aankondigt", "a mail that announces the debit of {cents}"
    ),
    Kind.NO_ACCOUNT: _w(
        "{cents}, en er is geen rekening of kaart om die van af te schrijven",
        "{cents}, and there is no account or card to collect it from",
    ),
    Kind.DEBIT: _w("nieuwe poging, {cents}", "another try, {cents}"),
    Kind.MAIL: _w("mail met een betaallink", "a mail with a pay link"),
    Kind.SIGNUP_ENDS: _w("de aanmelding verloopt", "the sign-up runs out"),
    Kind.ACCESS_ENDS: _w("de toegang sluit", "access closes"),
    Kind.ACCESS_OPENS: _w("de toegang gaat weer open", "access opens again"),
}
_ONLY_IF = {
    OnlyIf.PAID: _w("als er dan betaald is: ", "if it is paid by then: "),
    OnlyIf.UNPAID: _w("zolang er niet betaald is: ", "as long as it is not paid: "),
}
_BY = {
    "directdebit": _w("via SEPA van rekening ··{hint}", "by SEPA from ··{hint}"),
    "creditcard": _w("van kaart ··{hint}", "from card ··{hint}"),
}
_BY_UNKNOWN = _w("van de rekening of kaart", "from the account or card")
_LAST = _w(", de laatste keer", ", for the last time")
_SERIES = _w(
    "daarna steeds {cents}, voor het laatst op {last}", "then {cents} each time, the last one on {last}"
)
_ON_AND_ON = _w("daarna steeds {cents}", "then {cents} each time")
_FAILS = _w("als dat mislukt: ", "if that fails: ")
_MAILED = _w("mail op {days}", "mail on {days}")
_TRIED = _w("nieuwe poging op {days}", "tried again on {days}")
_CLOSED = _w("toegang sluit op {days}", "access closes on {days}")
_HALTED = _w(
    "Mollie weigert de sleutel van deze site: tot die weer werkt wordt er niets afgeschreven.",
    "Mollie refuses this site's key: until it works again nothing is collected.",
)
#: So many equal collections in a row are told in two lines.
_MANY = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One line. `if_it_fails` is empty where nothing has to be said of that."""

    on: date
    kind: Kind
    text: str
    if_it_fails: str = ""


def lines(forecast: Forecast, locale: str) -> list[Said]:
    """The forecast in order of days, equal collections in a row taken together."""
    language = locale if locale == "en" else "nl"
    return [line for run in _runs(forecast.items) for line in _run(run, forecast, language)]


def remark(forecast: Forecast, locale: str) -> str:
    """What bears on all of it, or nothing."""
    return _HALTED["en" if locale == "en" else "nl"] if forecast.is_halted else ""


def text(item: Item, forecast: Forecast, locale: str) -> str:
    """One thing in words, without its day."""
    said = SENTENCES[item.kind][locale].format(
        cents=_money(item.cents, forecast, locale), before=_money(item.before_cents, forecast, locale),
        account=_account(forecast.account, locale), plan=neutralise(item.plan or ""),
    )  # fmt: skip
    before = _ONLY_IF[item.only_if][locale] if item.only_if else ""
    return f"{before}{said}{_LAST[locale] if item.is_last and item.kind is Kind.CHARGE else ''}"


def _runs(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Collections of one amount that follow each other, and everything else by itself."""

    def likeness(numbered: tuple[int, Item]) -> tuple[object, ...]:
        place, item = numbered
        plain = item.kind is Kind.CHARGE and not item.is_last
        return (Kind.CHARGE, item.cents, item.only_if) if plain else (item.kind, place)

    for _, run in groupby(enumerate(items), likeness):
        yield [item for _, item in run]


def _run(run: list[Item], forecast: Forecast, locale: str) -> Iterator[Said]:
    together = run[0].kind is Kind.CHARGE and len(run) > _MANY
    for item in run[:1] if together else run:
        yield Said(item.on, item.kind, text(item, forecast, locale), _fate(item, locale))
    if together:
        goes_on = run[-1] is forecast.items[-1]
        said = (_ON_AND_ON if goes_on else _SERIES)[locale].format(
            cents=_money(run[1].cents, forecast, locale), last=day_text(run[-1].on, locale)
        )
        yield Said(run[1].on, Kind.CHARGE, said)


def _fate(item: Item, locale: str) -> str:
    found = []
    for kind, words in ((Kind.MAIL, _MAILED), (Kind.DEBIT, _TRIED), (Kind.ACCESS_ENDS, _CLOSED)):
        days = [day_text(one.on, locale) for one in item.if_it_fails if one.kind is kind]
        if days:
            found.append(words[locale].format(days=joined(days, locale)))
    return _FAILS[locale] + ", ".join(found) if found else ""


def _money(cents: int | None, forecast: Forecast, locale: str) -> str:
    return "" if cents is None else money_text(Money(cents, forecast.currency), locale)


def _account(account: Account | None, locale: str) -> str:
    if account is None or not account.works or account.hint is None or account.method not in _BY:
        return _BY_UNKNOWN[locale]
    return _BY[account.method][locale].format(hint=neutralise(account.hint))
