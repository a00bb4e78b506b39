"""People are found by the beginnings of their words, which the database itself keeps."""

import uuid

import pytest
from sqlalchemy import inspect, select, update

from linkpay.store import finding, people, selection
from linkpay.store.db import Database, core
from linkpay.store.selection import Filter
from linkpay.store.tables import Customer, Member, Site
from linkpay.store.tables.people import customer_word, member_word
from tests import builders as make

NAMES = (
    "Anna Ververs", "Zoë Zoe ZOE", "Renée-Françoise O'Brien-de Vries", "Ægir Ðøłström İpek ß", "  , ",
    'quote " back\\slash \\" [a,b] {} :name %s', "tab\tnew\nline\x01", "Анна 王秀英", "L'" + "long" * 20,
)  # fmt: skip


def words(database: Database, email: str) -> set[str]:
    with database.read() as tx:
        query = select(customer_word.c.word).join(Customer, Customer.id == customer_word.c.customer_id)
        return set(tx.scalars(query.where(Customer.email == email)))


@pytest.mark.parametrize("name", NAMES)
def test_the_database_keeps_the_words_that_a_search_is_cut_into(database: Database, name: str) -> None:
    with database.write() as tx:
        site, now = make.make_site(tx), make.NOW
        people.customer_for(tx, site.id, "a.b@x.example.com", name, "nl", now)
        people.member_for(tx, site.id, "a.b@x.example.com", name, "KAJ-7 Ü", now)
        hers = set(tx.scalars(select(member_word.c.word)))
    expected = set(finding.split(f"a.b@x.example.com {name}"))
    assert words(database, "a.b@x.example.com") == expected
    assert hers == expected | {"kaj", "7", "u"}


def test_whoever_changes_a_name_changes_its_words(database: Database) -> None:
    with database.write() as tx:
        customer = make.make_customer(tx)
        customer.name, customer.email = "Éva Old", "old@example.com"
    with database.write() as tx:
        tx.execute(update(core(Customer)).values(name="Bea New"))
    assert words(database, "old@example.com") == {"bea", "new", "old", "example", "com"}
    with database.write() as tx:
        tx.query(Customer).one().email = "new@example.com"
    assert words(database, "new@example.com") == {"bea", "new", "example", "com"}


def subscribed(database: Database, *named: tuple[str, str]) -> int:
    with database.write() as tx:
        plan = make.make_plan(tx)
        for email, name in named:
            customer = make.make_customer(tx, tx.get_one(Site, plan.site_id))
            customer.email, customer.name = email, name
            make.make_subscription(tx, plan, customer)
        return plan.site_id


def found(database: Database, site_id: int, text: str) -> list[str]:
    with database.read() as tx:
        of = selection.meant(tx, site_id, Filter(search=text))
        return sorted(row.customer.email for row in selection.page(tx, of))


def test_every_word_has_to_begin_so_and_parts_within_are_found_where_none_does(database: Database) -> None:
    site = subscribed(
        database, ("anna@x.example", "Anna de Vries"), ("bea@y.example", "Bea Vriesman"),
        ("c@z.example", "Zoë Fransen"),
    )  # fmt: skip
    assert found(database, site, "vries") == ["anna@x.example", "bea@y.example"]
    assert found(database, site, "VRIES an") == ["anna@x.example"]
    assert found(database, site, "zoe") == ["c@z.example"]
    assert found(database, site, "ransen") == ["c@z.example"]
    assert found(database, site, "anna@x") == ["anna@x.example"]
    assert found(database, site, "%") == []
    assert found(database, site, "...") == []
    assert found(database, site + 1, "vries") == []


def test_of_a_word_that_very_many_have_the_newest_are_shown_and_some_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_FEW", 2)
    names = [(f"p{number}@x.example", "Jansen") for number in range(5)]
    site = subscribed(database, ("other@y.example", "Bea"), *names)
    assert found(database, site, "jansen") == [email for email, _ in names]
    assert found(database, site, "jansen p3") == ["p3@x.example"]
    with database.read() as tx:
        of = selection.meant(tx, site, Filter(search="jan"))
        assert of.many
        assert selection.count(tx, of) == 5
        assert len(selection.page(tx, of, limit=2)) == 2


def test_a_person_and_her_words_go_together(database: Database) -> None:
    with database.write() as tx:
        site = make.make_site(tx)
        member = people.member_for(tx, site.id, "a@x.example", "A", str(uuid.uuid4()), make.NOW)
        tx.delete(tx.get_one(Member, member.id))
    with database.read() as tx:
        assert tx.execute(select(member_word)).all() == []
        assert {"customer_word", "member_word"} <= set(inspect(tx.connection()).get_table_names())
