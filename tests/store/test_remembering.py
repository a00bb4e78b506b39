"""What a transaction remembers, and what makes it ask again."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event, update

from linkpay.domain.charge import ChargeState
from linkpay.domain.ledger import Entry, EntryKind
from linkpay.domain.money import Money
from linkpay.errors import Conflict
from linkpay.store import agreements, charges, grants, ledger, subscriptions, work
from linkpay.store.db import FOR_CHANGE, Database, Tx, core, insert_once
from linkpay.store.remembering import held
from linkpay.store.tables import Charge, Customer, Grant, Payment, PriceChange, Subscription
from linkpay.store.tables.people import Access
from tests import builders as make


class Asked:
    """How many statements went to the database since the last look."""

    def __init__(self, database: Database) -> None:
        self._count = 0
        event.listen(database.engine, "before_cursor_execute", self._counted)

    def _counted(self, *_args: object) -> None:
        self._count += 1

    def since(self) -> int:
        counted, self._count = self._count, 0
        return counted


@pytest.fixture
def asked(database: Database) -> Asked:
    return Asked(database)


def paid(tx: Tx, payment: Payment, ref: str) -> bool:
    entry = Entry(EntryKind.PAYMENT, ref, Money(payment.amount_cents, "EUR"), make.NOW)
    return ledger.book(tx, payment, entry, make.NOW)


def test_the_same_question_is_asked_once(database: Database, asked: Asked) -> None:
    with database.write() as tx:
        payment = make.make_payment(tx)
        ledger.booked_refs(tx, payment.id)
        asked.since()
        for _ in range(3):
            assert ledger.booked_refs(tx, payment.id) == set()
        assert asked.since() == 0


def test_a_row_of_ones_own_is_seen_at_once_and_others_are_left_remembered(
    database: Database, asked: Asked
) -> None:
    with database.write() as tx:
        one, other = make.make_payment(tx), make.make_payment(tx)
        assert ledger.booked_refs(tx, one.id) == ledger.booked_refs(tx, other.id) == set()
        assert paid(tx, one, "tr_1")
        asked.since()
        assert ledger.booked_refs(tx, other.id) == set()
        assert asked.since() == 0
        assert ledger.booked_refs(tx, one.id) == {"tr_1"}


def test_a_row_that_waits_in_the_session_is_seen(database: Database) -> None:
    with database.write() as tx:
        payment = make.make_payment(tx, is_open=False)
        assert [one.id for one in charges.payments(tx, payment.charge_id)] == [payment.id]
        charge = charges.get(tx, payment.charge_id)
        second = make.make_payment(tx, charge=charge)
        assert [one.id for one in charges.payments(tx, payment.charge_id)] == [payment.id, second.id]


def test_what_depends_on_what_is_within_a_row_is_asked_anew_when_that_changes(database: Database) -> None:
    with database.write() as tx:
        charge = make.make_charge(tx, state=ChargeState.COLLECTING)
        number = charge.subscription_id
        assert charges.has_unsettled(tx, number)
        charges.get(tx, charge.id).state = ChargeState.VOID
        assert not charges.has_unsettled(tx, number)


def test_a_price_that_was_just_told_counts(database: Database) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        assert agreements.price_on(tx, subscription.id, date(2026, 9, 1)) is None
        change = PriceChange(
            site_id=subscription.site_id, subscription_id=subscription.id, batch="b", amount_cents=6000,
            effective_on=date(2026, 8, 1), decided_by="owner", created_at=make.NOW,
        )  # fmt: skip
        tx.add(change)
        assert agreements.price_on(tx, subscription.id, date(2026, 9, 1)) is None
        change.told_at = make.NOW
        assert agreements.price_on(tx, subscription.id, date(2026, 9, 1)) == 6000


def test_a_statement_that_changes_rows_unnamed_is_noticed(database: Database) -> None:
    with database.write() as tx:
        grant = make.make_grant(tx, wanted=Access.GRANTED)
        assert grants.find(tx, grant.member_id, grant.offer_id) is grant
        tx.execute(update(core(Grant)).where(core(Grant).c.id == grant.id).values(reason="changed"))
        found = grants.find(tx, grant.member_id, grant.offer_id)
        assert found is not None
        assert found.reason == "changed"


def test_the_first_grant_is_found_after_it_was_not(database: Database) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        member_id, offer_id = subscription.member_id, subscription.offer_id
        assert grants.find(tx, member_id, offer_id) is None
        insert_once(
            tx, Grant, site_id=subscription.site_id, member_id=member_id, offer_id=offer_id,
            wanted=Access.GRANTED, reason="paid", wanted_at=make.NOW, created_at=make.NOW,
        )  # fmt: skip
        assert grants.find(tx, member_id, offer_id) is not None


def test_who_waited_for_a_lock_reads_anew(database: Database, asked: Asked) -> None:
    with database.write() as tx:
        payment = make.make_payment(tx)
        payment_id, charge_id = payment.id, payment.charge_id
    with database.write() as tx:
        held(tx, Charge, charge_id)
        subscriptions.lock_for_payment(tx, payment_id)
        asked.since()
        held(tx, Charge, charge_id)
        assert asked.since() == (0 if database.is_sqlite else 1), "on SQLite nobody else writes meanwhile"
        subscriptions.lock_for_payment(tx, payment_id)
        held(tx, Charge, charge_id)
        assert asked.since() <= 1, "what is held already need not be waited for"


def test_who_waited_by_any_statement_reads_anew(database: Database, asked: Asked) -> None:
    with database.write() as tx:
        charge = make.make_charge(tx)
        number = charge.subscription_id
        customer_id = tx.get_one(Subscription, number).customer_id
    with database.write() as tx:
        charges.of_subscription(tx, number)
        customer = tx.get_one(Customer, customer_id)
        tx.refresh(customer, with_for_update=FOR_CHANGE)
        asked.since()
        charges.of_subscription(tx, number)
        assert asked.since() == (0 if database.is_sqlite else 1)


def test_what_was_taken_back_to_a_savepoint_is_forgotten(database: Database) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        member_id, offer_id = subscription.member_id, subscription.offer_id
        with tx.begin_nested() as inner:
            make.make_grant(tx, subscription)
            assert grants.find(tx, member_id, offer_id) is not None
            inner.rollback()
        assert grants.find(tx, member_id, offer_id) is None


def test_nothing_is_remembered_beyond_the_transaction(database: Database) -> None:
    with database.write() as tx:
        charge = make.make_charge(tx)
        number = charge.subscription_id
        assert len(charges.of_subscription(tx, number)) == 1
    with database.write() as tx:
        charges.get(tx, charge.id).created_at += timedelta(days=1)
    with database.read() as tx:
        assert charges.of_subscription(tx, number)[0].created_at == charge.created_at + timedelta(days=1)


def test_who_is_let_in_is_asked_anew_when_a_subscription_moves(database: Database, asked: Asked) -> None:
    with database.write() as tx:
        one, other = make.make_subscription(tx), make.make_subscription(tx)
        place, elsewhere = (one.member_id, one.offer_id), (other.member_id, one.offer_id)
        assert subscriptions.for_access(tx, *place) == [one]
        assert subscriptions.for_access(tx, *elsewhere) == []
        one.next_index += 1
        asked.since()
        assert subscriptions.for_access(tx, *place) == [one]
        assert asked.since() == 0, "who it lets in did not change"
        one.member_id = other.member_id
        assert subscriptions.for_access(tx, *place) == []
        assert subscriptions.for_access(tx, *elsewhere) == [one]
        one.offer_id = other.offer_id
        assert subscriptions.for_access(tx, *elsewhere) == []


def test_what_nobody_asks_for_is_written_with_one_statement_at_the_end(
    database: Database, asked: Asked
) -> None:
    with database.write() as tx:
        made = [make.make_subscription(tx) for _ in range(5)]
        asked.since()
        for one in made:
            one.next_index += 1
            work.add(
                tx, site_id=one.site_id, kind="turn", ref=f"{one.id}", target_id=one.id, run_at=make.NOW,
                now=make.NOW,
            )  # fmt: skip
        assert asked.since() == len(made), "only the work"
        tx.flush()
        assert asked.since() == 1
    with database.read() as tx:
        assert [subscriptions.get(tx, one.id).next_index for one in made] == [one.next_index for one in made]


_SAME = ("site_id", "charge_id", "customer_id", "mandate_id", "sequence")


def test_a_row_that_waits_is_written_before_what_refers_to_it(database: Database) -> None:
    with database.write() as tx:
        charge = make.make_charge(tx)
        first = make.make_payment(tx, charge=charge)
        first.is_open = False
        values = {name: getattr(first, name) for name in _SAME}
        second = charges.new_payment(
            tx, uid="another", idempotency_key="another", amount_cents=charge.amount_cents, currency="EUR",
            created_at=make.NOW, **values,
        )  # fmt: skip
        assert second.id != first.id
        with pytest.raises(Conflict, match="open already"):
            charges.new_payment(
                tx, uid="a third", idempotency_key="a third", amount_cents=charge.amount_cents,
                currency="EUR", created_at=make.NOW, **values,
            )  # fmt: skip
