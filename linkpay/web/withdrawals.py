"""Withdrawing from a contract without signing in: declare, confirm, and prove it by the link in the mail.

What the first two steps answer is the same for everybody. See docs/adr for why.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request

from linkpay.errors import Conflict, NotFound
from linkpay.services import contracts, withdrawing
from linkpay.services.contracts import Coming, Contract
from linkpay.services.withdrawing import Statement
from linkpay.store import sites, withdrawals
from linkpay.store.db import Tx
from linkpay.store.tables import Offer, Subscription, Withdrawal
from linkpay.web import csrf, prices, wording
from linkpay.web import withdrawal_words as words
from linkpay.web.bodies import require_form
from linkpay.web.edge import parts
from linkpay.web.forms import MAX_EMAIL, MAX_NAME, Problem, read_email, tidy
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, settle_on
from linkpay.web.shop import Seller, find_site, seller_of

bp = Blueprint("withdrawals", __name__)

_MAX_REFERENCE = 100


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    name: str = ""
    email: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One contract of hers on the page behind the mailed link, with what would come of it."""

    contract: Contract
    days: str
    lines: tuple[str, ...]


@bp.get("/<slug:site>/withdraw")
def declare(site: str) -> Response:
    """The first step: who, and what for. A link may fill it in."""
    return _form(_seller(site), _typed(request.args))


@bp.post("/<slug:site>/withdraw")
def confirm(site: str) -> Response:
    """The first step checked and repeated in words, then the second one: the button that withdraws."""
    require_form()
    seller, typed = _seller(site), _typed(request.form)
    if not csrf.is_ours(_purpose(seller)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _form(seller, typed, notice=notice, status=403)
    if request.form.get("change"):
        return _form(seller, typed)
    email, problems = read_email(typed.email), _problems(typed)
    if problems or email is None:
        return _form(seller, typed, problems=problems, status=422)
    text = _statement(Typed(typed.name, email, typed.reference))
    if request.form.get("confirmed") != "yes":
        return _page("withdrawal/confirm.html", seller, typed=typed, text=text, button=words.button())
    said = Statement(typed.name, email, typed.reference, locale(), text)
    with parts().database.write() as tx:
        address, now = request.remote_addr or "", parts().clock.now()
        made = withdrawing.declare(tx, sites.get(tx, seller.id), said, address, now)
        received_at = made.received_at
    return _page("withdrawal/received.html", seller, email=email, received_at=received_at)


@bp.get("/<slug:site>/withdraw/<token:token>")
def knock(site: str, token: str) -> Response:
    """Behind the mailed link: what she bought and what would come of it, or what came of it."""
    return _show(site, token)


@bp.post("/<slug:site>/withdraw/<token:token>")
def prove(site: str, token: str) -> Response:
    """The pressed button: the declaration is hers, and takes effect."""
    require_form()
    if not csrf.is_ours(f"withdraw/{site}/{token}"):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _show(site, token, notice=notice, status=403)
    try:
        with parts().database.write() as tx:
            made, choices = _choices(tx, site, token)
            if made.done_at is None and not _is_old(made):
                _act(tx, made, choices)
    except Conflict:
        notice = _("Something changed while this page was open. Check it and press again.")
        return _show(site, token, notice=notice, status=409)
    return _show(site, token)


def _act(tx: Tx, made: Withdrawal, choices: list[Choice]) -> None:
    now = parts().clock.now()
    if not choices:
        withdrawing.pass_on(tx, made.id, now)
    elif request.form.get("seen") != _seen(choices):
        raise Conflict("changed", "Something changed while the page was open.")
    else:
        withdrawing.carry_out(tx, made.id, _chosen(choices).contract.subscription_id, "buyer", now)


def _chosen(choices: list[Choice]) -> Choice:
    token = request.form.get("contract", "")
    in_time = [one for one in choices if one.contract.in_time]
    found = next((one for one in in_time if one.contract.token == token), None)
    if found is None:
        raise Conflict("changed", "Choose one of the orders.")
    return found


def _show(site: str, token: str, *, notice: str | None = None, status: int = 200) -> Response:
    with parts().database.read() as tx:
        made, choices = _choices(tx, site, token)
        seller = seller_of(find_site(tx, site))
        settle_on(made.locale)
        facts: dict[str, object] = {"made": made, "notice": notice, "old": _is_old(made)}
        if made.done_at is not None and made.subscription_id is not None:
            subscription = tx.get_one(Subscription, made.subscription_id)
            facts |= {
                "title": tx.get_one(Offer, subscription.offer_id).title, "order_token": subscription.token,
                "refund_cents": made.refund_cents or 0, "currency": subscription.currency,
            }  # fmt: skip
            return _page("withdrawal/done.html", seller, status, **facts)
        in_time = [one for one in choices if one.contract.in_time]
        meant = contracts.meant([one.contract for one in in_time], made.reference)
    return _page(
        "withdrawal/prove.html", seller, status, in_time=in_time, token=token, seen=_seen(choices),
        late=[one for one in choices if not one.contract.in_time], meant=meant.token if meant else "",
        purpose=f"withdraw/{site}/{token}", button=words.button(), **facts,
    )  # fmt: skip


def _choices(tx: Tx, site: str, token: str) -> tuple[Withdrawal, list[Choice]]:
    """The declaration and what the reader of its mail bought. Raises NotFound ``withdrawal_unknown``."""
    row = find_site(tx, site)
    made = withdrawals.by_token(tx, row.id, token)
    if made is None:
        raise NotFound("withdrawal_unknown", "There is no such declaration.")
    settle_on(made.locale)
    return made, [
        Choice(one, words.days_line(one), words.coming_lines(_coming(tx, one, made)) if one.in_time else ())
        for one in contracts.of_customer(tx, row, made.email, made.received_at)
    ]


def _coming(tx: Tx, one: Contract, made: Withdrawal) -> Coming:
    return contracts.preview(tx, one.subscription_id, made.received_at)


def _is_old(made: Withdrawal) -> bool:
    return parts().clock.now() > made.received_at + withdrawing.LINK_LIFE


def _seen(choices: list[Choice]) -> str:
    """Changes when anything that was said changes."""
    return wording.fingerprint([line for one in choices for line in (one.contract.token, *one.lines)])


def _statement(typed: Typed) -> str:
    """The declaration in her words and ours, as it is shown before the button and kept after it."""
    return _(
        "I hereby withdraw from my contract for: %(what)s. Name: %(name)s. E-mail address: %(email)s.",
        what=typed.reference, name=typed.name, email=typed.email,
    )  # fmt: skip


def _problems(typed: Typed) -> tuple[Problem, ...]:
    found = []
    if not typed.name:
        found.append(Problem("name", _("Fill in your name.")))
    if read_email(typed.email) is None:
        text = _("Fill in your e-mail address, for example name@example.com.")
        found.append(Problem("email", text))
    if not typed.reference:
        found.append(Problem("reference", _("Fill in the order number, or what you bought.")))
    return tuple(found)


def _typed(given: dict[str, str]) -> Typed:
    return Typed(
        tidy(given.get("name", ""))[:MAX_NAME], tidy(given.get("email", ""))[:MAX_EMAIL],
        tidy(given.get("reference", ""))[:_MAX_REFERENCE],
    )  # fmt: skip


def _seller(site: str) -> Seller:
    with parts().database.read() as tx:
        return seller_of(find_site(tx, site))


def _form(
    seller: Seller, typed: Typed, *, problems: tuple[Problem, ...] = (), notice: str | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    with parts().database.read() as tx:
        days = sites.policy_of(sites.get(tx, seller.id), {}).withdrawal_days
    said = {problem.field: problem.text for problem in problems}
    return _page(
        "withdrawal/form.html", seller, status, typed=typed, problems=problems, said=said, notice=notice,
        days=prices.days(days) if days else "",
    )  # fmt: skip


def _page(template: str, seller: Seller, status: int = 200, /, **facts: object) -> Response:
    values = {"purpose": _purpose(seller)} | facts
    return make_response(render_template(template, seller=seller, **values), status)


def _purpose(seller: Seller) -> str:
    return f"withdraw/{seller.slug}"
