"""Many buyers within seconds: ``python -m tests.bench.rush [--buyers N] [--per-second N]``.

Everything of `make run` as real processes, one worker. When the last order is paid it tells how long it takes
until everybody is let in, how many mails left until then, and what that took of the processor.
"""

import argparse
import os
import sys
import time

from sqlalchemy import func, select

from linkpay.store.tables import Outbox
from tests.bench.figures import cpu_seconds, machine_line, say, shop_at_work
from tests.processes.patience import all_in
from tests.processes.shoppers import Shop

_PATIENCE = 300.0  # seconds


def main() -> int:
    """Print the figures; 1 when anybody was charged twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rush")
    parser.add_argument("--buyers", type=int, default=200)
    parser.add_argument("--per-second", type=float, default=40.0)
    parser.add_argument("--database", help="PostgreSQL to use; it must be empty. SQLite when not given")
    options = parser.parse_args()
    say(machine_line())
    with shop_at_work("rush", options.database) as shop:
        return _rush(shop, options.buyers, options.per_second)


def _rush(shop: Shop, buyers: int, per_second: float) -> int:
    bought = shop.orders("rush", buyers)
    before, load = cpu_seconds(shop.machine), os.getloadavg()[0]
    started = time.monotonic()
    shop.pay(bought, per_second)
    paid = time.monotonic() - started
    waited = all_in(lambda: shop.outside(bought), _PATIENCE)
    spent = {name: now - before[name] for name, now in cpu_seconds(shop.machine).items()}
    with shop.parts.database.read() as tx:
        mails = tx.scalar(
            select(func.count(Outbox.id)).where(Outbox.kind == "send_mail", Outbox.done_at.is_not(None))
        )
    say(f"{buyers} paid in {paid:.1f} s, the last one let in {waited:.1f} s later; load {load:.1f}")
    say(f"  {mails} mails left until then")
    say("  CPU seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items()))
    twice = [key for key, payments in shop.payments_of_periods().items() if len(payments) > 1]
    say(f"{len(twice)} paid twice." if twice else "Nobody paid twice.")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
