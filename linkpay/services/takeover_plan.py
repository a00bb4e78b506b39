"""Deciding what of an owner's Mollie account is taken over, and owing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from linkpay.domain import takeover
from linkpay.domain.email import normalise_email
from linkpay.domain.money import Money
from linkpay.domain.snapshots import CustomerSnapshot, MandateSnapshot, SubscriptionSnapshot
from linkpay.domain.takeover import Choice, Rule, Verdict
from linkpay.errors import InputError
from linkpay.services.contacts import Contact, Contacts
from linkpay.store import people, sites, takeovers, work
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Plan, Site, Takeover

#: Who is on her way, or here.
_HERE = frozenset({"planned", "canceling", "canceled", "taken"})


@dataclass(frozen=True, slots=True)
class Account:
    """What runs at a Mollie account, read before anything is decided. Mandates by customer, newest first."""

    subscriptions: Sequence[SubscriptionSnapshot]
    customers: Mapping[str, CustomerSnapshot]
    mandates: Mapping[str, Sequence[MandateSnapshot]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner said: a map, or nothing (by price and interval); and whom Kajabi knows."""

    rules: Sequence[Rule] = ()
    only: str | None = None
    contacts: Contacts = field(default_factory=lambda: Contacts([]))


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one subscription at Mollie, and why. `note` says more than the verdict."""

    subscription_id: str
    customer_id: str
    description: str
    amount: Money
    verdict: Verdict
    note: str = ""
    email: str | None = None
    member_email: str | None = None
    name: str = ""
    external_user_id: str | None = None
    locale: str | None = None
    plan: str | None = None
    next_on: date | None = None
    remaining: int | None = None


def running(subscriptions: Sequence[SubscriptionSnapshot]) -> list[SubscriptionSnapshot]:
    """Those that there is something to decide about, oldest first; what is over at Mollie is history."""
    over = (Verdict.CANCELED, Verdict.COMPLETED)
    # Mollie lists the newest first, also among those of one second.
    alive = [one for one in reversed(subscriptions) if takeover.standing(one, one.mode) not in over]
    return sorted(alive, key=lambda one: one.created_at)


def decide(tx: Tx, site: Site, account: Account, wish: Wish) -> list[Decision]:
    """One decision for each running subscription. Reads only; the same account gives the same decisions.

    Raises InputError ``plan_unknown`` when the owner names a plan that the site does not have.
    """
    plans = {plan.slug: plan for plan in takeovers.plans(tx, site.id)}
    _check_names(plans, wish)
    offered = [plans[wish.only]] if wish.only else list(plans.values())
    choices = [Choice(plan.slug, plan.terms) for plan in offered]
    desk = _Desk(tx, site, account, wish, plans, choices, set())
    return [desk.decide(seen) for seen in running(account.subscriptions)]


def _check_names(plans: Mapping[str, Plan], wish: Wish) -> None:
    named = [rule.plan for rule in wish.rules] + ([wish.only] if wish.only else [])
    for name in named:
        if name not in plans:
            raise InputError("plan_unknown", f"The site has no plan {name!r} that can be bought.", "plan")


@dataclass(frozen=True, slots=True)
class _Desk:
    """One round of decisions; `promised` holds (payer, offer) of those already decided to be taken."""

    tx: Tx
    site: Site
    account: Account
    wish: Wish
    plans: Mapping[str, Plan]
    choices: Sequence[Choice]
    promised: set[tuple[str, int]]

    def decide(self, seen: SubscriptionSnapshot) -> Decision:
        """What becomes of one subscription."""
        found = self._facts(seen)
        here = takeovers.find(self.tx, self.site.id, seen.id)
        if here is not None and here.state in _HERE:
            self._promise(found, next((p for p in self.plans.values() if p.id == here.plan_id), None))
            return _decided(seen, found, Verdict.ALREADY_HERE, note=here.state)
        verdict = takeover.standing(seen, self.site.mode)
        if verdict is not Verdict.TAKE:
            return _decided(seen, found, verdict)
        chosen = takeover.choose(seen, self.choices, self.wish.rules)
        if isinstance(chosen, Verdict):
            return _decided(seen, found, chosen)
        if takeover.mandate_of(seen, self.account.mandates.get(seen.customer_id, ())) is None:
            return _decided(seen, found, Verdict.NO_MANDATE, plan=chosen.slug)
        verdict, note = self._person(seen, found, self.plans[chosen.slug])
        return _decided(seen, found, verdict, note=note, plan=chosen.slug)

    def _promise(self, found: "_Person", plan: Plan | None) -> None:
        if found.email is not None and plan is not None:
            self.promised.add((found.email, plan.offer_id))

    def _facts(self, seen: SubscriptionSnapshot) -> "_Person":
        customer = self.account.customers.get(seen.customer_id)
        email = usable_email(self.account, seen.customer_id)
        contact = self.wish.contacts.of(seen.customer_id, email)
        email = email or (contact.email if contact else None)
        name = (customer.name if customer else None) or (contact.name if contact else "") or email or ""
        return _Person(email, name[:200], _language(customer), contact)

    def _person(self, seen: SubscriptionSnapshot, found: "_Person", plan: Plan) -> tuple[Verdict, str]:
        """Whether this person can be taken over onto the plan."""
        if found.email is None:
            return Verdict.NO_EMAIL, ""
        payer = takeovers.payer(self.tx, self.site.id, seen.customer_id, found.email)
        if payer is not None:
            if payer.mollie_id not in (None, seen.customer_id):
                return Verdict.OTHER_CUSTOMER, payer.mollie_id or ""
            if takeovers.runs(self.tx, payer.id, plan.offer_id):
                return Verdict.ALREADY_HERE, "has a running subscription"
        if takeovers.is_blocked(self.tx, self.site.id, found.member_email):
            return Verdict.BLOCKED, ""
        if (found.email, plan.offer_id) in self.promised:
            return Verdict.DUPLICATE, "the older one is taken over"
        self._promise(found, plan)
        unknown = self.wish.contacts.is_complete and found.contact is None
        return Verdict.TAKE, "not among the Kajabi contacts" if unknown else ""


@dataclass(frozen=True, slots=True)
class _Person:
    email: str | None
    name: str
    locale: str | None
    contact: Contact | None

    @property
    def member_email(self) -> str:
        return self.contact.email if self.contact else self.email or ""


def usable_email(account: Account, customer_id: str) -> str | None:
    """A customer's e-mail at Mollie in its stored form; None where there is none that works."""
    customer = account.customers.get(customer_id)
    email = customer.email if customer else None
    try:
        return normalise_email(email) if email else None
    except InputError:
        return None


def _language(customer: CustomerSnapshot | None) -> str | None:
    language = (customer.locale or "")[:2] if customer else ""
    return language if language in ("nl", "en") else None


def _decided(
    seen: SubscriptionSnapshot, found: _Person, verdict: Verdict, *, note: str = "", plan: str | None = None
) -> Decision:
    return Decision(
        subscription_id=seen.id, customer_id=seen.customer_id, description=seen.description,
        amount=seen.amount, verdict=verdict, note=note, email=found.email,
        member_email=found.member_email or None, name=found.name,
        external_user_id=found.contact.external_user_id if found.contact else None,
        locale=found.locale, plan=plan, next_on=seen.next_on, remaining=seen.remaining,
    )  # fmt: skip


def plan(tx: Tx, site: Site, decision: Decision, now: datetime) -> Takeover | None:
    """Owe the take-over that was decided; None when somebody else got in between.

    The payer is bound to her Mollie customer here, so that she cannot become another one by buying
    something while this is under way.
    """
    chosen = sites.plan(tx, site.id, decision.plan or "")
    email, member_email = decision.email or "", decision.member_email or ""
    payer = takeovers.payer(tx, site.id, decision.customer_id, email) or people.customer_for(
        tx, site.id, email, decision.name, decision.locale or site.locale, now
    )
    tx.refresh(payer, with_for_update=FOR_CHANGE)
    if chosen is None or payer.mollie_id not in (None, decision.customer_id):
        return None
    payer.mollie_id = decision.customer_id
    member = people.member_for(tx, site.id, member_email, decision.name, decision.external_user_id, now)
    about = {
        "customer_id": payer.id, "member_id": member.id, "plan_id": chosen.id, "next_on": decision.next_on,
        "remaining": decision.remaining,
    }  # fmt: skip
    row = takeovers.put(
        tx, site_id=site.id, mollie_customer_id=decision.customer_id, state="planned", why="",
        mollie_subscription_id=decision.subscription_id, created_at=now, **about,
    )  # fmt: skip
    if row.state == "refused":
        row.state, row.why = "planned", ""
        for name, value in about.items():
            setattr(row, name, value)
    if row.state == "planned":
        work.schedule(
            tx, site_id=site.id, kind="take_over", ref=str(row.id), target_id=row.id, run_at=now, now=now
        )
    return row
