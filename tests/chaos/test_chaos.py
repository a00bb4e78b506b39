"""The short form of `make chaos`, and that its judge would notice: each rule complains of doctored books."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.bench.figures import say
from tests.chaos import judge
from tests.chaos.__main__ import SHORT
from tests.chaos.course import Course
from tests.chaos.figures import document, table, write
from tests.chaos.judge import Books
from tests.chaos.town import town
from tests.store_fixtures import Databases


def _paid_debit(books: Books) -> dict[str, Any]:
    return next(
        one for one in books.payments if one["status"] == "paid" and one["sequence_type"] == "recurring"
    )


def _double_a_payment(books: Books) -> None:
    books.payments.append({**_paid_debit(books), "id": "tr_again"})


def _refund_in_secret(books: Books) -> None:
    _paid_debit(books)["refunded_cents"] = 100


def _shut_somebody_out(books: Books) -> None:
    next(one for one in books.members if one["offers"][0]["state"] == "granted")["offers"] = []


def _let_a_stranger_in(books: Books) -> None:
    books.members.append({"email": "stranger@example.com", "offers": [{"state": "granted"}]})


def _acknowledge_more(books: Books) -> None:
    delivery = next(one for one in books.deliveries if one["attempts"])
    delivery["attempts"] = [{"status": 200}] * 50


def _swap_mandates(books: Books) -> None:
    _paid_debit(books)["mandate_id"] = "mdt_other"


def _charge_late(books: Books) -> None:
    leaver = next(email for email, fate in books.course.fates.items() if fate == "leaves")
    customer = next(id for id, email in books.customers.items() if email == leaver)
    late = {"customer_id": customer, "created_at": "2999-01-01T00:00:00+00:00"}
    books.payments.append({**_paid_debit(books), **late})


def _forget_a_month(books: Books) -> None:
    customers = {id for id, email in books.customers.items() if email not in books.course.fates}
    books.payments.remove(next(one for one in books.payments if one["customer_id"] in customers))


DOCTORED: dict[str, Callable[[Books], None]] = {
    "charged_once": _double_a_payment,
    "ledger_is_mollies": _refund_in_secret,
    "access_follows_money": _shut_somebody_out,
    "nothing_acknowledged_is_lost": _acknowledge_more,
    "charged_with_permission": _swap_mandates,
    "nothing_after_the_end": _charge_late,
    "every_month_was_asked": _forget_a_month,
}


@pytest.mark.timeout(600)
def test_a_short_run_in_all_storms_leaves_nothing_wrong(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    try:
        with town(tmp_path / "var", url, seed=1) as here:
            course = Course(here, SHORT, say)
            course.run()
            verdict = judge.judge(course)
            figures = document(course, verdict, 1, "short")
            say(table(figures))
            write(figures, tmp_path / "chaos.json")
            assert figures["findings"] == []
            assert figures["webhooks"]["doubled"] > 10
            assert figures["webhooks"]["dropped"] > 3
            assert figures["processes killed"].keys() >= {"web", "worker", "clock", "valkey"}
            _every_rule_would_notice(course)
    finally:
        databases.drop(url)


def _every_rule_would_notice(course: Course) -> None:
    true = Books(course)
    rules = {rule.__name__: rule for rule in judge.RULES}
    assert DOCTORED.keys() | {"nothing_waits"} == rules.keys()
    for name, doctor in [*DOCTORED.items(), ("access_follows_money", _let_a_stranger_in)]:
        books = copy.copy(true)
        books.payments, books.members = copy.deepcopy(true.payments), copy.deepcopy(true.members)
        books.deliveries = copy.deepcopy(true.deliveries)
        doctor(books)
        assert list(rules[name](books)), f"{name} did not notice what {doctor.__name__} did"
    parts = course.town.parts
    course.town.machine.stop("clock", "worker")
    with parts.database.write() as tx:
        tx.execute(text("UPDATE inbox SET done_at = NULL WHERE id = (SELECT min(id) FROM inbox)"))
    assert list(judge.nothing_waits(true))
