"""What the texts of mails may speak of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from linkpay.domain.money import Money
from linkpay.services.notices import Coming

_DAYS = ("ends_on", "last_charge_on", "pause_on", "resume_on", "starts_on", "next_on")
_SUMS = ("refund", "old_amount", "new_amount", "credit", "due_now", "next_amount")
_CLAIMS = ("may_undo", "by_seller", "keeps_access", "at_once", "pro_rata")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the texts may speak of. Amounts are Money, instants UTC, addresses complete."""

    site_name: str
    zone: str
    offer_title: str
    customer_name: str
    member_email: str
    amount: Money
    next_charge_on: Any
    account_hint: str | None
    mandate_valid: bool
    order_url: str
    portal_url: str
    pay_url: str | None
    buy_url: str
    course_url: str | None
    failure_code: str | None
    until: datetime | None
    access_open: bool
    support_email: str | None
    debit: Coming | None = None
    cancel_url: str = ""
    # What the step itself kept, where it is about such things.
    ends_on: date | None = None
    last_charge_on: date | None = None
    refund: Money | None = None
    may_undo: bool = False
    by_seller: bool = False
    pause_on: date | None = None
    resume_on: date | None = None
    keeps_access: bool = False
    new_plan: str | None = None
    starts_on: date | None = None
    old_amount: Money | None = None
    new_amount: Money | None = None
    credit: Money | None = None
    due_now: Money | None = None
    next_on: date | None = None
    next_amount: Money | None = None
    at_once: bool = False
    received_at: datetime | None = None
    statement: str | None = None
    pro_rata: bool = False


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the texts of a mail about no subscription may speak of. `url` is complete."""

    site_name: str
    zone: str
    customer_name: str
    url: str
    support_email: str | None
    offer_title: str = ""
    received_at: datetime | None = None
    statement: str | None = None


def kept(data: dict[str, Any], currency: str) -> dict[str, Any]:
    """What a step kept of days and amounts, as the texts speak of it."""
    days = {name: date.fromisoformat(data[name]) for name in _DAYS if data.get(name)}
    sums = {name: Money(data[f"{name}_cents"], currency) for name in _SUMS if data.get(f"{name}_cents")}
    claims = {name: bool(data.get(name)) for name in _CLAIMS}
    received_at = data.get("received_at")
    said = {"new_plan": data.get("new_plan"), "statement": data.get("statement")}
    at = {"received_at": datetime.fromisoformat(received_at) if received_at else None}
    return days | sums | claims | said | at
