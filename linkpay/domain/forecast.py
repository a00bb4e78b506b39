"""What will happen to a member, as dated facts: what is collected, when access closes, what changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from linkpay.domain.coverage import Cover


class Kind(StrEnum):
    """What happens. Of several on one day, they happen in this order."""

    DEBIT_RUNS = "debit_runs"
    WAITS_FOR_PAYER = "waits_for_payer"
    ENDS = "ends"
    RESUMES = "resumes"
    PAUSE_BEGINS = "pause_begins"
    TRIAL_ENDS = "trial_ends"
    TERM_OVER = "term_over"
    PLAN_CHANGES = "plan_changes"
    PRICE_CHANGES = "price_changes"
    COUPON_ENDS = "coupon_ends"
    CHARGE = "charge"
    FREE_PERIOD = "free_period"
    LET_GO = "let_go"
    NOTICE = "notice"
    NO_ACCOUNT = "no_account"
    DEBIT = "debit"
    MAIL = "mail"
    SIGNUP_ENDS = "signup_ends"
    ACCESS_ENDS = "access_ends"
    ACCESS_OPENS = "access_opens"


class OnlyIf(StrEnum):
    """What has to be true of the money that is open now, or of the collection this belongs to."""

    PAID = "paid"
    UNPAID = "unpaid"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happens on a day of the site.

    `cents` is what is collected, or told of by a notice; for a changed price, what each period costs from
    then on, and `before_cents` what it cost. `is_last` marks a collection after which nothing more is.
    `plan` is the title of the plan that begins. `if_it_fails` is what follows a collection that fails on the
    earliest day on which that can be known.
    """

    on: date
    kind: Kind
    cents: int | None = None
    before_cents: int | None = None
    only_if: OnlyIf | None = None
    plan: str | None = None
    is_last: bool = False
    if_it_fails: tuple["Item", ...] = ()


_PLACE = {kind: place for place, kind in enumerate(Kind)}


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """By day, and on one day in the order in which things happen."""
    return tuple(sorted(items, key=lambda item: (item.on, _PLACE[item.kind])))


def turns_of_access(covers: Iterable[Cover], now: datetime) -> Iterator[tuple[datetime, bool]]:
    """Every instant after `now` at which access closes (False) or opens again (True), in order."""
    reached, is_open = now, False
    stretches = [cover for cover in covers if cover.until is None or cover.until > max(now, cover.starts_at)]
    for cover in sorted(stretches, key=lambda cover: cover.starts_at):
        if cover.starts_at > reached:
            if is_open:
                yield reached, False
            yield cover.starts_at, True
        is_open = True
        if cover.until is None:
            return
        reached = max(reached, cover.until)
    if is_open:
        yield reached, False
