"""Away for a day while many pay, and then Kajabi is: ``python -m tests.chaos.outage [--buyers N]``.

The product's real processes. Web, worker and clock are gone; everybody pays, and Mollie posts until it gives
up. When they are back all of it must be found out, though no message ever comes, while Kajabi does not
answer. When it answers again all must get in, and nobody may have been charged twice.
"""

import argparse
import sys
import time

from tests.bench.figures import machine_line, say, shop_at_work
from tests.processes.patience import all_in, until
from tests.processes.shoppers import Shop

_AWAY = ("clock", "worker", "web")
_HOUR, _HOURS = 3_600, 27  # Mollie's last try comes 26 hours after its first
_PAYING = 100.0  # buyers a second
#: Seconds: everything paid is known, and everybody is in once Kajabi answers, beside so many a second.
_KNOWN_WITHIN, _IN_WITHIN, _PER_SECOND = 600.0, 120.0, 50.0


def main() -> int:
    """Print the figures; exit status 1 when anything was too late or anybody was charged twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.outage")
    parser.add_argument("--buyers", type=int, default=5_000)
    parser.add_argument("--database", help="PostgreSQL to use; it must be empty. SQLite when not given")
    options = parser.parse_args()
    say(machine_line())
    with shop_at_work("outage", options.database) as shop:
        return _outage(shop, options.buyers)


def _outage(shop: Shop, buyers: int) -> int:
    bought = shop.orders("away", buyers)
    for name in _AWAY:
        shop.machine.kill(name)
    say(f"{buyers} orders; nobody is at work any more")
    shop.pay(bought, _PAYING)
    for _ in range(_HOURS):
        until(lambda: not shop.sandbox.state()["deliveries"]["ready"], _KNOWN_WITHIN)
        shop.sandbox.advance(_HOUR)
    say(f"all paid, and Mollie gave up: {shop.sandbox.state()['deliveries']}")
    shop.sandbox.ask("POST", "faults", {"target": "kajabi", "kind": "status:503", "count": 1_000_000})
    shop.machine.start(*reversed(_AWAY))
    known = all_in(lambda: buyers - shop.paid(0), _KNOWN_WITHIN)
    say(f"all are known to have paid {known:.1f} s after the start; {shop.outside(bought)} wait for Kajabi")
    shop.sandbox.ask("DELETE", "faults")
    limit = _IN_WITHIN + buyers / _PER_SECOND
    let_in = all_in(lambda: shop.outside(bought), limit)
    say(f"all are in {let_in:.1f} s after Kajabi answered again (limit {limit:.0f})")
    time.sleep(1)
    twice = [key for key, payments in shop.payments_of_periods().items() if len(payments) > 1]
    say(f"{len(twice)} paid twice." if twice else "Nobody paid twice.")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
