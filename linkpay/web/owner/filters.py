"""The filter of the list of members, as it stands in addresses and forms."""

from collections.abc import Mapping
from typing import Any

from linkpay.domain.subscription import SubscriptionState
from linkpay.store.selection import STEPS, Filter
from linkpay.web.forms import tidy
from linkpay.web.i18n import gettext as _


def read(given: Mapping[str, str]) -> Filter:
    """The filter in an address or a form; what cannot be is left out."""
    state, step = given.get("state", ""), given.get("step", "")
    return Filter(
        search=tidy(given.get("q", given.get("search", "")))[:100],
        state=SubscriptionState(state) if state in set(SubscriptionState) else None,
        offer=_number(given.get("offer", "")),
        plan=_number(given.get("plan", "")),
        step=step if step in STEPS else None,
    )


def kept(wanted: Mapping[str, Any]) -> Filter:
    """The filter as it was kept."""
    return read({name: str(value) for name, value in wanted.items()})


def address(wanted: Filter) -> dict[str, Any]:
    """The filter as it goes into an address or into hidden fields."""
    found = {name: str(value) for name, value in wanted.plain().items()}
    if "search" in found:
        found["q"] = found.pop("search")
    return found


def step_words() -> dict[str, str]:
    """Where somebody with a failed payment stands."""
    return {
        "failing": _("payment failed, any step"),
        "debit": _("another debit is planned"),
        "no_debit": _("mails only, no debit any more"),
        "stopped": _("mails and tries are stopped"),
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None
