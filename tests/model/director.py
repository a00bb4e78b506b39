"""What may happen at any boundary of the product's code: it dies, it is paused, somebody else works
meanwhile, or the call that follows goes wrong in one of the sandbox's ways.

A boundary is the beginning of a writing transaction, the moment before its commit or after it, and the moment
before or after a call to Mollie, Kajabi or the mail server.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from linkpay.errors import Retryable
from tests.flows.crash import Boundaries, Killed
from tests.flows.stage import Stage
from workers import jobs, sweep

CALL_FAULTS = (
    "status:429", "status:500", "status:502", "status:503", "timeout_before", "timeout_after", "reset_before",
    "reset_after", "accepted_202", "html", "html_after",
)  # fmt: skip
#: A read may also find nothing at first: Mollie does not promise to show at once what it has just made.
READS = frozenset(
    {"fetch_payment", "fetch_mandate", "list_customer_payments", "list_mandates", "list_payment_refunds",
     "list_chargebacks", "list_refunds", "list_methods"}
)  # fmt: skip
#: In seconds: longer than a claim may wait, longer than a lease, longer than Mollie honours a key.
PAUSES = {"paused 40 s": 40, "paused 20 min": 20 * 60, "paused 70 min": 70 * 60}
#: Nobody can take back what a process sends that froze between its last look at the clock and the call: when
#: it thaws, Mollie has forgotten its key, and another may have gone on. So the money may come twice.
THAWED = ("paused 70 min", "before create_payment")
DEATH, OTHER, MAIL = "killed", "another worker", "mail refused"
_MOLLIE = READS | {
    "create_customer", "create_payment", "cancel_payment", "refund", "revoke_mandate", "cancel_subscription",
    "create_subscription", "list_payments", "list_subscriptions",
}  # fmt: skip


def kinds(boundary: str) -> list[str]:
    """Everything that can happen at a boundary of this name."""
    when, _, what = boundary.partition(" ")
    if what in ("the transaction", "the commit"):
        inside = boundary == "before the commit"
        # Nobody else can write inside of somebody's transaction.
        return [DEATH] if inside else [DEATH, *PAUSES, OTHER]
    found = [DEATH, *PAUSES, OTHER]
    if when == "before" and what == "send":
        found.append(MAIL)
    elif when == "before":
        found += CALL_FAULTS
        found += ["not_found_once"] if what in READS else []
    return found


class Director(Boundaries):
    """Counts boundaries, and lets one thing happen at each that it was told to."""

    def __init__(self) -> None:
        super().__init__()
        self.stage: Stage | None = None
        self.plan: dict[int, str] = {}
        #: Asked at each boundary without a plan, for what is to happen there; None for nothing.
        self.chance: Callable[[str], str | None] = lambda _name: None
        self.covered: Counter[tuple[str, str]] = Counter()
        self.met: Counter[str] = Counter()
        self._busy = False

    def begin(self, stage: Stage, plan: dict[int, str] | None = None) -> None:
        """Count from now on, on this stage; `plan` says what happens at which boundary, from 1."""
        self.arm(0)
        self.stage, self.plan, self._busy = stage, plan or {}, False

    def rest(self) -> None:
        """Nothing happens any more."""
        self.plan = {}
        self.chance = lambda _name: None

    def cross(self, name: str) -> None:
        super().cross(name)
        self.met[name] += 1
        if self._busy or self.stage is None:
            return
        kind = self.plan.get(len(self.crossed)) or self.chance(name)
        # What went wrong before may have led elsewhere than where the plan was made.
        if kind is not None and kind in kinds(name):
            self.covered[name, kind] += 1
            self._happen(self.stage, name, kind)

    def _happen(self, stage: Stage, name: str, kind: str) -> None:
        if kind == DEATH:
            raise Killed(name)
        if kind == MAIL:
            raise Retryable("the mail server is away")
        if kind in PAUSES:
            stage.pass_time(timedelta(seconds=PAUSES[kind]))
        if kind in PAUSES or kind == OTHER:
            self._work(stage)
            return
        target = "mollie" if name.partition(" ")[2] in _MOLLIE else "kajabi"
        stage.disturb(kind, target=target)

    def _work(self, stage: Stage) -> None:
        """Another process takes whatever is due now, while this one is held up."""
        self._busy = True
        try:
            sweep.turn(stage.parts)
            for kind, row_id in stage.due():
                jobs.run(stage.parts, kind, row_id)
        finally:
            self._busy = False
