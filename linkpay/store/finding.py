"""Whom a search means: people by the beginnings of the words in their names, addresses and ids. Reads only.

The words are kept by triggers of the database, in the transaction that writes a name (migration 0016): no
code that writes one has to think of it. Both sides fold alike: capitals and the accents of European letters
count for nothing.
"""

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Member, Subscription
from linkpay.store.tables.people import customer_word, member_word

_BETWEEN = " @.-_+',/()&:;|"
_LONGEST = 40
#: More words narrow nothing down any more.
_MOST = 5
#: So many people are looked up by number; of more, their subscriptions are walked through, newest first.
_FEW = 300
#: So far one counts to see which word is the rarest.
_RARE = 2000
#: Parts within a word are looked for among so many of the newest people, where no word begins like that.
_NEWEST = 5000
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class _Kind:
    """Payers or members: their words, their own row, and the column of a subscription that names it."""

    words: Table
    number: str
    person: type[Customer | Member]
    named: tuple[InstrumentedAttribute[str], ...]
    held: InstrumentedAttribute[int]


_KINDS = (
    _Kind(customer_word, "customer_id", Customer, (Customer.email, Customer.name), Subscription.customer_id),
    _Kind(
        member_word, "member_id", Member, (Member.email, Member.name, Member.external_user_id),
        Subscription.member_id,
    ),
)  # fmt: skip


def _folding() -> dict[int, str]:
    plain = {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "Ø": "o", "Ł": "l", "Đ": "d"}
    for code in (*range(ord("A"), ord("Z") + 1), *range(0xC0, 0x180)):
        letter = unicodedata.normalize("NFKD", chr(code))[0].lower()
        if letter.isascii() and letter.isalpha():
            plain[chr(code)] = letter
    return str.maketrans(plain)


_FOLDED, _CUT = _folding(), str.maketrans(dict.fromkeys(_BETWEEN, " "))


def split(text: str) -> list[str]:
    """The words of a text as the database keeps them."""
    return [word[:_LONGEST] for word in text.translate(_FOLDED).translate(_CUT).split(" ") if word]


def subscriptions_of(tx: Tx, site_id: int, text: str) -> tuple[ColumnElement[bool], bool]:
    """Which subscriptions are of the people whom a text means, and whether those are very many.

    A few people are looked up first, and their subscriptions by number: no database then walks through all
    subscriptions to find theirs. Of very many the newest subscriptions are found soon in any case.
    """
    if "@" in text:
        return _of_people(
            tx, [_by_address(kind, site_id, text.lower()).limit(_FEW) for kind in _KINDS]
        ), False
    words = _rarest_first(tx, site_id, sorted(set(split(text)))[:_MOST])
    if not words:
        return false(), False
    people = _few(tx, [_by_words(kind, site_id, words) for kind in _KINDS])
    if any(len(numbers) > _FEW for numbers in people):
        return or_(*(_has_all(kind, words, kind.held) for kind in _KINDS)), True
    if any(people):
        return _of_people(tx, people), False
    return _of_people(tx, [_by_part(kind, site_id, text.lower()).limit(_FEW) for kind in _KINDS]), False


def _few(tx: Tx, people: Sequence[Select[int]]) -> list[list[int]]:
    """The numbers of a few payers, and of a few members."""
    parts = [one.limit(_FEW + 1).subquery() for one in people]
    rows = tx.execute(union_all(*(select(literal(place), one.c[0]) for place, one in enumerate(parts)))).all()
    return [[number for place, number in rows if place == wanted] for wanted in range(len(parts))]


def _of_people(tx: Tx, people: Sequence[Sequence[int] | Select[int]]) -> ColumnElement[bool]:
    """The subscriptions of a few payers and members, by their own numbers."""
    theirs = [
        select(Subscription.id).where(kind.held.in_(numbers))
        for kind, numbers in zip(_KINDS, people, strict=True)
    ]
    return Subscription.id.in_(tx.scalars(union(*theirs)).all())


def _by_address(kind: _Kind, site_id: int, text: str) -> Select[int]:
    """Who has this address, or one that begins like this."""
    person = kind.person
    return select(person.id).where(
        person.site_id == site_id, person.email >= text, person.email < text + _LAST
    )


def _by_words(kind: _Kind, site_id: int, words: Sequence[str]) -> Select[int]:
    """A few people who have a word that begins like each of these; the first of them finds them."""
    number = kind.words.c[kind.number]
    first = and_(kind.words.c.site_id == site_id, _begins(kind.words, words[0]))
    return select(number).where(first, _has_all(kind, words[1:], number)).distinct()


def _has_all(
    kind: _Kind, words: Sequence[str], number: ColumnElement[int] | InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """Whether the person with this number has a word that begins like each of these; looked up by her."""
    hers = [kind.words.alias() for _ in words]
    return and_(
        true(),
        *(
            exists().where(one.c[kind.number] == number, _begins(one, word))
            for one, word in zip(hers, words, strict=True)
        ),
    )


def _begins(words: FromClause, word: str) -> ColumnElement[bool]:
    return and_(words.c.word >= word, words.c.word < word + _LAST)


def _rarest_first(tx: Tx, site_id: int, words: list[str]) -> list[str]:
    if len(words) < 2:
        return words
    counts = [
        select(func.count())
        .select_from(
            select(customer_word.c.word)
            .where(customer_word.c.site_id == site_id, _begins(customer_word, word))
            .limit(_RARE)
            .subquery()
        )
        .scalar_subquery()
        for word in words
    ]
    (often,) = tx.execute(select(*counts))
    return [word for _, word in sorted(zip(often, words, strict=True))]


def _by_part(kind: _Kind, site_id: int, text: str) -> Select[int]:
    """Who of the newest people has this anywhere in her name, address or id."""
    newest = (
        select(kind.person.id, *kind.named)
        .where(kind.person.site_id == site_id)
        .order_by(kind.person.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    parts = [newest.c[column.key] for column in kind.named]
    together = functools.reduce(lambda one, other: one + " " + other, parts[1:], parts[0].expression)
    return select(newest.c.id).where(func.lower(together).contains(text, autoescape=True))
