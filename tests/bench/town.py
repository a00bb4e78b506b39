"""Many members at once, written straight to the tables: copies of one who has paid a month by card."""

import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from linkpay.domain.calendar import add_months
from linkpay.domain.snapshots import Sequence
from linkpay.store.db import Database, Tx, core
from linkpay.store.tables import (
    Base,
    Charge,
    Consent,
    Customer,
    Grant,
    LedgerEntry,
    Mandate,
    Member,
    Payment,
    Plan,
    Site,
    Subscription,
)
from linkpay.store.tables.people import Access
from tests import builders as make

_TOGETHER = 2_000
_TABLES: tuple[type[Base], ...] = (
    Customer, Member, Mandate, Subscription, Consent, Charge, Payment, LedgerEntry, Grant,
)  # fmt: skip
Row = dict[str, Any]


def settle_in(database: Database, plan_id: int, count: int, due_on: date, now: datetime) -> None:
    """`count` more members of a plan: one month paid and let in, the next one due on `due_on`."""
    with database.write() as tx:
        pattern = _one_member(tx, tx.get_one(Plan, plan_id), due_on, now)
        first = {table: 1 + (tx.scalar(select(func.max(core(table).c.id))) or 0) for table in _TABLES}
    for start in range(0, count - 1, _TOGETHER):
        numbers = range(start, min(start + _TOGETHER, count - 1))
        with database.write() as tx:
            for table, rows in _copies(pattern, first, numbers):
                tx.execute(insert(core(table)), rows)
    if not database.is_sqlite:
        _mend_sequences(database)


def _one_member(tx: Tx, plan: Plan, due_on: date, now: datetime) -> dict[type[Base], Row]:
    """The one who is copied, made like any member of the tests."""
    joined_on = add_months(due_on, -1)
    mandate = make.make_mandate(
        tx, make.make_customer(tx, tx.get_one(Site, plan.site_id)), method="creditcard"
    )
    customer = tx.get_one(Customer, mandate.customer_id)
    subscription = make.make_subscription(
        tx, plan, customer, mandate_id=mandate.id, anchor_on=due_on, anchor_index=1, next_index=1,
        next_charge_on=due_on, started_at=now,
    )  # fmt: skip
    consent = make.make_consent(tx, subscription)
    charge = make.make_paid_charge(tx, subscription, sequence=Sequence.FIRST, method="creditcard")
    charge.starts_on, charge.due_on, charge.ends_on = joined_on, joined_on, due_on
    payment = tx.scalars(select(Payment).where(Payment.charge_id == charge.id)).one()
    entry = tx.scalars(select(LedgerEntry).where(LedgerEntry.charge_id == charge.id)).one()
    grant = make.make_grant(
        tx, subscription, applied=Access.GRANTED, applied_version=1, applied_at=now,
        until=now + timedelta(days=14),
    )  # fmt: skip
    tx.flush()
    member = tx.get_one(Member, subscription.member_id)
    made = (customer, member, mandate, subscription, consent, charge, payment, entry, grant)
    return {type(row): _values(tx, row) for row in made}


def _values(tx: Tx, row: Base) -> Row:
    table = core(type(row))
    return dict(tx.execute(select(table).where(table.c.id == row.id)).mappings().one())


def _copies(
    pattern: dict[type[Base], Row], first: dict[type[Base], int], numbers: range
) -> Iterator[tuple[type[Base], list[Row]]]:
    for table in _TABLES:
        yield table, [_copy(table, pattern, first, number) for number in numbers]


_FAR = 10_000_000  # apart from the numbers that the builders give
_POINTS = {
    "customer_id": Customer, "member_id": Member, "mandate_id": Mandate, "subscription_id": Subscription,
    "charge_id": Charge, "payment_id": Payment,
}  # fmt: skip


def _copy(
    table: type[Base], pattern: dict[type[Base], Row], first: dict[type[Base], int], number: int
) -> Row:
    row, own = dict(pattern[table]), f"{_FAR + first[table] + number}"
    row["id"] = first[table] + number
    for name, target in _POINTS.items():
        if row.get(name) is not None:
            row[name] = first[target] + number
    email = f"member{first[Customer] + number}@example.com"
    fresh = {
        "email": email, "external_user_id": email, "token": uuid.uuid4().hex, "uid": str(uuid.uuid4()),
        "idempotency_key": str(uuid.uuid4()),
        "mollie_id": f"{str(row.get('mollie_id')).partition('_')[0]}_bench{own}", "ref": f"tr_bench{own}",
    }  # fmt: skip
    return row | {name: value for name, value in fresh.items() if name in row}


def _mend_sequences(database: Database) -> None:
    """PostgreSQL counts on from what it gave, not from what was written."""
    with database.write() as tx:
        for table in _TABLES:
            named = core(table).name
            tx.execute(
                select(func.setval(func.pg_get_serial_sequence(named, "id"), func.max(core(table).c.id)))
            )
