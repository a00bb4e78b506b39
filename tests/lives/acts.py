"""What members do: buy, pay, leave, come back, pause, switch, change the account, withdraw."""

from dataclasses import replace

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import mandate_renewal, membership, pausing, reactivation, switching, withdrawing
from linkpay.services.consent import Yes
from linkpay.store import sites
from linkpay.store.tables import Charge, Subscription
from tests.flows import withdrawals
from tests.flows.plans import plan_id
from tests.lives.judge import Wrong
from tests.lives.living import Living, Nothing

S = SubscriptionState
PLANS = ("monthly", "yearly", "quarterly", "trial", "terms", "termed", "weekly", "paid-trial")
SWITCHED_TO = ("monthly", "yearly", "quarterly", "weekly", "termed")
COUPONS = ("TEN", "TWICE", "GIFT")


def first_buy(life: Living) -> None:
    """A life begins with somebody who buys, and pays."""
    buy(life, surely=True)


def buy(life: Living, *, surely: bool = False) -> None:
    """Fill in the checkout and press pay."""
    email, plan = life.somebody(), life.dice.choice(PLANS)
    chosen = {"method": life.dice.choice(life.methods)} if "trial" in plan else {}
    if life.chance(0.2):
        chosen = {"method": "ideal"} | chosen | {"coupon": life.dice.choice(COUPONS)}
    life.detail(" ".join((email, plan, *chosen.values())))
    life.press_pay(life.stage.begin(email, plan, **chosen), surely=surely)


def pay(life: Living) -> None:
    """Follow the link of what failed, waits for her, or was never finished."""

    def is_asked_for(charge: Charge) -> bool:
        held = life.read(lambda tx: tx.get_one(Subscription, charge.subscription_id))
        waits = charge.failed_at is not None or charge.state is ChargeState.OPEN or held.state is S.PENDING
        return charge.asked_cents > 0 and waits

    charge = life.some_charge(is_asked_for)
    life.detail(f"charge {charge.id}")
    life.press_pay(charge)


def cancel(life: Living) -> None:
    """Leave in one of the four ways; what is done is what the page had said.

    The credit that is left is not compared: afterwards it holds what was just given.
    """
    held, mode, actor = life.some_subscription(), life.dice.choice(list(CancelMode)), life.actor()
    on = life.in_days(1, 7, 20, 40, 100) if mode is CancelMode.DATE else None
    life.detail(f"{_name(held)} {mode.value}{f' {on}' if on else ''} by {actor}")
    now = life.stage.clock.now()
    said = life.read(lambda tx: membership.preview_cancel(tx, held.id, mode, on, now, actor=actor))
    made = life.write(
        lambda tx, now: membership.cancel(
            tx, held.id, mode=mode, on=on, reason="enough", actor=actor, now=now
        )
    )
    life.detail(f"ends on {made.ends_on}, {made.refund_cents} back")
    if replace(said, credit_cents=0) != replace(made, credit_cents=0):
        raise Wrong(f"the page said {said}, and done was {made}")


def undo_cancel(life: Living) -> None:
    """Stay after all."""
    held = life.some_subscription()
    if held.state is not S.CANCELING:
        raise Nothing
    life.write(lambda tx, now: membership.undo_cancel(tx, held.id, "member", now))


def come_back(life: Living) -> None:
    """Let run again what ended."""
    held, actor, yes = life.some_subscription(), life.actor(), Yes("I come back", "nl")
    life.detail(f"{_name(held)} by {actor}")
    made = life.write(lambda tx, now: reactivation.reactivate(tx, held.id, given=yes, actor=actor, now=now))
    life.detail(f"charge {made} to pay" if made else "by itself")


def pause(life: Living) -> None:
    """Pause until some days after the next debit, or move the end of a pause."""
    held, keeps, actor = life.some_subscription(), life.dice.choice((None, True, False)), life.actor()
    days = life.in_days(3, 20, 45) - life.today()
    until = (held.next_charge_on or life.today()) + days
    life.detail(f"{_name(held)} until {until}, access {keeps} by {actor}")
    life.write(
        lambda tx, now: pausing.pause(tx, held.id, resume_on=until, keeps_access=keeps, actor=actor, now=now)
    )


def resume(life: Living) -> None:
    """Go on today."""
    held = life.some_subscription()
    if held.pause_on is None:
        raise Nothing
    life.write(lambda tx, now: pausing.resume(tx, held.id, "member", now, given=Yes("Today", "nl")))


def switch(life: Living) -> None:
    """Go over to another plan, today or with the next period; what is done is what the page had said."""
    held, slug, actor = life.some_subscription(), life.dice.choice(SWITCHED_TO), life.actor()
    at_once, wanted, now = life.chance(0.6), plan_id(life.stage, slug), life.stage.clock.now()
    given = Yes("I switch", "nl") if actor == "member" else None
    life.detail(f"{_name(held)} to {slug} {'at once' if at_once else 'later'} by {actor}")
    said = life.read(
        lambda tx: switching.preview_switch(tx, held.id, wanted, at_once=at_once, now=now, actor=actor)
    )
    made = life.write(
        lambda tx, now: switching.switch(
            tx, held.id, wanted, at_once=at_once, given=given, actor=actor, now=now
        )
    )
    life.detail(f"credit {made.credit_cents}, due {made.due_now_cents}, next on {made.next_charge_on}")
    if said != made:
        raise Wrong(f"the page said {said}, and done was {made}")


def stay_on_plan(life: Living) -> None:
    """Take a switch back that has not begun."""
    held = life.some_subscription()
    if held.next_plan_id is None:
        raise Nothing
    life.write(lambda tx, now: switching.undo_switch(tx, held.id, "member", now))


def change_account(life: Living) -> None:
    """Name another account by a small payment."""
    held, method = life.some_subscription(), life.dice.choice(life.methods)
    life.detail(f"{_name(held)} {method}")
    life.press_pay(
        life.write(lambda tx, now: mandate_renewal.begin(tx, held.id, method, for_all=True, now=now))
    )


def withdraw(life: Living) -> None:
    """Withdraw from the newest purchase, signed in; more or less often having asked that it begin at once."""
    email = life.somebody()
    found = life.subscriptions(email)
    if not found:
        raise Nothing
    life.detail(_name(found[-1]))
    if life.chance(0.7):
        withdrawals.asked_to_start(life.stage, email)
    site_id, number = life.stage.shop.site_id, found[-1].id
    coming = life.write(
        lambda tx, now: withdrawing.by_member(tx, sites.get(tx, site_id), number, "Ik herroep", now)
    )
    life.detail(f"{coming.refund.cents} back")


def _name(held: Subscription) -> str:
    return f"subscription {held.id} ({held.state.value})"
