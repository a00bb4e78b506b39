"""What must always be true of money and access, judged from evidence that was gathered elsewhere.

Each judge takes what the books say of one thing and returns what is broken about it, if anything.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from linkpay.domain.charge import ChargeMoney


class Broken(StrEnum):
    """A statement that does not hold; the value is the kind of the attention item that tells of it."""

    KEPT_TOO_MUCH = "kept_too_much"
    SUMS_DIFFER = "sums_differ"
    UNEXPLAINED_LOSS = "unexplained_loss"
    ACCESS_WRONG = "access_wrong"
    ACCESS_LATE = "access_late"
    UNSEEN = "unseen"
    OVERDUE = "overdue"
    NO_MANDATE = "charged_without_mandate"
    NO_CONSENT = "charged_without_consent"
    NOT_TOLD = "charged_without_notice"
    AFTER_END = "charged_after_end"


#: What comes and goes: set aside once, it is something new when it is broken again later.
PASSING = frozenset({Broken.ACCESS_WRONG, Broken.ACCESS_LATE, Broken.UNSEEN, Broken.OVERDUE})
#: Money that came in twice is sent back within minutes; nothing younger is judged.
SETTLES_WITHIN = timedelta(minutes=10)
#: Access follows within two minutes once Kajabi answers; it may be away for some.
APPLIED_WITHIN = timedelta(minutes=15)
#: Work is done within seconds.
DONE_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken statement about one thing: `subject` is ``charge:7``, `detail` is for logs and mails."""

    broken: Broken
    site_id: int
    subject: str
    detail: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChargeEvidence:
    """A charge with the sums that it carries, and those of its ledger. `on_way_cents` is going back."""

    charge_id: int
    site_id: int
    currency: str
    carried: ChargeMoney
    ledger: ChargeMoney
    on_way_cents: int
    newest_at: datetime


def judge_charge(seen: ChargeEvidence, now: datetime) -> list[Finding]:
    """Collected at most once; sums that are the ledger's; no loss without a chargeback that explains it."""
    subject, found = f"charge:{seen.charge_id}", []
    settled = now - seen.newest_at >= SETTLES_WITHIN

    def note(broken: Broken, cents: int, detail: str) -> None:
        about = {"cents": cents, "currency": seen.currency}
        found.append(Finding(broken, seen.site_id, subject, detail, about))

    too_much = seen.ledger.surplus_cents - seen.on_way_cents
    if settled and too_much > 0:
        note(Broken.KEPT_TOO_MUCH, too_much, f"{too_much} cents more came in than the charge asks for")
    carried, booked = _plain(seen.carried), _plain(seen.ledger)
    if carried != booked:
        differs = abs(seen.carried.kept_cents - seen.ledger.kept_cents)
        note(Broken.SUMS_DIFFER, differs, f"the charge says {carried}, its ledger {booked}")
    lost = -seen.ledger.kept_cents
    if settled and lost > 0 and seen.ledger.charged_back_cents < lost:
        note(Broken.UNEXPLAINED_LOSS, lost, f"{lost} cents more went out than came in, without a chargeback")
    return found


def _plain(money: ChargeMoney) -> str:
    back = f"{money.refunded_cents} refunded, {money.charged_back_cents} charged back"
    return f"{money.paid_cents} paid, {back}"


@dataclass(frozen=True, slots=True)
class DebitEvidence:
    """A debit that was sent, with what allowed it. `sent_at` is when its key was first on the wire.

    `own_mandate` says that the mandate is the payer's, `told` that she knew of the debit, and `in_terms` that
    the plan has such a period.
    """

    payment_id: int
    site_id: int
    sent_at: datetime
    own_mandate: bool
    unusable_at: datetime | None
    consented: bool
    told: bool
    starts_on: date
    ended_at: datetime | None
    cancel_on: date | None
    cancel_asked_at: datetime | None
    in_terms: bool


def judge_debit(seen: DebitEvidence) -> list[Finding]:
    """Nothing is charged without mandate, consent and notice, nor after the end."""
    found = []

    def note(broken: Broken, detail: str) -> None:
        found.append(Finding(broken, seen.site_id, f"payment:{seen.payment_id}", detail))

    if not seen.own_mandate:
        note(Broken.NO_MANDATE, "the debit names a mandate of somebody else")
    elif seen.unusable_at is not None and seen.unusable_at < seen.sent_at:
        note(Broken.NO_MANDATE, "the mandate had been refused for good before the debit was sent")
    if not seen.consented:
        note(Broken.NO_CONSENT, "no consent is kept for this subscription")
    if not seen.told:
        note(Broken.NOT_TOLD, "no notice of so large a debit on this mandate had left before it was sent")
    if seen.ended_at is not None and seen.ended_at < seen.sent_at:
        note(Broken.AFTER_END, f"it ended at {seen.ended_at:%Y-%m-%d %H:%M} UTC, before the debit was sent")
    elif _after_cancel(seen):
        note(Broken.AFTER_END, f"the period begins on {seen.starts_on}, cancelled to end on {seen.cancel_on}")
    elif not seen.in_terms:
        note(Broken.AFTER_END, "every agreed period had been charged before")
    return found


def _after_cancel(seen: DebitEvidence) -> bool:
    if seen.cancel_on is None or seen.cancel_asked_at is None:
        return False
    return seen.sent_at > seen.cancel_asked_at and seen.starts_on >= seen.cancel_on


@dataclass(frozen=True, slots=True)
class AccessEvidence:
    """Access as it is wanted, against what money and policy give: now, and some minutes before."""

    subject: str
    site_id: int
    wanted: bool
    wanted_at: datetime
    covered_now: bool
    covered_before: bool


def judge_access(seen: AccessEvidence, now: datetime) -> Finding | None:
    """Nobody is out while covered, nobody stays in who is not. A change of this moment is under way."""
    if seen.covered_now is not seen.covered_before or seen.covered_now is seen.wanted:
        return None
    if now - seen.wanted_at < DONE_WITHIN:
        return None
    detail = (
        "money or policy give access, and none is wanted"
        if seen.covered_now
        else "access is wanted, and neither money nor policy give any"
    )
    way = {"problem": "out" if seen.covered_now else "in"}
    return Finding(Broken.ACCESS_WRONG, seen.site_id, seen.subject, detail, way)
