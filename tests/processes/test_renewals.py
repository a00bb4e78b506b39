"""A hundred members are due at once, and the processes that charge them die, freeze, double or compete."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
import requests
from sqlalchemy import func, select

from linkpay.domain.calendar import day_starts_at
from linkpay.store import sites
from linkpay.store.tables import Inbox, Subscription
from tests.processes.machine import Machine
from tests.processes.patience import all_in, until
from tests.processes.shoppers import Order, Shop

MEMBERS = 100
N2 = 30.0  # seconds in which all is right after what was killed runs again
MOLLIE_WAITS = 15.0  # seconds for an answer to a webhook; we want far less
# In which every debit comes to its end: over Easter, banks take a week for what they else do in two days.
BANKS = timedelta(days=10)


@dataclass
class Club:
    """The members of a shop, and the last period that they were asked to pay."""

    shop: Shop
    members: list[Order]
    period: int = 0

    def come_due(self) -> None:
        """Move time to the day on which all are due, while nobody works."""
        self.shop.machine.stop("clock", "worker")
        with self.shop.parts.database.read() as tx:
            due_on = tx.scalar(select(func.max(Subscription.next_charge_on)))
        assert due_on is not None
        left = day_starts_at(due_on, "Europe/Amsterdam") - self.shop.parts.clock.now()
        self.shop.sandbox.advance(left.total_seconds() + 60)
        self.period += 1

    def not_debited(self) -> int:
        """Of how many members Mollie has not confirmed this period's debit."""
        return MEMBERS - self.shop.debits(self.period)

    def not_paid(self) -> int:
        """Of how many members this period's charge is not booked as paid."""
        return MEMBERS - self.shop.paid(self.period)

    def let_banks_pay(self) -> None:
        """Move time until the banks have paid every debit."""
        self.shop.sandbox.advance(BANKS.total_seconds())

    def is_right(self) -> None:
        """One payment per charge at Mollie, all of them paid, and everybody is let in."""
        all_in(self.not_paid, N2)
        assert set(map(tuple, self.shop.payments_of_periods().values())) == {("paid",)}
        assert self.shop.outside(self.members) == 0

    def token(self) -> str:
        """What the site's webhook address ends with."""
        with self.shop.parts.database.read() as tx:
            site = sites.by_slug(tx, "demo")
        assert site is not None
        return site.token

    def messages_done(self) -> int:
        """How many messages of the inbox are followed up."""
        with self.shop.parts.database.read() as tx:
            return tx.scalar(select(func.count(Inbox.id)).where(Inbox.done_at.is_not(None))) or 0


@pytest.fixture(scope="module")
def module_club(module_shop: Shop) -> Club:
    """A hundred members with valid mandates, who paid their first month."""
    members = module_shop.orders("member", MEMBERS)
    module_shop.pay(members, 50.0)
    all_in(lambda: module_shop.outside(members), 60)
    return Club(module_shop, members)


@pytest.fixture
def club(shop: Shop, module_club: Club) -> Club:
    """The members on a machine that is whole."""
    assert shop is module_club.shop
    return module_club


def test_a_worker_killed_again_and_again_debits_everybody_once(club: Club, machine: Machine) -> None:
    chance = random.Random(5)
    club.come_due()
    machine.start("clock", "worker")
    for _ in range(3):
        time.sleep(chance.uniform(0.3, 1.5))
        machine.kill("worker")
        machine.start("worker")
    all_in(club.not_debited, N2)
    with ThreadPoolExecutor(1) as pool:
        banks = pool.submit(club.let_banks_pay)
        for _ in range(2):
            time.sleep(chance.uniform(0.3, 1.0))
            machine.kill("worker")
            machine.start("worker")
        banks.result()
    club.is_right()


def test_two_clocks_and_two_workers_debit_everybody_once(club: Club, machine: Machine) -> None:
    club.come_due()
    machine.start("worker", "worker", "clock", "clock")
    all_in(club.not_debited, N2)
    club.let_banks_pay()
    club.is_right()


def test_a_worker_that_froze_for_longer_than_its_leases_charges_nobody_twice(
    club: Club, machine: Machine
) -> None:
    club.come_due()
    machine.start("worker", "clock")
    until(lambda: club.shop.debits(club.period) > MEMBERS // 10, N2)
    machine.pause("worker")
    club.shop.sandbox.advance(61)  # its leases are over, and it must not send what it holds
    machine.start("worker")
    time.sleep(3)
    machine.go_on("worker")
    time.sleep(3)  # what it still holds is on the wire within seconds, not after the days that follow here
    all_in(club.not_debited, N2)
    club.let_banks_pay()
    club.is_right()


def test_a_burst_of_webhooks_starves_no_writer(club: Club, machine: Machine) -> None:
    club.come_due()
    machine.start("worker", "worker", "clock")
    turned_at = machine.life_sign.stat().st_mtime
    done_before, began = club.messages_done(), time.monotonic()
    answers = burst_of(1000, club)
    while club.messages_done() == done_before:  # a quick edge takes them in before a worker looked
        assert time.monotonic() - began < N2, "the workers do not go on while messages come"
        answers += burst_of(100, club)
    assert {status for status, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < 4
    until(lambda: machine.life_sign.stat().st_mtime > turned_at, 15)
    all_in(club.not_debited, N2)
    club.let_banks_pay()
    club.is_right()
    assert "database is locked" not in machine.logs()
    assert "LockTimeout" not in machine.logs()


def burst_of(count: int, club: Club) -> list[tuple[int, float]]:
    """Webhooks of members in turn, sixteen at once; returns the status and seconds of each."""
    address = f"{club.shop.parts.base_url}/webhooks/mollie/{club.token()}"
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))

    def post(number: int) -> tuple[int, float]:
        started = time.monotonic()
        payment = club.members[number % MEMBERS].payment
        answer = session.post(address, data={"id": payment}, timeout=MOLLIE_WAITS)
        return answer.status_code, time.monotonic() - started

    with session, ThreadPoolExecutor(16) as pool:
        return list(pool.map(post, range(count)))
