"""The whole product as real processes behind a bad line, its buyers, and its providers' own books."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from linkpay.cli import demo
from linkpay.cli.advance import Advance
from linkpay.cli.sandbox import Sandbox
from linkpay.services.parts import Parts
from linkpay.store import agenda, sites
from linkpay.store.tables import Payment
from linkpay.store.tables.money import Stroke
from tests.chaos.proxy import Proxy
from tests.processes.machine import ORDER, Machine, machine_running
from tests.processes.network import Network
from tests.processes.shoppers import Order, Shop

#: How many processes of each kind are to be at work.
WANTED = {"valkey": 1, "sandbox": 1, "web": 1, "worker": 2, "clock": 2}
LOST, TWICE, REORDERED = 0.10, 0.25, 0.05
_MOLLIE_WAITS = 15.0  # seconds for an answer to a webhook
_LOOK = 0.25  # seconds between two looks at a provider's books
MINUTE = 61.0  # seconds after which Mollie delivers again, and a look of ours is due
_LEAP, _REST = 20.0, 0.5  # seconds of a leap over work of ours, at most; and between two leaps


@dataclass
class Post:
    """One webhook that the driver posted once more, as Mollie may at any time."""

    status: int
    seconds: float


@dataclass
class Town:
    """One run's machine, line and people. Everything random comes from `dice`."""

    shop: Shop
    mollie: Proxy
    kajabi: Proxy
    dice: random.Random
    buyers: list[Order] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    #: What the sandbox did to its webhooks, by kind, over all plans of faults.
    webhook_faults: Counter[str] = field(default_factory=Counter)
    provider_faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    #: Attempts whose answer was lost: when that was first and last seen.
    unknowns: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    plans: int = 0
    #: Held by a storm over the database, until it is healed.
    holds: ExitStack = field(default_factory=ExitStack)

    @property
    def machine(self) -> Machine:
        return self.shop.machine

    @property
    def parts(self) -> Parts:
        return self.shop.parts

    @property
    def sandbox(self) -> Sandbox:
        return self.shop.sandbox

    # Processes ------------------------------------------------------------------------------------

    def kill(self, *names: str) -> None:
        """SIGKILL to all processes of these names at once."""
        for name in names:
            self.kills[name] += self.machine.count(name)
            self.machine.mourn(name)
            self.machine.kill(name)

    def restore(self) -> None:
        """As many processes of each name at work as are wanted."""
        for name in ORDER:
            self.machine.mourn(name)
            for _ in range(WANTED[name] - self.machine.count(name)):
                self.machine.start(name)

    # The sandbox's own disturbances ---------------------------------------------------------------

    def plan_faults(self, *provider: Mapping[str, Any]) -> None:
        """Webhooks that are lost, doubled and reordered at the known rates; and these faults of calls."""
        self.note_faults()
        self.sandbox.ask("DELETE", "faults")
        self.plans += 1
        seed = f"{self.dice.random()}:{self.plans}"
        # A fault is only asked when those before it let the delivery go.
        shares = {
            "webhook_lost": LOST,
            "webhook_twice": TWICE / (1 - LOST),
            "webhook_reordered": REORDERED / (1 - LOST - TWICE),
        }
        for kind, share in shares.items():
            self._fault({"target": "mollie", "kind": kind, "probability": share, "seed": seed})
        for fault in provider:
            self._fault({"seed": seed, **fault})

    def calm_faults(self) -> None:
        """No disturbance at all; what a reordering held goes out."""
        self.note_faults()
        self.sandbox.ask("DELETE", "faults")

    def _fault(self, fault: Mapping[str, Any]) -> None:
        self.sandbox.ask("POST", "faults", {"count": 1_000_000, **fault})

    def note_faults(self) -> None:
        """Count what the present plan of faults has done; call it once per plan."""
        for fault in self.sandbox.state()["faults"]:
            of = self.webhook_faults if fault["kind"].startswith("webhook") else self.provider_faults
            of[fault["kind"]] += fault["hits"]

    # People and time ------------------------------------------------------------------------------

    def order(self, name: str, count: int) -> list[Order]:
        """Orders of new buyers who will pay now."""
        made = self.shop.orders(name, count)
        self.buyers += made
        return made

    def post_again(self, count: int) -> None:
        """Post webhooks about any of the payments so far once more, as Mollie may at any time."""
        with self.parts.database.read() as tx:
            site = sites.by_slug(tx, demo.SITE)
            assert site is not None
        address = f"{self.parts.base_url}/webhooks/mollie/{site.token}"
        with requests.Session() as session:
            for order in self.dice.choices(self.buyers, k=count):
                started = time.monotonic()
                try:
                    status = session.post(
                        address, data={"id": order.payment}, timeout=_MOLLIE_WAITS
                    ).status_code
                except requests.RequestException:
                    status = 0
                self.posts.append(Post(status, time.monotonic() - started))

    def lost(self, orders: Sequence[Order]) -> set[str]:
        """Which of these payments' webhooks the sandbox lost for good."""
        subjects = {one.payment for one in orders}
        return {
            each["subject"]
            for each in self.sandbox.ask("GET", "deliveries")
            if each["subject"] in subjects and each["state"] in ("lost", "given_up")
        }

    def wait(self, missing: Callable[[], int], within: float, *, step: float = 0.0) -> float | None:
        """Seconds until nothing is missing; None when something still is after `within`.

        Webhooks that met nobody come again a minute later: the clock is moved for them, rather than waited
        for. With `step` it is moved on by so many seconds, whatever is missing. It moves while nobody works.
        """
        started, moved_at = time.monotonic(), time.monotonic()
        while missing():
            now = time.monotonic()
            if now - started > within:
                return None
            is_wanted = now - moved_at > _REST and (step or self.sandbox.state()["deliveries"]["retrying"])
            if is_wanted and (idle := self._idle(step or MINUTE)):
                self.sandbox.advance(idle)
                moved_at = time.monotonic()
            self.watch_unknowns()
            time.sleep(_LOOK)
        return time.monotonic() - started

    def _idle(self, most: float) -> float:
        """For how many seconds time may move: for none while anything of ours is due or in the air.

        A call that hangs for ten seconds would be one of seven minutes to whom it is about, in leaps.
        """
        now = self.parts.clock.now()
        with self.parts.database.read() as tx:
            busy = agenda.busy(tx, now)
            fresh, stubborn = agenda.next_tries_at(tx, tried=10)
        if busy.due or busy.running:
            return 0.0
        return min([most] + [max(_LEAP, (at - now).total_seconds()) for at in (fresh, stubborn) if at])

    def travel(self, by: timedelta) -> None:
        """Let time pass calmly, stopping at every moment at which something is due."""
        Advance(self.parts, self.sandbox, lambda _tally: None, patience=120).by(by)

    def watch_unknowns(self) -> None:
        """Note which attempts wait for an answer of Mollie's that was lost, and since when."""
        now = self.parts.clock.now()
        for uid in self.without_an_answer():
            began_at, _ = self.unknowns.get(uid, (now, now))
            self.unknowns[uid] = began_at, now

    def without_an_answer(self) -> set[str]:
        """Attempts of which we do not know whether Mollie took them."""
        with self.parts.database.read() as tx:
            return {one.uid for one in tx.query(Payment).filter_by(stroke=Stroke.UNKNOWN)}


@contextmanager
def town(folder: Path, database_url: str, seed: int, network: Network | None = None) -> Iterator[Town]:
    """Everything of `make run` at work, on hosts of a network if given, with a proxy before each provider."""
    hub = network.hub if network else "127.0.0.1"
    with ExitStack() as held:
        lines: list[Proxy] = []

        def detour(sandbox_port: int) -> Mapping[str, str]:
            lines.extend(held.enter_context(Proxy(sandbox_port, seed + n, address=hub)) for n in (1, 2))
            mollie, kajabi = (f"{hub}:{line.port}" for line in lines)
            return {
                "MOLLIE_API_URL": f"http://{mollie}",
                "KAJABI_API_URL": f"http://{kajabi}/kajabi",
                "KAJABI_WEBHOOK_HOSTS": kajabi,
            }

        machine, parts = held.enter_context(
            machine_running(folder, database_url, detour=detour, network=network)
        )
        machine.start("worker", "clock")
        yield Town(Shop(machine, parts), lines[0], lines[1], random.Random(seed))
