"""The form of policies: each value typed as its kind asks for, empty where the layer below counts."""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from linkpay.domain.policy import Policy, PolicyError, merge
from linkpay.services import policy_words
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner.typed import Sheet, euros, read_euros

_FIELDS = {known.name: known for known in fields(Policy)}


@dataclass(frozen=True, slots=True)
class Input:
    """How one policy is typed: ``number``, ``list``, ``euro``, or ``choice`` with its options."""

    kind: str
    options: tuple[tuple[str, str], ...] = ()


def inputs() -> dict[str, Input]:
    """How each policy is typed."""
    return {name: _input(known) for name, known in _FIELDS.items()}


def _input(known: Field[Any]) -> Input:
    if isinstance(known.default, bool):
        said = policy_words.words(locale(), "words")
        return Input("choice", (("yes", said["yes"]), ("no", said["no"])))
    if isinstance(known.default, str):
        said = policy_words.words(locale(), "values")
        values = known.metadata["values"]
        return Input("choice", tuple((value, said[f"{known.name}.{value}"]) for value in values))
    if isinstance(known.default, tuple):
        return Input("list")
    return Input("euro" if known.name.endswith("_cents") else "number")


def filled(own: Mapping[str, Any]) -> Sheet:
    """The form as the layer stands: only its own values are filled in."""
    return Sheet({name: _typed(name, value) for name, value in own.items() if name in _FIELDS})


def _typed(name: str, value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(str(day) for day in value) or "-"
        case int() if name.endswith("_cents"):
            return euros(value)
    return str(value)


def read(sheet: Sheet) -> dict[str, Any]:
    """The values that were typed, each checked by the rules that use it."""
    own: dict[str, Any] = {}
    for name, known in _FIELDS.items():
        text = sheet.value(name)
        if not text:
            continue
        value = _value(known, text)
        try:
            merge({name: value})
        except PolicyError:
            sheet.wrong(name, _range(known))
        else:
            own[name] = value
    return own


def _value(known: Field[Any], text: str) -> Any:
    """The value as the policy holds it; what cannot be read stays text, which the policy refuses."""
    if isinstance(known.default, bool):
        return {"yes": True, "no": False}.get(text, text)
    if isinstance(known.default, str):
        return text
    if isinstance(known.default, tuple):
        parts = [part for part in re.split(r"[\s,;]+", text) if part != "-"]
        return [int(part) if re.fullmatch(r"\d{1,4}", part, re.ASCII) else part for part in parts]
    if known.name.endswith("_cents"):
        cents = read_euros(text.replace("€", "").replace(" ", ""))
        return text if cents is None else cents
    return int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else text


def _range(known: Field[Any]) -> str:
    if isinstance(known.default, tuple):
        return _("Fill in days in rising order with commas, such as 5, 8; or a dash for none.")
    if isinstance(known.default, bool | str):
        return _("Make a choice.")
    most = known.metadata["most"]
    if known.name.endswith("_cents"):
        return _("Fill in an amount from 0 to %(most)s euro.", most=most // 100)
    return _("Fill in a whole number from %(least)s to %(most)s.", least=0, most=most)
