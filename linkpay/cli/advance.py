"""Moving the sandbox's time so that nothing due is skipped: one moment at a time, each worked off.

Time only moves while nobody works. A job whose clock jumped would lose its lease and would not dare
to send what it holds (see `linkpay.domain.strokes`), and that is not what a calm month looks like.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from linkpay.cli.output import CommandFailed
from linkpay.cli.sandbox import Sandbox
from linkpay.domain.calendar import day_starts_at
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import announcing, billing
from linkpay.services.parts import Parts
from linkpay.store import agenda, due, notices, overview
from linkpay.store.tables import Inbox, Outbox

_LONGEST_STEP = timedelta(days=1)
#: Moments closer together than this are one step: the sweep that finds due work is no more punctual.
_SHORTEST_STEP = timedelta(seconds=5)
#: Work that failed this often waits for some ten minutes and more; its tries are gathered to these
#: marks, or a month without a mail server would be thousands of steps.
_STUBBORN, _MARK = 10, timedelta(minutes=15)
_CLOCKS_MAY_DIFFER = timedelta(seconds=10)
_BILLED = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING)
_PATIENCE = 60.0  # real seconds in which something must get done
#: Real seconds between two looks: a look costs the workers a turn at the processor, so while many rows
#: wait there are fewer of them.
_PAUSE, _PAUSE_PER_ROW, _LONGEST_PAUSE = 0.01, 0.002, 0.1
_RING_AGAIN = 0.5  # real seconds after which the same row is rung again
_RUNG_AT_ONCE = 500  # rows
_COUNT_AFTER = 0.5  # real seconds


@dataclass(slots=True)
class Tally:
    """What happened, by kind of event, and what waits for a person."""

    began_at: datetime
    now: datetime
    steps: int = 0
    events: dict[str, int] = field(default_factory=dict)
    debits: int = 0
    failed_payments: int = 0


Told = Callable[[Tally], None]


class _Account:
    """Keeps the tally of one journey and tells of it."""

    def __init__(self, parts: Parts, told: Told) -> None:
        self._parts = parts
        self._told = told
        self._counted_at = time.monotonic()
        with parts.database.read() as tx:
            self._event = self._counted = overview.newest_event(tx)
            self._debits = overview.debits(tx)
            self._failed = overview.payments_in(tx, "failed")
        now = parts.clock.now()
        self.tally = Tally(now, now)

    def tell(self) -> None:
        """Say what time it is; what happened is counted only now and then."""
        self.tally.now = self._parts.clock.now()
        if time.monotonic() - self._counted_at > _COUNT_AFTER:
            self._count()
        self._told(self.tally)

    def close(self) -> Tally:
        """The whole tally, counted from the start: an event may show up later than the one after it."""
        self._counted, self.tally.events = self._event, {}
        self._count()
        return self.tally

    def _count(self) -> None:
        """Add what happened since the last count; counting all of it each time would take over the year."""
        with self._parts.database.read() as tx:
            newest = overview.newest_event(tx)
            fresh = Counter(overview.events_after(tx, self._counted))
            self.tally.events = dict(fresh + Counter(self.tally.events))
            self._counted = newest
            self.tally.debits = overview.debits(tx) - self._debits
            self.tally.failed_payments = overview.payments_in(tx, "failed") - self._failed
        self._counted_at = time.monotonic()


class Advance:
    """One journey through time. `told` is called after every step, and in between when it takes long."""

    def __init__(self, parts: Parts, sandbox: Sandbox, told: Told, *, patience: float = _PATIENCE) -> None:
        self._parts = parts
        self._sandbox = sandbox
        self._account = _Account(parts, told)
        self._patience = patience
        self._rung: dict[tuple[str, int], float] = {}
        self._next_event: datetime | None = None  # of the sandbox, as of the last quiet moment
        self._seen: _Sight | None = None  # the last look since time moved

    def by(self, duration: timedelta) -> Tally:
        """Move time by `duration` and return when all due work is done.

        Raises CommandFailed when the clocks are not one, or when nothing gets done for a minute.
        """
        tally = self._account.tally
        target = tally.began_at + duration
        self._require_one_clock(self._sandbox.now())
        self._settle()
        while tally.now < target:
            self._step(self._parts.clock.now(), target)
            self._settle()
            tally.steps += 1
            self._account.tell()
        return self._account.close()

    def _require_one_clock(self, theirs: datetime) -> None:
        apart = abs(theirs - self._parts.clock.now())
        if apart > _CLOCKS_MAY_DIFFER:
            raise CommandFailed(
                "clocks_differ",
                f"The sandbox's clock and ours are {apart} apart. CLOCK_FILE must name the file it moves.",
            )

    def _step(self, now: datetime, target: datetime) -> None:
        """Move to the next moment at which anything is due, at most a day on."""
        moment = min(target, now + _LONGEST_STEP, *self._due_moments(now))
        moment = min(target, max(moment, now + _SHORTEST_STEP))
        left = moment - self._parts.clock.now()
        self._require_one_clock(self._sandbox.advance(max(0.0, left.total_seconds())))

    def _due_moments(self, now: datetime) -> list[datetime]:
        with self._parts.database.read() as tx:
            fresh, stubborn = agenda.next_tries_at(tx, tried=_STUBBORN)
            days = agenda.charge_days(tx, _BILLED, (now - _LONGEST_STEP).date())
            look_at = notices.next_look_at(tx)
        found = [fresh, _mark_after(stubborn) if stubborn else None, look_at]
        found += [day_starts_at(day, zone) for zone, day in days]
        found.append(self._next_event)
        return [moment for moment in found if moment is not None and moment > now]

    def _settle(self) -> None:
        """Wake the workers until nothing due is left, nobody works, and no webhook is on its way."""
        last, moved_at = None, time.monotonic()
        self._seen = None  # another day: whatever was quiet before
        while True:
            sight = self._look()
            if sight.is_quiet and self._sandbox_is_quiet() and self._look() == sight:
                self._rung.clear()
                return
            if sight != last:
                last, moved_at = sight, time.monotonic()
                self._account.tell()
            elif time.monotonic() - moved_at > self._patience:
                raise CommandFailed("not_done", sight.complaint(self._patience))
            time.sleep(min(_PAUSE + _PAUSE_PER_ROW * sight.rows, _LONGEST_PAUSE))

    def _look(self) -> "_Sight":
        """Ring for what is due, or else raise what is to be charged, and say how things stand."""
        now = self._parts.clock.now()
        with self._parts.database.read() as tx:
            busy = agenda.busy(tx, now)
            inbox = tuple(due.ids(tx, Inbox, now, _RUNG_AT_ONCE)) if busy.due else ()
            outbox = tuple(due.ids(tx, Outbox, now, _RUNG_AT_ONCE)) if busy.due else ()
        self._parts.database.ring(self._unrung("inbox", inbox), self._unrung("outbox", outbox))
        sight = _Sight(0, inbox, outbox, busy)
        # Where all was quiet and nothing came since, there is nothing new to raise either.
        if not sight.rows and sight != self._seen:
            sight = replace(sight, raised=self._turn(now))
        self._seen = sight
        return sight

    def _turn(self, now: datetime) -> int:
        """What the clock does: tell of debits to come, then raise what is due."""
        return announcing.run(self._parts.database, now) + billing.run(self._parts.database, now)

    def _unrung(self, kind: str, ids: tuple[int, ...]) -> list[int]:
        """Those that were not rung a moment ago."""
        now = time.monotonic()
        fresh = [row_id for row_id in ids if now - self._rung.get((kind, row_id), -1e9) > _RING_AGAIN]
        self._rung.update({(kind, row_id): now for row_id in fresh})
        return fresh

    def _sandbox_is_quiet(self) -> bool:
        """Whether no webhook could be delivered right now; those to be retried later wait for their time."""
        state = self._sandbox.state()
        event = state["next_event_at"]
        self._next_event = datetime.fromisoformat(event).astimezone(UTC) if event else None
        return bool(state["deliveries"]["ready"] == 0)


def _mark_after(moment: datetime) -> datetime:
    """The first mark at or after a moment."""
    return moment + (datetime.min.replace(tzinfo=UTC) - moment) % _MARK


@dataclass(frozen=True, slots=True)
class _Sight:
    """How things stood at one look. Two equal quiet ones with a quiet sandbox between: all is done.

    `busy` reaches to the newest rows, so work that came and went between the looks shows.
    """

    raised: int
    inbox: tuple[int, ...]
    outbox: tuple[int, ...]
    busy: agenda.Busy

    @property
    def rows(self) -> int:
        """How many rows are due or being worked on."""
        return len(self.inbox) + len(self.outbox) + self.busy.running

    @property
    def is_quiet(self) -> bool:
        return not (self.raised or self.rows)

    def complaint(self, seconds: float) -> str:
        due = len(self.inbox) + len(self.outbox)
        if due == 0 and self.busy.running == 0:
            return (
                f"The sandbox did not get its webhooks delivered within {seconds:.0f} s. Is the web running?"
            )
        return (
            f"Nothing got done for {seconds:.0f} s: {due} due, {self.busy.running} being worked on."
            " Is the worker running? `python -m linkpay doctor` tells."
        )
