"""What a collector of figures is told: the state of the service now, and what was counted since it began."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.domain.invariants import Broken
from linkpay.store import counters, measures, progress
from linkpay.store.db import Tx
from linkpay.store.measures import Waiting

#: Upper ends of the classes in which payments to access are counted, in seconds.
BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 120, 360, 3600)
PAID_TO_GRANTED, SUM, ERRORS = "paid_to_granted", "paid_to_granted_ms", "provider_error"
#: Access that was given this long after the last payment was not given because of it.
_BECAUSE_OF_IT = timedelta(days=1)
_EVENTS = 2000
#: Longer than a transaction takes.
_SETTLED = timedelta(minutes=1)
#: A clock that was not heard for longer is silent: it beats every five seconds.
SILENT = timedelta(seconds=60)
_IN_STEP_WITHIN = timedelta(seconds=30)
CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many fell at or below each upper end (text, in order, ``+Inf`` last), and their sum in seconds."""

    buckets: tuple[tuple[str, int], ...]
    total_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Ages are seconds; maps go from a label to a number."""

    inbox_age_s: Mapping[str, float]
    inbox_waiting: Mapping[str, int]
    outbox_age_s: Mapping[str, float]
    outbox_due: Mapping[str, int]
    outbox_failing: Mapping[str, int]
    parked: Mapping[str, int]
    attention: Mapping[str, int]
    broken: Mapping[str, int]
    grants_behind: int
    charges_overdue: int
    sites: Mapping[str, int]
    provider_errors: Mapping[str, int]
    paid_to_granted: Histogram
    checked_at: Mapping[str, datetime]
    clock_at: datetime | None


def figures(tx: Tx, now: datetime, set_aside: Mapping[str, Waiting]) -> Figures:
    """All figures at one moment, of messages also those that were `set_aside`.

    Instants are the machine's, ages the product's.
    """
    messages = _with(measures.messages_waiting(tx), set_aside)
    due, asked = measures.work_due(tx, now), measures.attention(tx)
    rounds = {
        "changes": progress.find(tx, "invariants.events"),
        "everything": progress.find(tx, "invariants.full"),
    }
    beat = progress.find(tx, CLOCK)
    return Figures(
        inbox_age_s={source: _age(row.oldest_at, now) for source, row in messages.items()},
        inbox_waiting={source: row.number for source, row in messages.items()},
        outbox_age_s={kind: _age(row.oldest_at, now) for kind, row in due.items()},
        outbox_due={kind: row.number for kind, row in due.items()},
        outbox_failing=measures.work_failing(tx),
        parked=measures.parked(tx),
        attention=asked,
        broken={kind.value: asked.get(kind.value, 0) for kind in Broken},
        grants_behind=measures.grants_behind(tx, now - _IN_STEP_WITHIN),
        charges_overdue=measures.charges_overdue(tx, now, 1),
        sites=measures.sites_by_state(tx),
        provider_errors=counters.all_of(tx, ERRORS),
        paid_to_granted=_histogram(tx),
        checked_at={name: row.machine_at for name, row in rounds.items() if row is not None},
        clock_at=beat.machine_at if beat else None,
    )


def _with(ones: Mapping[str, Waiting], others: Mapping[str, Waiting]) -> dict[str, Waiting]:
    """What waits in either of two places."""
    both = {
        name: Waiting(
            ones[name].number + others[name].number, min(ones[name].oldest_at, others[name].oldest_at)
        )
        for name in ones.keys() & others.keys()
    }
    return {**ones, **others, **both}


def _age(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds())


def _histogram(tx: Tx) -> Histogram:
    counted, reached, buckets = counters.all_of(tx, PAID_TO_GRANTED), 0, []
    for end in (*map(_label, BUCKETS), "+Inf"):
        reached += counted.get(end, 0)
        buckets.append((end, reached))
    return Histogram(tuple(buckets), counters.all_of(tx, SUM).get("", 0) / 1000)


def _label(end: float) -> str:
    return f"{end:g}"


def count_granted(tx: Tx, now: datetime, machine_now: datetime) -> int:
    """Count how long payments took to become access, in the events since the last time."""
    last = progress.number(tx, PAID_TO_GRANTED)
    mark, seconds = measures.granted(tx, last, _EVENTS, now - _SETTLED)
    progress.put(tx, PAID_TO_GRANTED, mark, now, machine_now)
    timely = [one for one in seconds if one <= _BECAUSE_OF_IT.total_seconds()]
    for one in timely:
        end = next((_label(end) for end in BUCKETS if one <= end), "+Inf")
        counters.add(tx, PAID_TO_GRANTED, end, now)
    if timely:
        counters.add(tx, SUM, "", now, round(sum(timely) * 1000))
    return len(timely)


def clock_answers(tx: Tx, machine_now: datetime) -> bool:
    """Whether a clock process was heard of lately."""
    beat = progress.find(tx, CLOCK)
    return beat is not None and machine_now - beat.machine_at <= SILENT
