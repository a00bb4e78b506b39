"""The form of a plan: amounts in euro and words instead of cents and codes."""

import re

from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.services.specs import PlanSpec
from linkpay.store.tables import Plan
from linkpay.web.i18n import gettext as _
from linkpay.web.owner.typed import Sheet, euros, read_euros

_UNITS = (Unit.MONTH, Unit.YEAR, Unit.WEEK)
_MOST_TERMS = 60
_MOST_TIMES = 12
_MOST_PERIODS = 120
_MOST_DAYS = 366
#: What stands in an empty form.
_BLANK = {"kind": "membership", "interval_unit": "month", "interval_count": "1", "vat": "21"}


def blank() -> Sheet:
    """The form of a new plan."""
    return Sheet(_BLANK)


def filled(plan: Plan) -> Sheet:
    """The form as the plan stands."""
    course = plan.kind is PlanKind.INSTALMENTS
    return Sheet(
        {
            "title": plan.title,
            "kind": plan.kind.value,
            "amount": "" if course else euros(plan.amount_cents),
            "terms": " + ".join(euros(cents) for cents in plan.term_cents),
            "total": euros(plan.terms.total_cents or 0) if course and not plan.term_cents else "",
            "periods": str(plan.periods or "") if course else "",
            "interval_unit": plan.interval_unit.value,
            "interval_count": str(plan.interval_count),
            "minimum": str(plan.minimum_periods or ""),
            "trial_days": str(plan.trial_days or ""),
            "trial_price": euros(plan.trial_cents) if plan.trial_cents else "",
            "setup_fee": euros(plan.setup_fee_cents) if plan.setup_fee_cents else "",
            "vat": _percent(plan.vat_basis_points),
            "for_business": "yes" if plan.for_business else "",
        }
    )


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole},{rest:02d}" if rest else str(whole)


def read(sheet: Sheet, slug: str) -> PlanSpec | None:
    """The plan that was typed; None when the sheet has problems now."""
    kind = PlanKind(sheet.one_of("kind", [kind.value for kind in PlanKind]))
    values: dict[str, object] = {
        "slug": slug,
        "kind": kind,
        "title": sheet.text("title", needed=_("Give it a title, as buyers will read it.")),
        "setup_fee_cents": sheet.cents("setup_fee", empty=0),
        "vat_basis_points": sheet.share("vat"),
        "for_business": sheet.has("for_business"),
    }
    if kind is PlanKind.INSTALMENTS:
        values |= _instalments(sheet)
    else:
        values["amount_cents"] = sheet.cents("amount", least=1)
    if kind is not PlanKind.ONE_TIME:
        values |= _repeating(sheet)
    if kind is PlanKind.MEMBERSHIP:
        values["minimum_periods"] = sheet.whole("minimum", 0, _MOST_PERIODS, empty=0)
    return None if sheet.problems else PlanSpec.model_validate(values)


def _repeating(sheet: Sheet) -> dict[str, object]:
    """How often, and what comes before."""
    days = sheet.whole("trial_days", 0, _MOST_DAYS, empty=0)
    cost = sheet.cents("trial_price", empty=0)
    if cost and not days:
        sheet.wrong("trial_days", _("Say how many days the trial lasts."))
    return {
        "interval_unit": Unit(sheet.one_of("interval_unit", [unit.value for unit in _UNITS])),
        "interval_count": sheet.whole("interval_count", 1, _MOST_TIMES, empty=1),
        "trial_days": days,
        "trial_cents": cost,
    }


def _instalments(sheet: Sheet) -> dict[str, object]:
    """Either amounts of their own, or a total in equal terms."""
    listed = [part for part in re.split(r"\s*[+;]\s*", sheet.value("terms")) if part]
    if listed:
        terms = [read_euros(part.replace("€", "").replace(" ", "")) for part in listed]
        if not 2 <= len(terms) <= _MOST_TERMS or not all(terms):
            sheet.wrong("terms", _("Write the amounts with plus signs, such as 100 + 75 + 75."))
        return {"term_cents": terms}
    total = sheet.cents("total", least=1)
    periods = sheet.whole("periods", 2, _MOST_TERMS)
    if total < periods:
        sheet.wrong("total", _("Fill in an amount in euro, such as 49.50."))
    return {"total_cents": total, "periods": periods}
