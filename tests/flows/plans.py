"""More plans for a stage's shop, and what a member or her owner decides there."""

from datetime import date, timedelta
from typing import Any

from linkpay.domain.calendar import Unit
from linkpay.domain.leaving import CancelMode, Leaving
from linkpay.domain.pausing import Pausing
from linkpay.domain.plan import PlanKind
from linkpay.domain.switching import Switch
from linkpay.services import membership, pausing, reactivation, switching
from linkpay.services.consent import Yes
from linkpay.store import sites
from linkpay.store.tables import Plan
from tests.flows.stage import Stage

MONTH, QUARTER, YEAR = (Unit.MONTH, 1), (Unit.MONTH, 3), (Unit.YEAR, 1)


def add_plan(stage: Stage, slug: str, cents: int, interval: tuple[Unit, int] = MONTH, **values: Any) -> int:
    """A membership of the shop's offer; its id."""
    unit, count = interval
    with stage.database.write() as tx:
        plan = Plan(
            site_id=stage.shop.site_id, offer_id=stage.shop.offer_id, slug=slug, title=slug,
            created_at=stage.clock.now(), kind=PlanKind.MEMBERSHIP, amount_cents=cents, interval_unit=unit,
            interval_count=count,
        )  # fmt: skip
        for name, value in values.items():
            setattr(plan, name, value)
        tx.add(plan)
        tx.flush()
        return plan.id


def reach_debit(stage: Stage, plan: str = "monthly", email: str = "anna@example.com") -> str:
    """Bought, and the second period's debit runs; its id at Mollie."""
    due_on = stage.buy(email, plan).next_charge_on
    assert due_on is not None
    stage.advance(days=(due_on - stage.clock.now().date()).days - 1)
    while len(stage.charges(email)) < 2:
        stage.advance(hours=12)
    return stage.mollie_ids(stage.charges(email)[1].id)[0]


def stay_in(stage: Stage, days: int, email: str = "anna@example.com") -> None:
    """So many days pass, and she has access after every moment at which anything happens."""

    def look(stage: Stage) -> None:
        assert stage.has_access(email), stage.clock.now()

    stage.advance_to(stage.clock.now() + timedelta(days=days), look)


def plan_id(stage: Stage, slug: str) -> int:
    """The id of a plan of the shop."""
    with stage.database.read() as tx:
        plan = sites.plan(tx, stage.shop.site_id, slug)
        assert plan is not None
        return plan.id


def set_policy(stage: Stage, **values: Any) -> None:
    """The site's policy, for everybody."""
    with stage.database.write() as tx:
        sites.get(tx, stage.shop.site_id).policy = values


def cancel(
    stage: Stage, email: str, mode: CancelMode = CancelMode.PERIOD_END, on: date | None = None,
    *, actor: str = "member",
) -> Leaving:  # fmt: skip
    """Press cancel, as herself unless told otherwise."""
    with stage.database.write() as tx:
        return membership.cancel(
            tx, stage.subscription(email).id, mode=mode, on=on, reason="enough", actor=actor,
            now=stage.clock.now(),
        )  # fmt: skip


def undo(stage: Stage, email: str) -> None:
    """Take the cancellation back."""
    with stage.database.write() as tx:
        membership.undo_cancel(tx, stage.subscription(email).id, "member", stage.clock.now())


def pause(
    stage: Stage, email: str, resume_on: date, *, keeps_access: bool | None = None, actor: str = "member"
) -> Pausing:
    """Ask for a pause."""
    with stage.database.write() as tx:
        return pausing.pause(
            tx, stage.subscription(email).id, resume_on=resume_on, keeps_access=keeps_access, actor=actor,
            now=stage.clock.now(),
        )  # fmt: skip


def resume(stage: Stage, email: str) -> None:
    """Go on now, as the page says."""
    with stage.database.write() as tx:
        pausing.resume(
            tx, stage.subscription(email).id, "member", stage.clock.now(), given=Yes("Today", "nl")
        )


def switch(stage: Stage, email: str, plan: str, *, at_once: bool = False, actor: str = "member") -> Switch:
    """Go over to another plan."""
    wanted = plan_id(stage, plan)
    with stage.database.write() as tx:
        return switching.switch(
            tx, stage.subscription(email).id, wanted, at_once=at_once,
            given=Yes("I switch", "nl") if actor == "member" else None, actor=actor, now=stage.clock.now(),
        )  # fmt: skip


def reactivate(stage: Stage, email: str, *, actor: str = "member") -> int | None:
    """Come back; the charge to pay by link, None when it runs by itself."""
    with stage.database.write() as tx:
        return reactivation.reactivate(
            tx, stage.subscription(email).id, given=Yes("I come back", "nl"), actor=actor,
            now=stage.clock.now(),
        )  # fmt: skip
