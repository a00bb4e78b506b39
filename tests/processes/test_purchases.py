"""Processes die while 200 people pay: each of them is let in soon after what died is back."""

import random
import time
from datetime import timedelta

from tests.processes.machine import Machine
from tests.processes.patience import all_in
from tests.processes.shoppers import Order, Shop

BUYERS = 200
PER_SECOND = 40.0
N2 = 30.0  # seconds in which all is right after what was killed runs again


def all_in_time(shop: Shop, bought: list[Order], since: float) -> None:
    """Everybody is let in within N2 of a moment of `time.monotonic`, and paid once."""
    all_in(lambda: shop.outside(bought), N2 - (time.monotonic() - since))
    twice = {key: paid for key, paid in shop.payments_of_periods().items() if len(paid) > 1}
    assert not twice


def test_redis_killed_and_emptied_costs_no_webhook_and_no_buyer_her_access(
    shop: Shop, machine: Machine
) -> None:
    bought = shop.orders("redis", BUYERS)

    def kill(number: int) -> None:
        if number == BUYERS // 3:
            machine.kill("valkey")
            machine.empty_redis()

    shop.pay(bought, PER_SECOND, kill)
    machine.start("valkey")  # returns at its first answer to PING
    back_at = time.monotonic()
    all_in_time(shop, bought, back_at)
    answers = shop.webhook_answers(bought)
    assert len(answers) >= BUYERS
    assert set(answers) == {200}


def test_a_worker_killed_again_and_again_loses_nobody(shop: Shop, machine: Machine) -> None:
    bought = shop.orders("worker", BUYERS)
    moments = sorted(random.Random(4).sample(range(10, BUYERS), 4))

    def kill(number: int) -> None:
        if number in moments:
            machine.kill("worker")
            machine.start("worker")

    shop.pay(bought, PER_SECOND, kill)
    machine.kill("worker")
    machine.start("worker")
    all_in_time(shop, bought, time.monotonic())


def test_webhooks_that_met_a_dead_web_come_again_and_are_followed(shop: Shop, machine: Machine) -> None:
    bought = shop.orders("web", BUYERS)

    def kill(number: int) -> None:
        if number == BUYERS // 2:
            machine.kill("web")

    shop.pay(bought, PER_SECOND, kill)
    missed = shop.webhook_answers(bought).count(0)
    machine.start("web")
    back_at = time.monotonic()
    assert missed > 0, "the web was away while people paid"
    for minutes in (1, 2):  # Mollie's own retries come after a minute and after three
        shop.sandbox.advance(timedelta(minutes=minutes).total_seconds())
        time.sleep(1)
    all_in_time(shop, bought, back_at)
