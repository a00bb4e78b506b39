"""The columns of what is agreed, the same for a plan and for the subscription that froze them."""

from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms, Trial
from linkpay.store.tables.base import choice

#: A check passes on NULL, so a missing number of periods is ruled out by name.
_PERIODS_FIT_KIND = (
    "(kind = 'one_time' AND periods IS NOT NULL AND periods = 1)"
    " OR (kind = 'membership' AND periods IS NULL)"
    " OR (kind = 'instalments' AND periods IS NOT NULL AND periods >= 2)"
)


class Agreed:
    """`periods` is the number of charges ever, NULL without an end; amounts are cents of `currency`.

    `term_cents` lists the amount of each instalment where they differ.
    """

    kind: Mapped[PlanKind] = mapped_column(choice(PlanKind, "kind"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    interval_unit: Mapped[Unit] = mapped_column(choice(Unit, "interval_unit"), default=Unit.MONTH)
    interval_count: Mapped[int] = mapped_column(default=1)
    periods: Mapped[int | None]
    term_cents: Mapped[list[int]] = mapped_column(JSON(), default=list)
    minimum_periods: Mapped[int] = mapped_column(default=0)
    trial_days: Mapped[int] = mapped_column(default=0)
    trial_cents: Mapped[int] = mapped_column(default=0)
    setup_fee_cents: Mapped[int] = mapped_column(default=0)
    vat_basis_points: Mapped[int] = mapped_column(default=2100)
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)

    @property
    def terms(self) -> Terms:
        """What was agreed, as the rules see it."""
        return _terms((
            self.kind, self.amount_cents, self.currency, self.interval_unit, self.interval_count,
            self.periods, tuple(self.term_cents), self.minimum_periods, self.trial_days, self.trial_cents,
            self.setup_fee_cents,
        ))  # fmt: skip


@lru_cache(maxsize=1_000)
def _terms(said: tuple[Any, ...]) -> Terms:
    """The same for all rows that say the same: the rules ask for it many times a charge."""
    kind, cents, currency, unit, count, periods, term_cents, minimum, days, trial_cents, fee = said
    return Terms(
        kind, Money(cents, currency), Interval(unit, count), periods, term_cents=term_cents,
        minimum_periods=minimum, trial=Trial(days, trial_cents) if days else None, setup_fee_cents=fee,
    )  # fmt: skip


def agreed(row: Agreed) -> dict[str, Any]:
    """Every agreed column with its value, to freeze into another row."""
    return {name: getattr(row, name) for name in _COLUMNS}


_COLUMNS = tuple(Agreed.__annotations__)


def agreed_columns() -> tuple[str, ...]:
    """The names of every agreed column."""
    return _COLUMNS


def checks() -> tuple[CheckConstraint, ...]:
    """The rules that hold for these columns wherever they stand."""
    return (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("interval_count BETWEEN 1 AND 365", name="interval_count"),
        CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name="vat"),
        CheckConstraint(_PERIODS_FIT_KIND, name="periods_fit_kind"),
        CheckConstraint("minimum_periods >= 0", name="minimum_periods"),
        CheckConstraint("minimum_periods = 0 OR kind = 'membership'", name="minimum_of_membership"),
        CheckConstraint("trial_days BETWEEN 0 AND 366 AND trial_cents >= 0", name="trial"),
        CheckConstraint("trial_cents = 0 OR trial_days > 0", name="trial_costs_only_with_days"),
        CheckConstraint("setup_fee_cents >= 0", name="setup_fee"),
    )
