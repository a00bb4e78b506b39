"""The page of all policies, ``docs/policies.md``, written by a command so that it says what the code does."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from itertools import groupby

from linkpay.domain.policy import Policy
from linkpay.services.policy_words import Said, sentences

#: The day of the examples, a Sunday.
ON = date(2026, 5, 3)

_INTRO = """\
# Policies

What happens to money and access when life gets in the way, and what you may choose. Every choice has a
default that suits most sellers in the Netherlands and Belgium; a site may set its own, and a plan may
differ from its site. A subscription keeps the policy that its plan had when it began.

The examples are computed by the same code that acts, for the default value and around 3 May 2026. This
page is written by `python -m linkpay policies --markdown`; `python -m linkpay policies` shows what counts
for your own site or plan, and where each value comes from. The reasons are ours, and no legal advice."""


def markdown() -> str:
    """The whole page, for the defaults."""
    english = sentences(Policy(), "en", on=ON)
    dutch = {said.name: said for said in sentences(Policy(), "nl", on=ON)}
    parts = [_INTRO]
    for group, policies in groupby(english, key=lambda said: said.group):
        parts.append(f"## {group}")
        for said in policies:
            parts += _policy(said, dutch[said.name])
    return "\n\n".join(parts) + "\n"


def _policy(said: Said, dutch: Said) -> Iterator[str]:
    yield f"### {said.title}"
    yield f"`{said.name}` · default: **{said.value}** · {_range(said.name)}"
    yield f"{said.sentence} *{said.example}*"
    yield f"> **{dutch.title}** ({dutch.value}). {dutch.sentence} *{dutch.example}*"
    yield f"Why: {said.reason}"


def _range(name: str) -> str:
    """What may be chosen."""
    known = next(one for one in fields(Policy) if one.name == name)
    if values := known.metadata.get("values"):
        return "one of " + ", ".join(f"`{value}`" for value in values)
    if isinstance(known.default, bool):
        return "`true` or `false`"
    if isinstance(known.default, tuple):
        return "a rising list of days of the month" if name == "pay_days" else "a rising list of days"
    return f"{known.metadata['what']}, 0 to {known.metadata['most']}"
