"""What each button of the attention list does, through the services that do it everywhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.errors import Conflict, InputError
from linkpay.services import access, debts, drift, refunds, replay, tagging, withdrawing
from linkpay.services.attention import facts, items
from linkpay.services.attention.answers import ASKS, Action
from linkpay.services.attention.kinds import kind_of
from linkpay.store import charges, grants, inbox, journal, people, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Attention, Grant, Inbox, Member, Payment

_ID_LENGTH = 254


@dataclass(frozen=True, slots=True)
class Solved:
    """What came of a press. An item that is not `closed` goes away by itself when the outside agrees."""

    id: int
    action: str
    closed: bool


@dataclass(frozen=True, slots=True)
class _Press:
    item: Attention
    actor: str
    now: datetime
    answers: Mapping[str, str]


def solve(
    tx: Tx, site_id: int, item_id: int, action: str, actor: str, now: datetime, **answers: str
) -> Solved:  # fmt: skip
    """Do what solves a trouble. Pressing again changes nothing.

    Raises NotFound, Conflict for an action that this trouble does not have, InputError for an answer that is
    missing or cannot be.
    """
    item = items.find(tx, site_id, item_id)
    if item.solved_at is not None:
        return Solved(item.id, item.solution or "", closed=True)
    allowed = kind_of(item.kind, item.data.get("problem")).actions
    if action not in allowed:
        raise Conflict("not_an_answer", f"This trouble is solved by: {', '.join(allowed)}.", "action")
    chosen = Action(action)
    for asked in ASKS.get(chosen, ()):
        if not answers.get(asked, "").strip():
            raise InputError("answer_missing", f"Say the {asked.replace('_', ' ')}, too.", asked)
    closes = _ACTS[chosen](tx, _Press(item, actor, now, answers))
    if closes:
        journal.solve(tx, item, by=actor, solution=chosen.value, now=now, reason=answers.get("reason"))
    _tell(tx, item, chosen, actor, now)
    return Solved(item.id, chosen.value, closed=closes)


def _tell(tx: Tx, item: Attention, action: Action, actor: str, now: datetime) -> None:
    """The timeline of whom it was about shows who decided."""
    what, _, number = item.subject.partition(":")
    said: dict[str, Any] = {"trouble": item.kind, "action": action.value}
    if what == "grant":
        member = tx.get_one(Member, grants.get(tx, int(number)).member_id)
        journal.record_about(tx, "trouble_solved", actor, now, member=member, **said)
    elif what == "charge":
        subscription = subscriptions.lock(tx, charges.get(tx, int(number)).subscription_id)
        journal.record(tx, "trouble_solved", actor, now, subscription=subscription, **said)


def _replay(tx: Tx, press: _Press) -> bool:
    for row in facts.rows_behind(tx, press.item):
        again = replay.message if isinstance(row, Inbox) else replay.work
        again(tx, row.id, press.now)
    return True


def _retry(tx: Tx, press: _Press) -> bool:
    what, _, number = press.item.subject.partition(":")
    if what == "refund":
        refunds.try_again(tx, int(number), press.now)
    elif what == "grant":
        _apply_anew(tx, facts.grant_of(tx, press.item), press.now)
    elif what == "tag":
        tagging.forget(tx, press.item.site_id, str(press.item.data.get("tag")), press.now)
    return True


def _apply_anew(tx: Tx, grant: Grant, now: datetime) -> None:
    """Go on with what is parked; where nothing is, do at Kajabi what is wanted once more."""
    grant.mismatches = 0
    parked = work.parked_work(tx, "apply_grant", grant.id)
    for row in parked:
        replay.work(tx, row.id, now)
    if not parked:
        grants.doubt(grant)
        tx.flush()
        access.owe_apply(tx, grant, now)


def _use_external_id(tx: Tx, press: _Press) -> bool:
    external_id = press.answers["external_id"].strip()
    if len(external_id) > _ID_LENGTH:
        raise InputError("external_id_long", f"An id has at most {_ID_LENGTH} characters.", "external_id")
    grant = facts.grant_of(tx, press.item)
    member = people.lock_family(tx, grant.member_id)[grant.member_id]
    other = people.by_external_id(tx, grant.site_id, external_id)
    if other is not None and other.id != member.id:
        raise Conflict("external_id_taken", f"{other.email} has this id here already.", "external_id")
    member.external_user_id = external_id
    # Kajabi knows her by one id for all offers, so whatever stands still for her may go on.
    for one in grants.of_member(tx, member.id):
        for row in work.parked_work(tx, "apply_grant", one.id):
            replay.work(tx, row.id, press.now)
    return True


def _refund(tx: Tx, press: _Press) -> bool:
    """All that is kept goes back; while a bank may still reverse it, only on the word of a person."""
    despite = press.answers.get("despite_reversal") == "yes"
    refunds.order(
        tx, _charge_id(press), None, press.item.kind, press.actor, press.now, despite_reversal=despite
    )
    return True


def _paid_outside(tx: Tx, press: _Press) -> bool:
    debts.paid_outside(tx, _charge_id(press), None, press.answers["reason"], press.actor, press.now)
    return True


def _write_off(tx: Tx, press: _Press) -> bool:
    debts.write_off(tx, _charge_id(press), press.actor, press.now, ends=True)
    return True


def _charge_id(press: _Press) -> int:
    return int(press.item.subject.partition(":")[2])


def _look_again(tx: Tx, press: _Press) -> bool:
    payment = tx.get_one(Payment, int(press.item.subject.partition(":")[2]))
    if payment.mollie_id is not None:
        inbox.note(tx, site_id=payment.site_id, ref=payment.mollie_id, why="asked for", now=press.now)
    return True


def _check_key(tx: Tx, press: _Press) -> bool:
    """Whatever uses the key is done now; the answer opens or closes the trouble."""
    site_id = press.item.site_id
    for kind in ("watch_site", "watch_kajabi"):
        work.bring_forward(tx, kind, f"site:{site_id}", press.now)
    return press.item.kind == "checkout"


def _dismiss(tx: Tx, press: _Press) -> bool:
    for row in facts.rows_behind(tx, press.item):
        work.give_up(row, press.now)
    return True


def _repair(tx: Tx, press: _Press) -> bool:
    for finding in facts.open_findings(tx, press.item):
        drift.repair(tx, finding.id, press.now)
    return True


def _withdraw(tx: Tx, press: _Press) -> bool:
    withdrawing.vouch(tx, int(press.item.subject.partition(":")[2]), press.actor, press.now)
    return True


def _agree(tx: Tx, press: _Press) -> bool:
    return True


_ACTS: dict[Action, Callable[[Tx, _Press], bool]] = {
    Action.REPLAY: _replay,
    Action.RETRY: _retry,
    Action.USE_EXTERNAL_ID: _use_external_id,
    Action.REFUND: _refund,
    Action.PAID_OUTSIDE: _paid_outside,
    Action.WRITE_OFF: _write_off,
    Action.AGREE: _agree,
    Action.LOOK_AGAIN: _look_again,
    Action.REPAIR: _repair,
    Action.CHECK_KEY: _check_key,
    Action.WITHDRAW: _withdraw,
    Action.DISMISS: _dismiss,
}
