"""A new bank account or card: by which way, for what, and the permission that goes with it."""

from dataclasses import dataclass

from flask import Response, make_response, render_template, request

from linkpay.domain import proof
from linkpay.domain.money import Money
from linkpay.domain.subscription import LIVE
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import checkout, mandate_renewal, pages, portal
from linkpay.services.portal import Holding
from linkpay.store import sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge
from linkpay.web import csrf, wording
from linkpay.web.edge import parts
from linkpay.web.forms import Problem
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.paying import Purchase, send_to_bank
from linkpay.web.portal import words
from linkpay.web.portal.door import Guest, guest, rooms
from linkpay.web.portal.refusals import refusal_words
from linkpay.web.wording import Consent

bp = rooms("account", __name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A subscription whose account she wants to change, and all of hers that are on the same one."""

    holding: Holding
    along: tuple[Holding, ...]
    consents: tuple[tuple[Holding, Consent], ...]

    @property
    def seen(self) -> str:
        """Changes when what she would agree to changes."""
        return wording.fingerprint([consent.text for _one, consent in self.consents])


@bp.get("/subscriptions/<token:token>/account")
def account(site: str, token: str) -> Response:
    """The ways to prove a new account or card."""
    return _show(token)


@bp.post("/subscriptions/<token:token>/account")
def renew(site: str, token: str) -> Response:
    """The pressed button: keep the permission, then go to the bank."""
    me = guest()
    if not csrf.is_ours(_purpose(token)):
        notice = _("For your safety we could not take this form as it came. Press once more.")
        return _show(token, notice=notice, status=403)
    problems = _problems()
    if problems:
        return _show(token, problems=problems, status=422)
    try:
        with parts().database.write() as tx:
            asked = _asked(tx, token)
            if request.form.get("seen") != asked.seen:
                changed = _("The conditions changed while this page was open. Check them and press again.")
                return _show(token, notice=changed, status=422)
            for_all = request.form.get("scope") != "one"
            check = _begin(tx, asked, request.form["method"], for_all=for_all)
    except NotFound:
        raise
    except (Conflict, InputError) as problem:
        return _show(token, notice=refusal_words(problem), status=problem.status)
    return send_to_bank(Purchase(me.seller, check.id, check.token, token, proves=True))


def _problems() -> tuple[Problem, ...]:
    found = []
    if request.form.get("method") not in proof.PROOF_CENTS:
        found.append(Problem("method", _("Choose one of these ways of paying.")))
    if request.form.get("agree") != "yes":
        found.append(Problem("agree", _("Tick the box to allow the collections that follow.")))
    return tuple(found)


def _begin(tx: Tx, asked: Asked, method: str, *, for_all: bool) -> Charge:
    now, site_id = parts().clock.now(), guest().seller.id
    for one, consent in asked.consents:
        if for_all or one.token == asked.holding.token:
            subscription = subscriptions.by_token(tx, site_id, one.token)
            assert subscription is not None  # noqa: S101 - read in this transaction
            policy = sites.policy_of(sites.get(tx, site_id), subscription.policy)
            checkout.agree(
                tx, subscription, consent.text, locale(), now, notice_days=policy.agreed_notice_days,
                starts_at_once=False, next_on=one.next_charge_on.isoformat() if one.next_charge_on else None,
            )  # fmt: skip
    subscription = subscriptions.by_token(tx, site_id, asked.holding.token)
    assert subscription is not None  # noqa: S101 - read in this transaction
    return mandate_renewal.begin(tx, subscription.id, method, for_all=for_all, now=now)


def _asked(tx: Tx, token: str) -> Asked:
    me = guest()
    if me.customer_id is None:
        raise NotFound("order_unknown", "There is no such order.")
    now = parts().clock.now()
    found = portal.home(tx, sites.get(tx, me.seller.id), me.email, me.customer_id, now).holdings
    holding = next((one for one in found if one.token == token), None)
    if holding is None:
        raise NotFound("order_unknown", "There is no such order.")
    same = [one for one in found if one.mandate_id == holding.mandate_id and one.state in LIVE]
    along = tuple(one for one in same if one.token != token) if holding.mandate_id is not None else ()
    consents = [(one, _consent(tx, me, one)) for one in (holding, *along)]
    return Asked(holding, along, tuple((one, consent) for one, consent in consents if consent is not None))


def _consent(tx: Tx, me: Guest, holding: Holding) -> Consent | None:
    """What she allows for one purchase: all that is still to be collected for it."""
    subscription = subscriptions.by_token(tx, me.seller.id, holding.token)
    assert subscription is not None  # noqa: S101 - read in this transaction
    policy = sites.policy_of(sites.get(tx, me.seller.id), subscription.policy)
    collector = wording.Collector(me.seller.name, me.seller.support_email, policy)
    runs = tuple(pages.still_to_come(tx, subscription))
    return wording.renewal_consent(collector, holding.terms, runs, holding.next_charge_on)


def _show(
    token: str, *, notice: str | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:
    me, refused = guest(), None
    with parts().database.read() as tx:
        asked = _asked(tx, token)
        try:
            subscription = subscriptions.by_token(tx, me.seller.id, token)
            mandate_renewal.check_renewable(tx, subscription.id if subscription else 0)
        except Conflict as problem:
            refused, status = refusal_words(problem), max(status, problem.status)
    currency = asked.holding.terms.amount.currency
    page = render_template(
        "portal/account.html", seller=me.seller, guest=me, asked=asked, holding=asked.holding, words=words,
        methods={name: Money(cents, currency) for name, cents in proof.PROOF_CENTS.items()},
        notice=notice, problems=problems, refused=refused, purpose=_purpose(token), given=request.form,
    )  # fmt: skip
    return make_response(page, status)


def _purpose(token: str) -> str:
    return f"portal/{guest().seller.slug}/{token}/account"
