"""A year of members with the whole product at work: ``python -m tests.bench.virtual_year [--members N]``.

Everything of `make run` as real processes in a folder of its own, with a worker for each core. Members buy
through the real pages on the days of one month, so that every day of the year has its debits; then time
moves a year on, by the very code of `clock advance`. A few debits bounce once and are tried again. At the end
the sandbox's books must show what a year owes them: every month paid once, nobody without access, nobody
charged twice.
"""

import argparse
import os
import sys
import time
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from linkpay.cli import demo
from linkpay.cli.advance import Advance, Tally
from linkpay.cli.buyer import Buyer, Wish
from linkpay.cli.sandbox import Sandbox
from tests.bench.figures import cpu_seconds, machine_line, say, shop_at_work
from tests.processes.patience import all_in
from tests.processes.shoppers import Shop

#: They join on so many days: short of a month, so that nobody is charged while others still join.
JOINING_DAYS = 28
#: A debit of the last days may still run at the end.
BANKS = timedelta(days=7)
_AT_ONCE = 4
_ZONE = ZoneInfo("Europe/Amsterdam")


class Stopwatch(Sandbox):
    """The sandbox's controls, with the seconds that each kind of call took."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.seconds: dict[str, float] = defaultdict(float)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        started = time.perf_counter()
        try:
            return super().ask(method, path, body)
        finally:
            self.seconds[path.partition("?")[0]] += time.perf_counter() - started


@dataclass
class Year:
    """One run: its shop, and who joined on which day."""

    shop: Shop
    members: int
    bounces: int
    sandbox: Stopwatch
    joined_on: dict[str, date] = field(default_factory=dict)

    def join(self) -> float:
        """Everybody buys through the pages and is let in; a day passes between the groups. Takes seconds."""
        started = time.perf_counter()
        emails = [f"member{number}@example.test" for number in range(self.members)]
        for day in range(JOINING_DAYS):
            group = emails[day::JOINING_DAYS]
            today = self.shop.parts.clock.now().astimezone(_ZONE).date()
            self.joined_on |= dict.fromkeys(group, today)
            self._buy(group)
            if day < JOINING_DAYS - 1:
                self.pass_by(timedelta(days=1))
        return time.perf_counter() - started

    def _buy(self, emails: Sequence[str]) -> None:
        address = f"{self.shop.parts.base_url}/{demo.SITE}/buy/{demo.OFFER}"
        wishes = [Wish(address, "monthly", "Anna de Vries", email, "ideal", "paid") for email in emails]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda wish: Buyer().buy(wish), wishes))
        all_in(lambda: len(set(emails) - self.shop.let_in()), 60)

    def foresee_bounces(self) -> None:
        """The first debit of some members will find no money; the next try does."""
        fate = {"next_debit": {"status": "failed", "reason": "AM04"}, "count": 1}
        customers = sorted({customer for customer, _ in self.shop.payments_of_periods()})
        for customer in customers[: self.bounces]:
            self.sandbox.ask("POST", f"customers/{customer}", fate)

    def pass_by(self, by: timedelta) -> Tally:
        """Let time pass as `clock advance` does."""
        return Advance(self.shop.parts, self.sandbox, lambda _tally: None).by(by)

    # What the providers' books say at the end -----------------------------------------------------

    def findings(self) -> list[str]:
        """Everything that is not as the year should have left it; empty when all is right."""
        now = self.shop.parts.clock.now()
        payments = self.sandbox.ask("GET", "state?include=payments")["payments"]
        found = [f"{email} has no access" for email in sorted(set(self.joined_on) - self.shop.let_in())]
        found += [f"{email} lost access on the way" for email in self._once_shut_out()]
        found += _doubles(payments)
        by_customer: dict[str, list[dict[str, Any]]] = {}
        for payment in payments:
            by_customer.setdefault(payment["customer_id"], []).append(payment)
        today = now.astimezone(_ZONE).date()
        wanted = Counter(_periods(joined, today) for joined in self.joined_on.values())
        had = Counter(sum(_is_good(one, now) for one in paid) for paid in by_customer.values())
        if wanted != had:
            found.append(f"periods paid: {dict(had)}, but owed were {dict(wanted)}")
        failed = sum(payment["status"] == "failed" for payment in payments)
        if failed != self.bounces:
            found.append(f"{failed} payments failed, foreseen were {self.bounces}")
        return found

    def _once_shut_out(self) -> list[str]:
        """Whoever was ever revoked: the bounces of this year all end well within grace."""
        members = self.sandbox.ask("GET", "kajabi/members")
        return [one["email"] for one in members if any(c["action"] != "activate" for c in one["calls"])]


def _periods(joined: date, today: date) -> int:
    """How many months have begun: counted by the calendar's months, not by the product's rules."""
    months = (today.year - joined.year) * 12 + today.month - joined.month
    day = min(joined.day, monthrange(today.year, today.month)[1])
    return months + (today.day >= day)


def _is_good(payment: dict[str, Any], now: datetime) -> bool:
    """Paid, or a debit of these days that still runs."""
    is_young = now - datetime.fromisoformat(payment["created_at"]) < BANKS
    return payment["status"] == "paid" or (payment["status"] == "pending" and is_young)


def _doubles(payments: Sequence[dict[str, Any]]) -> list[str]:
    """Periods for which more than one payment came in or still may."""
    seen = Counter((one["customer_id"], one["description"]) for one in payments if one["status"] != "failed")
    return [f"{who} was charged {times} times for {what}" for (who, what), times in seen.items() if times > 1]


def main() -> int:
    """Print the figures; 1 when the books are not right."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.virtual_year")
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--bounces", type=int, default=20, help="members whose first debit bounces once")
    parser.add_argument("--workers", type=int, default=2, help="worker processes, one for each core")
    parser.add_argument("--database", help="PostgreSQL to use; it must be empty. SQLite when not given")
    options = parser.parse_args()
    say(machine_line())
    with shop_at_work("year", options.database) as shop:
        shop.machine.start(*["worker"] * (options.workers - 1))
        sandbox = Stopwatch(shop.machine.settings.mollie_api_url)
        year = Year(shop, options.members, min(options.bounces, options.members), sandbox)
        found = _live(year, options.days)
    for line in found:
        say(f"WRONG: {line}")
    say(f"{len(found)} findings." if found else "The books are right.")
    return 1 if found else 0


def _live(year: Year, days: int) -> list[str]:
    """Join, let the year pass, tell how it went; what is wrong at the end."""
    seconds = year.join()
    say(f"{year.members} members joined in {seconds:.0f} s; load {os.getloadavg()[0]:.1f}")
    year.foresee_bounces()
    before, own, started = cpu_seconds(year.shop.machine), time.process_time(), time.perf_counter()
    year.sandbox.seconds.clear()
    tally = year.pass_by(timedelta(days=days))
    whole = time.perf_counter() - started
    spent = {name: now - before[name] for name, now in cpu_seconds(year.shop.machine).items()}
    spent["advance"] = time.process_time() - own
    happened = ", ".join(f"{number} {kind}" for kind, number in sorted(tally.events.items()))
    moving, asking = year.sandbox.seconds["clock"], year.sandbox.seconds["state"]
    say(f"{days} days passed in {whole:.0f} s, {tally.steps} steps; load {os.getloadavg()[0]:.1f}")
    say(f"  {tally.debits} debits, {tally.failed_payments} of them failed; {happened}")
    say(
        f"  moving the clock {moving:.0f} s, asking how the sandbox stands {asking:.0f} s,"
        f" the product's own work {whole - moving - asking:.0f} s"
    )
    say("  CPU seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in spent.items()))
    return year.findings()


if __name__ == "__main__":
    sys.exit(main())
