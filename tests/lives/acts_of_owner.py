"""What an owner does: send money back, note cash, give time, write off, stop, give presents, block."""

from datetime import datetime

from linkpay.domain.charge import ChargeState
from linkpay.services import blocks, debts, gifts, refunds
from linkpay.services.gifts import Present
from linkpay.store import people, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Charge
from tests.flows import plans
from tests.lives.living import Living, Nothing

EVA = "owner:eva"
#: What an owner may choose for all, and what is tried of it.
POLICIES = {
    "refund_unused_days": (True, False),
    "running_debit_on_cancel": ("honour", "refund"),
    "pause_keeps_access": (True, False),
    "switch_credit": ("credit", "none"),
    "trial_check": ("credit", "refund"),
    "full_refund_ends_access": (True, False),
    "keep_access_while_debit_runs": (True, False),
    "cancel_notice_days": (0, 14, 30),
}


def choose_policy(life: Living) -> None:
    """Before anybody buys: some of what is usual is otherwise."""
    chosen = {name: life.dice.choice(values) for name, values in POLICIES.items() if life.chance(0.25)}
    plans.set_policy(life.stage, **chosen)
    life.say(f"policy {chosen}")


def refund(life: Living) -> None:
    """Send all of a charge back, or a part."""
    charge = life.some_charge(lambda one: one.money.kept_cents > 0)
    part = max(1, charge.money.kept_cents // life.dice.choice((2, 3, 5)))
    cents, reason = life.dice.choice((None, part)), f"hand{len(life.told)}"
    life.detail(f"charge {charge.id}, {cents or 'all'}")
    life.write(
        lambda tx, now: refunds.order(tx, charge.id, cents, reason, "owner", now, despite_reversal=True)
    )


def note_cash(life: Living) -> None:
    """Say that a charge came past Mollie, wholly or half."""
    charge = life.some_charge(lambda one: one.money.owed_cents > 0 and one.state is not ChargeState.VOID)
    cents = None if life.chance(0.7) else charge.money.owed_cents // 2
    life.detail(f"charge {charge.id} ({charge.state.value}), {cents or 'all'}")
    life.paid_outside.append(
        life.write(lambda tx, now: debts.paid_outside(tx, charge.id, cents, "cash", "owner", now))
    )


def take_note_back(life: Living) -> None:
    """Say that it did not come after all."""
    if not life.paid_outside:
        raise Nothing
    ref, site_id = life.paid_outside.pop(), life.stage.shop.site_id
    life.write(lambda tx, now: debts.undo_outside(tx, site_id, ref, "owner", now))


def give_time(life: Living) -> None:
    """Let somebody in for longer though she owes."""
    charge = life.some_charge(lambda one: one.failed_at is not None and one.asked_cents > 0)
    until = life.in_days(5, 20, 40)
    life.detail(f"charge {charge.id} until {until}")
    life.write(lambda tx, now: debts.extend(tx, charge.id, until, "owner", now))


def end_grace(life: Living) -> None:
    """Close access of somebody who owes, now."""
    charge = _failed(life)
    life.write(lambda tx, now: debts.stop(tx, charge.id, "owner", now))


def debit_again(life: Living) -> None:
    """Try the account again, now."""
    charge = _failed(life)
    life.write(lambda tx, now: debts.retry(tx, charge.id, "owner", now))


def write_off(life: Living) -> None:
    """Ask for a charge no more, and let it all end, or not."""
    charge = life.some_charge(lambda one: one.asked_cents > 0 and one.state is not ChargeState.SCHEDULED)
    ends = life.chance(0.3)
    life.detail(f"charge {charge.id} ({charge.state.value}){' and it ends' if ends else ''}")
    life.write(lambda tx, now: debts.write_off(tx, charge.id, "owner", now, ends=ends))


def give_present(life: Living) -> None:
    """Let somebody in for nothing, for some days."""
    present = Present(life.somebody(), "members", life.in_days(3, 30), "Anna", "won")
    life.detail(f"{present.email} until {present.until}")
    site_id = life.stage.shop.site_id
    life.write(lambda tx, now: gifts.give(tx, sites.get(tx, site_id), present, EVA, now))


def take_present_back(life: Living) -> None:
    """No more for nothing."""
    email, site_id = life.somebody(), life.stage.shop.site_id
    life.write(lambda tx, now: gifts.take_back(tx, sites.get(tx, site_id), email, "members", EVA, now))


def block(life: Living) -> None:
    """Shut somebody out, and stop what she pays, or not."""
    email, stops = life.somebody(), life.chance(0.6)
    life.detail(f"{email}{' and it is not billed' if stops else ''}")

    def act(tx: Tx, now: datetime) -> None:
        blocks.block(tx, _member_id(life, tx, email), "rude", EVA, now, stop_billing=stops)

    life.write(act)
    life.blocked.add(email)
    life.ever_blocked.add(email)


def unblock(life: Living) -> None:
    """Let her in again."""
    if not life.blocked:
        raise Nothing
    email = min(life.blocked)
    life.detail(email)
    life.write(lambda tx, now: blocks.unblock(tx, _member_id(life, tx, email), EVA, now))
    life.blocked.discard(email)


def _member_id(life: Living, tx: Tx, email: str) -> int:
    found = people.by_email(tx, life.stage.shop.site_id, email)
    if found is None:
        raise Nothing
    return found.id


def _failed(life: Living) -> Charge:
    charge = life.some_charge(lambda one: one.failed_at is not None)
    life.detail(f"charge {charge.id}")
    return charge
