"""The order form: what was typed, what is wrong with it, and what was probably meant."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from linkpay.domain.email import likely_meant, normalise_email
from linkpay.errors import InputError
from linkpay.web.i18n import gettext as _

MAX_NAME = 200
MAX_EMAIL = 254
MAX_CODE = 40
MAX_BUMPS = 3
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend: the field it belongs to and what to do, in the page's language."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class OrderForm:
    """What the buyer typed. `email` is as typed; `kept` is an address she confirmed despite a hint.

    `applied` is the code that the prices she saw counted with, `seen` the fingerprint of what she saw.
    """

    name: str = ""
    email: str = ""
    plan: str = ""
    coupon: str = ""
    bumps: tuple[str, ...] = ()
    method: str = ""
    company: str = ""
    vat_number: str = ""
    skips_trial: bool = False
    agrees: bool = False
    starts_at_once: bool = False
    applied: str = ""
    kept: str = ""
    seen: str = ""
    problems: tuple[Problem, ...] = ()
    hint: str | None = None
    notice: str | None = None

    def problem(self, name: str) -> str | None:
        """What is wrong with one field."""
        return next((problem.text for problem in self.problems if problem.field == name), None)


@dataclass(frozen=True, slots=True)
class Checked:
    """A form in which nothing is left to mend. `email` is normalised."""

    name: str
    email: str
    plan: str
    form: OrderForm = field(repr=False)


def read_prefill(given: Mapping[str, str]) -> OrderForm:
    """The form as a link filled it in: ``?name=&email=&plan=&coupon=``; ``trial=no`` does without one."""
    return OrderForm(
        name=tidy(given.get("name", ""))[:MAX_NAME],
        email=tidy(given.get("email", ""))[:MAX_EMAIL],
        plan=given.get("plan", "")[:60],
        coupon=tidy(given.get("coupon", ""))[:MAX_CODE],
        skips_trial=given.get("trial") == "no",
    )


def read_posted(given: MultiDict[str, str]) -> OrderForm:
    """The form as it was sent."""
    return replace(
        read_prefill(given),
        bumps=tuple(given.getlist("bump"))[:MAX_BUMPS],
        method=given.get("method", "")[:24],
        company=tidy(given.get("company", ""))[:MAX_NAME],
        vat_number=tidy(given.get("vat_number", ""))[:24],
        starts_at_once=given.get("start") == "yes",
        applied=given.get("applied", "")[:MAX_CODE],
        agrees=given.get("agree") == "yes",
        kept=tidy(given.get("kept", ""))[:MAX_EMAIL],
        seen=given.get("seen", "")[:16],
    )


def check(
    form: OrderForm, *, plan_known: bool, needs_consent: bool, also: Sequence[Problem] = ()
) -> OrderForm | Checked:
    """The finished order, or the form again with its problems or a hint. `also` is wrong besides."""
    problems = list(also)
    if not plan_known:
        problems.append(Problem("plan", _("Choose how you want to pay.")))
    if not form.name:
        problems.append(Problem("name", _("Fill in your name.")))
    email = read_email(form.email)
    if email is None:
        problems.append(
            Problem("email", _("Fill in your e-mail address, for example name@example.com."))
            if not form.email
            else Problem("email", _("Check your e-mail address: something is missing or one sign too many."))
        )
    if needs_consent and not form.agrees:
        problems.append(Problem("agree", _("Tick the box to allow the collections that follow.")))
    meant = likely_meant(email) if email and form.kept != form.email else None
    if problems or meant or email is None:
        kept = form.email if meant else form.kept
        return replace(form, problems=tuple(problems), hint=meant, kept=kept)
    return Checked(form.name, email, form.plan, form)


def read_email(typed: str) -> str | None:
    """The address as it is stored and compared; None when it is none."""
    try:
        return normalise_email(typed)
    except InputError:
        return None


def tidy(text: str) -> str:
    """One line without control signs, so that it is the same in a page, a mail and a database."""
    kept = "".join(
        " " if unicodedata.category(sign) in ("Zl", "Zp") or sign in "\t\r\n" else sign
        for sign in text
        if unicodedata.category(sign) not in ("Cc", "Cs") or sign in "\t\r\n"
    )
    return _SPACES.sub(" ", kept).strip()
