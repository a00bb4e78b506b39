"""Policies as an owner reads them: the value in words, what it means, a dated example, and why.

The words are in ``policies/<language>.toml``; what happens on which day is computed by the functions
that act on it, so an example cannot say anything else than what will happen.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from linkpay.domain.calendar import DEFAULT_ZONE
from linkpay.domain.money import Money
from linkpay.domain.policy import NOT_ACTED_ON, Policy, merge
from linkpay.services import policy_examples, policy_examples_life
from linkpay.services.formats import LOCALES, day_text, money_text
from linkpay.services.policy_examples import Case, Facts

_FOLDER = Path(__file__).parent / "policies"
_EXAMPLES = {**policy_examples.EXAMPLES, **policy_examples_life.EXAMPLES}
_DAYS_OF_THE_MONTH = "pay_days"


@dataclass(frozen=True, slots=True)
class Said:
    """One policy in words. `group` is a heading; `source` is ``default``, ``site`` or ``plan``."""

    name: str
    group: str
    title: str
    value: str
    sentence: str
    example: str
    reason: str
    source: str = "default"


def sentences(
    policy: Policy,
    locale: str,
    *,
    on: date,
    zone: str = DEFAULT_ZONE,
    sources: Mapping[str, str] | None = None,
) -> list[Said]:
    """Every policy in words, in the order of the file, with examples around the day `on`."""
    book, case = _book(locale), Case(policy, on, zone)
    return [_said(name, case, locale, (sources or {}).get(name, "default")) for name in names(book)]


def effective(
    site: Mapping[str, Any] | None, plan: Mapping[str, Any] | None
) -> tuple[Policy, Mapping[str, str]]:
    """The policy that counts, and which values of it come from the ``site`` or the ``plan``."""
    sources = dict.fromkeys(site or {}, "site") | dict.fromkeys(plan or {}, "plan")
    return merge(site, plan), sources


def names(book: Mapping[str, Any]) -> list[str]:
    """The policies that a book has words for, in its order."""
    return [name for name in book if name not in ("words", "values", "groups", "sources")]


@cache
def _book(locale: str) -> Mapping[str, Any]:
    language = locale if locale in LOCALES else "nl"
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def titles(locale: str) -> Mapping[str, str]:
    """What each policy is called."""
    book = _book(locale)
    return {name: book[name]["title"] for name in names(book)}


def words(locale: str, section: str) -> Mapping[str, str]:
    """Short words of one kind: ``words``, ``groups`` or ``sources``."""
    found: Mapping[str, str] = _book(locale)[section]
    return found


def _said(name: str, case: Case, locale: str, source: str) -> Said:
    book, value = _book(locale), getattr(case.policy, name)
    about = book[name]
    kind = _kind(value)
    facts = _EXAMPLES[name](case)
    filled = {"on": day_text(case.on, locale), **_in_sentence(name, value, locale), **_told(facts, locale)}
    return Said(
        name, words(locale, "groups")[about["group"]], about["title"], value_text(name, value, locale),
        _not_yet(name, locale) + _pick(about["sentence"], kind).format(**filled),
        _pick(about["example"], str(facts.get("which", kind))).format(**filled), about["reason"], source,
    )  # fmt: skip


def _not_yet(name: str, locale: str) -> str:
    """Said before anything else of a choice that no rule acts on."""
    if name not in NOT_ACTED_ON:
        return ""
    return (
        "Not in use yet: it is kept, and LinkPay does not act on it. "
        if locale == "en"
        else ("Nog niet in gebruik: de keuze wordt bewaard, en LinkPay doet er nog niets mee. ")
    )


def _pick(text: str | Mapping[str, str], which: str) -> str:
    return text if isinstance(text, str) else text[which]


def _kind(value: object) -> str:
    """Which of several texts a value calls for."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return "some" if value else "zero"
        case tuple():
            return "some" if value else "none"
    return str(value)


def value_text(name: str, value: Any, locale: str) -> str:
    """A value as an owner would say it: ``14 days``, ``€ 7,50``, ``5 and 8 days``."""
    said = words(locale, "words")
    match value:
        case bool():
            return said["yes" if value else "no"]
        case int() if name.endswith("_cents"):
            no_cap = value == 0 and name.endswith("_cap_cents")
            return said["no_limit"] if no_cap else money_text(Money(value), locale)
        case int() if name.endswith("_periods"):
            return str(value)
        case int():
            return days_text(value, locale)
        case tuple():
            return _list_text(name, value, locale) if value else said["none"]
    return words(locale, "values")[f"{name}.{value}"]


def days_text(count: int, locale: str) -> str:
    """``1 day``, ``14 days``."""
    return f"{count} {words(locale, 'words')['day' if count == 1 else 'days']}"


def _list_text(name: str, days: Sequence[int], locale: str) -> str:
    if name == _DAYS_OF_THE_MONTH:
        one = words(locale, "words")["pay_days.one"]
        return joined([one.format(day) for day in days], locale)
    unit = words(locale, "words")["day" if list(days) == [1] else "days"]
    return f"{joined([str(day) for day in days], locale)} {unit}"


def joined(parts: Sequence[str], locale: str) -> str:
    """``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {words(locale, 'words')['and']} {parts[-1]}"


def _in_sentence(name: str, value: Any, locale: str) -> dict[str, str]:
    text = value_text(name, value, locale)
    return {"days": text, "money": text, "list": text, "count": text}


def _told(facts: Facts, locale: str) -> dict[str, str]:
    return {name: _fact(fact, locale) for name, fact in facts.items()}


def _fact(fact: Any, locale: str) -> str:
    match fact:
        case date():
            return day_text(fact, locale)
        case Money():
            return money_text(fact, locale)
        case list():
            return joined([day_text(day, locale) for day in fact], locale)
    return str(fact)
