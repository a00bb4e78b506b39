"""The database itself says no: to odd doors into the portal, and to odd renewals."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from linkpay.store.db import Database, Tx
from linkpay.store.tables import Charge, Renewal, Visit
from tests import builders as make
from tests.store.test_constraints import refused


def visit(tx: Tx, **values: Any) -> None:
    site = make.make_site(tx)
    defaults = {"kind": "link", "hash": "a" * 64, "email": "anna@example.com", "expires_at": make.NOW}
    tx.add(Visit(site_id=site.id, created_at=make.NOW, **defaults | values))
    tx.flush()


def check(tx: Tx) -> Charge:
    return make.make_charge(tx, period=-2, amount_cents=1)


def renewal(tx: Tx, charge: Charge | None = None, **values: Any) -> None:
    charge = charge or check(tx)
    tx.add(
        Renewal(
            site_id=charge.site_id, subscription_id=charge.subscription_id, charge_id=charge.id,
            created_at=make.NOW, **values,
        )
    )  # fmt: skip
    tx.flush()


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        (lambda tx: visit(tx, kind="window"), "ck_visit_kind"),
        (lambda tx: visit(tx, kind="move"), "ck_visit_only_a_move_moves"),
        (lambda tx: visit(tx, moves_from="a@example.com"), "ck_visit_only_a_move_moves"),
        (lambda tx: renewal(tx, outcome="lost", done_at=make.NOW), "ck_renewal_outcome"),
        (lambda tx: renewal(tx, outcome="moved"), "ck_renewal_done_has_outcome"),
        (lambda tx: renewal(tx, done_at=make.NOW), "ck_renewal_done_has_outcome"),
    ],
)
def test_what_cannot_be_is_refused(database: Database, attempt: Callable[[Tx], None], rule: str) -> None:
    refused(database, attempt, rule)


def test_a_secret_opens_one_door(database: Database) -> None:
    def two(tx: Tx) -> None:
        visit(tx)
        visit(tx)

    refused(database, two, "uq_visit_hash or visit.hash")


def test_a_check_belongs_to_one_renewal(database: Database) -> None:
    def two(tx: Tx) -> None:
        charge = check(tx)
        renewal(tx, charge)
        renewal(tx, charge)

    refused(database, two, "uq_renewal_charge_id or renewal.charge_id")


def test_a_subscription_has_each_check_once_and_as_many_as_it_needs(database: Database) -> None:
    def attempt(again: int) -> None:
        with database.write() as tx:
            subscription = make.make_subscription(tx)
            make.make_charge(tx, subscription, period=-2)
            make.make_charge(tx, subscription, period=again)

    attempt(-3)
    with pytest.raises(IntegrityError):
        attempt(-2)
