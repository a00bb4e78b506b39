"""The same act for many members: seen before it is begun, done one by one, and found again.

Each member is a transaction of her own, in which the act and the word of what came of it are written
together: however often the work is cut off and begun again, nobody is done twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from linkpay.domain.charge import UNSETTLED
from linkpay.domain.leaving import CancelMode
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import debts, membership, pausing, price_changes
from linkpay.store import bulk as store
from linkpay.store import charges, selection, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.selection import Filter, Meant
from linkpay.store.tables import BulkRun

#: How many members one piece of work does, so that several workers share a run.
BATCH = 50
#: So many are tried for a preview: more would keep everybody else waiting on SQLite.
_TRIED = 100
DONE = "done"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: the name of an act, and what some acts need: a day, or a price in cents.

    `batch` is the name of the decision that a price belongs to.
    """

    act: str
    day: date | None = None
    keeps_access: bool | None = None
    reason: str = ""
    cents: int = 0
    batch: str = ""

    def plain(self) -> dict[str, Any]:
        """As it is kept with a run."""
        return {
            "day": self.day.isoformat() if self.day else None, "keeps_access": self.keeps_access,
            "reason": self.reason, "cents": self.cents, "batch": self.batch,
        }  # fmt: skip


def order_of(act: str, kept: Mapping[str, Any]) -> Order:
    """An order as it was kept."""
    day = kept.get("day")
    return Order(
        act, date.fromisoformat(day) if day else None, kept.get("keeps_access"), kept.get("reason") or "",
        kept.get("cents") or 0, kept.get("batch") or "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """How many are meant, how many of them were tried, and what would come of those.

    `refused` counts by the code of the refusal.
    """

    total: int
    tried: int
    done: int
    refused: Mapping[str, int] = field(default_factory=dict)


def _cancel(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> None:
    mode = CancelMode.DATE if order.day else CancelMode.PERIOD_END
    membership.cancel(tx, number, mode=mode, on=order.day, reason=order.reason, actor=actor, now=now)


def _extend(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> None:
    failed = [
        charge
        for charge in charges.of_subscription(tx, number)
        if charge.failed_at is not None and charge.state in UNSETTLED
    ]
    if not failed or order.day is None:
        raise Conflict("not_failing", "No failed payment of this subscription is being asked for.")
    for charge in failed:
        debts.extend(tx, charge.id, order.day, actor, now)


def _pause(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> None:
    if order.day is None:
        raise InputError("no_date", "Fill in a day.", "day")
    pausing.pause(tx, number, resume_on=order.day, keeps_access=order.keeps_access, actor=actor, now=now)


def _resume(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> None:
    if subscriptions.get(tx, number).pause_on is None:
        raise Conflict("nothing_runs", "There is no pause that could end.")
    pausing.resume(tx, number, actor, now)


def _price(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> None:
    site = sites.get(tx, subscriptions.get(tx, number).site_id)
    told = price_changes.announce(tx, site, number, order.cents, order.batch, actor, now)
    if told.left_out is not None:
        raise Conflict(f"price_{told.left_out.value}", "This member keeps the price that she has.")


def _price_back(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> None:
    is_back = price_changes.withdraw(tx, number, order.batch, actor, now)
    if not is_back and price_changes.counts(tx, number, order.batch):
        raise Conflict("price_counts", "The new price counts for this member already.")


Act = Callable[[Tx, int, Order, str, datetime], None]
#: What can be done for whomever a filter means.
FOR_MANY: Mapping[str, Act] = {"cancel": _cancel, "extend": _extend, "pause": _pause, "resume": _resume}
#: Prices are decided for a plan, and only by who manages the site.
ACTS: Mapping[str, Act] = {**FOR_MANY, "price": _price, "price_back": _price_back}
#: Acts that make no sense without a day.
NEEDS_DAY = frozenset({"extend", "pause"})


def check(order: Order) -> None:
    """Raise InputError for an order that nobody could be done by."""
    if order.act not in FOR_MANY:
        raise InputError("act_unknown", f"Choose one of: {', '.join(FOR_MANY)}.", "act")
    if order.act in NEEDS_DAY and order.day is None:
        raise InputError("no_date", "Fill in a day.", "day")


def preview(tx: Tx, site_id: int, wanted: Filter, order: Order, actor: str, now: datetime) -> Preview:
    """What would come of it, tried on the newest of those who are meant.

    To be called in a transaction that is taken back.
    """
    check(order)
    of = selection.meant(tx, site_id, wanted)
    total, tried = selection.count(tx, of), selection.numbers(tx, of, limit=_TRIED)
    refused: dict[str, int] = {}
    for number in tried:
        outcome = _try(tx, number, order, actor, now)
        if outcome != DONE:
            refused[outcome] = refused.get(outcome, 0) + 1
    return Preview(total, len(tried), len(tried) - sum(refused.values()), refused)


def start(tx: Tx, site_id: int, wanted: Filter, order: Order, actor: str, now: datetime) -> BulkRun:
    """Begin a run over everybody who is meant now; later ones are not. Raises InputError and Conflict."""
    check(order)
    return begin(tx, selection.meant(tx, site_id, wanted), order, actor, now, kept=wanted.plain())


def begin(
    tx: Tx, of: Meant, order: Order, actor: str, now: datetime, *, kept: Mapping[str, Any] | None = None
) -> BulkRun:
    """The same for any choice of subscriptions; `kept` says how they were chosen. Raises Conflict."""
    run = store.begin(
        tx, site_id=of.site_id, act=order.act, actor=actor, wanted=dict(kept or {}), params=order.plain(),
        created_at=now,
    )  # fmt: skip
    batches = store.fill(tx, run, of, BATCH)
    if run.total == 0:
        raise Conflict("nobody_meant", "Nobody fits that.")
    for batch in range(batches):
        work.add(
            tx, site_id=of.site_id, kind="bulk_batch", ref=f"{run.id}:{batch}", target_id=run.id, run_at=now,
            now=now,
        )  # fmt: skip
    return run


def find(tx: Tx, site_id: int, run_id: int) -> BulkRun:
    """A run of this site. Raises NotFound."""
    run = store.of_site(tx, site_id, run_id)
    if run is None:
        raise NotFound("run_unknown", "There is no such run.")
    return run


def do_item(tx: Tx, item_id: int, now: datetime) -> None:
    """Do one member of a run and write down what came of it; done before, it changes nothing."""
    item = store.take(tx, item_id)
    if item is None:
        return
    run = store.run_of(tx, item.run_id)
    if run.stopped_at is not None:
        item.outcome = "stopped"
        return
    order = order_of(run.act, run.params)
    item.outcome = _try(tx, item.subscription_id, order, run.actor, now)
    item.done_at = now


def stop(tx: Tx, site_id: int, run_id: int, now: datetime) -> None:
    """Do nobody any more who was not done yet."""
    run = find(tx, site_id, run_id)
    run.stopped_at = run.stopped_at or now


def _try(tx: Tx, number: int, order: Order, actor: str, now: datetime) -> str:
    """Do it for one; ``done``, or the code of why not, and then nothing of it stays."""
    try:
        with tx.begin_nested():
            ACTS[order.act](tx, number, order, actor, now)
    except InputError as problem:
        return str(problem.code)[:40]
    return DONE
