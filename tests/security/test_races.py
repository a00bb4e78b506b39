"""Fifty at the same instant: one wins, the others change nothing."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from flask import Flask

from linkpay.domain.leaving import CancelMode
from linkpay.domain.roles import Role
from linkpay.errors import Conflict, InputError
from linkpay.services import billing, colleagues, membership, refunds
from linkpay.store import owners
from linkpay.store.tables import Charge, LedgerEntry, Payment, Refund, Subscription
from tests.flows import truth
from tests.flows.stage import Stage
from tests.flows.weather import at_once
from tests.web.visitor import Visitor, form_of
from workers import jobs

ANNA, CROWD = "anna@example.com", 50


def _crowd(act: Callable[[], object]) -> int:
    """Fifty threads do it; how many got through."""
    through: list[object] = []

    def one() -> None:
        try:
            through.append(act())
        except (Conflict, InputError):
            return

    at_once([one] * CROWD)
    return len(through)


def test_fifty_orders_make_one_payment(visitor: Visitor, stage: Stage, app: Flask) -> None:
    page = visitor.look("/studio/buy/members")
    form = form_of(page)
    fields = form.fields | {"name": "Anna", "email": ANNA, "agree": "yes"}
    cookie = visitor.client.get_cookie("linkpay")
    assert cookie is not None
    same_browser = {"Cookie": f"linkpay={cookie.value}"}

    def press() -> int:
        client = app.test_client(use_cookies=False)
        return client.post(form.action, data=fields, headers=same_browser).status_code

    answers: list[int] = []
    at_once([lambda: answers.append(press())] * CROWD)
    assert set(answers) <= {303, 503, 200}, answers
    assert 303 in answers
    with stage.database.read() as tx:
        assert tx.query(Subscription).count() == 1
        assert tx.query(Payment).count() == 1
    assert len(stage.bank_view_list()) == 1


def test_ten_owners_who_leave_at_once_leave_one_behind(stage: Stage) -> None:
    site_id, now = stage.shop.site_id, stage.clock.now()
    with stage.database.write() as tx:
        people = [owners.owner_for(tx, f"eva{number}@example.com", now).id for number in range(10)]
        for person in people:
            owners.put_role(tx, site_id, person, Role.OWNER, now)

    def leave(person: int) -> None:
        with suppress(Conflict), stage.database.write() as tx:
            colleagues.change_role(tx, site_id, person, None, "owner:eva", now)

    at_once([partial(leave, person) for person in people])
    with stage.database.read() as tx:
        assert [role for _, role in owners.of_site(tx, site_id)] == [Role.OWNER]


def test_fifty_cancellations_are_one(stage: Stage) -> None:
    stage.buy(ANNA)
    held, now = stage.subscription(ANNA).id, stage.clock.now()

    def leave() -> object:
        with stage.database.write() as tx:
            return membership.cancel(
                tx, held, mode=CancelMode.PERIOD_END, on=None, reason="", actor="member", now=now
            )

    _crowd(leave)
    stage.work()
    assert stage.mail_kinds().count("cancel_confirmed") == 1
    stage.advance(days=35)
    assert len(stage.charges(ANNA)) == 1
    truth.check(stage)


def test_fifty_refunds_send_back_once(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=1)
    charge, names = stage.charges(ANNA)[0].id, iter(range(CROWD))

    def back() -> object:
        with stage.database.write() as tx:
            return refunds.order(tx, charge, None, f"by hand {next(names)}", "owner", stage.clock.now())

    assert _crowd(back) == 1
    stage.advance(days=3)
    with stage.database.read() as tx:
        assert tx.query(Refund).count() == 1
    assert stage.kept_cents() == 0


def test_fifty_looks_at_one_payment_book_it_once(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    stage.bank(stage.mollie_ids(charge.id)[0], "paid")
    for _ in range(5):
        stage.post(stage.mollie_ids(charge.id)[0])
    rows = stage.due()

    looks = itertools.cycle([partial(jobs.run, stage.parts, kind, row) for kind, row in rows])
    at_once(list(itertools.islice(looks, CROWD)))
    stage.work()
    with stage.database.read() as tx:
        assert tx.query(LedgerEntry).count() == 1
        assert [one.paid_cents for one in tx.query(Charge)] == [5000]


def test_fifty_billers_raise_one_charge(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.stop_watching()
    due = stage.subscription(ANNA).next_charge_on
    assert due is not None
    stage.clock.advance(timedelta(days=29))
    _crowd(lambda: billing.run(stage.database, stage.clock.now()))
    assert [charge.period for charge in stage.charges(ANNA)] == [0, 1]
    stage.work()
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
