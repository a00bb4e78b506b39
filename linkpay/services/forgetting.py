"""A member asks what is held on her, or asks to be forgotten.

What tax law needs stays: amounts, dates, payments and what was agreed, without a name or an address on it.
See docs/privacy.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from linkpay.domain.charge import UNSETTLED
from linkpay.domain.email import FORGOTTEN
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.errors import Conflict
from linkpay.services import access, letters, mandate_renewal
from linkpay.store import (
    charges,
    dossier,
    erasing,
    journal,
    mandates,
    people,
    sites,
    subscriptions,
    visits,
    work,
)
from linkpay.store.db import Tx
from linkpay.store.tables import Customer, Member, Site, Subscription

#: Access closes and the last mail leaves within seconds; until they have, we still know her.
_LOOK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What being forgotten would mean: access that ends with it, by the titles of the offers."""

    loses: tuple[str, ...]


def data_of(tx: Tx, site: Site, email: str, now: datetime) -> dict[str, Any]:
    """Everything this site holds on a person, as plain JSON values."""
    return {
        "site": site.name,
        "made_at": now.isoformat(),
        "email": email,
        **dossier.whole(tx, site.id, email),
    }


def preview(tx: Tx, site: Site, email: str) -> Forgetting:
    """What `ask` would do. Raises Conflict ``still_running``, ``paid_by_other`` or ``money_open``."""
    customer, members = _who(tx, site.id, email)
    for one in _purchases(tx, customer, members):
        if one.state in LIVE or one.state is SubscriptionState.PENDING:
            hers = customer is not None and one.customer_id == customer.id
            code = "still_running" if hers else "paid_by_other"
            raise Conflict(code, "Something is still running; cancel it first.")
        if customer is None or one.customer_id != customer.id:
            continue
        made = charges.of_subscription(tx, one.id)
        if any(charge.state in UNSETTLED and charge.asked_cents > 0 and charge.failed_at for charge in made):
            raise Conflict("money_open", "An amount is still open.")
        if any(charges.open_payment(tx, charge.id) is not None for charge in made):
            raise Conflict("still_running", "A payment is still under way.")
    return Forgetting(tuple(dossier.titles_of_open(tx, [member.id for member in members])))


def ask(tx: Tx, site: Site, email: str, now: datetime, *, actor: str = "member") -> None:
    """Forget a person: close what is open, tell her, and wipe who she is as soon as both are done."""
    preview(tx, site, email)
    customer, members = _who(tx, site.id, email)
    for one in _purchases(tx, customer, members):
        subscriptions.lock(tx, one.id)
    preview(tx, site, email)
    customer, members = _who(tx, site.id, email, held=True)
    _close(tx, customer, members, actor, now)
    who = f"customer:{customer.id}" if customer else f"member:{members[0].id}" if members else ""
    if not who:
        return
    visits.close_all(tx, site.id, email, now)
    work.schedule(
        tx, site_id=site.id, kind="forget_person", ref=who, target_id=int(who.partition(":")[2]), run_at=now,
        now=now,
    )  # fmt: skip


def _close(tx: Tx, customer: Customer | None, members: list[Member], actor: str, now: datetime) -> None:
    for held in _purchases(tx, customer, members):
        held.mandate_id = None
        if held.access_ends_at is None or held.access_ends_at > now:
            held.access_ends_at = now
        journal.record(tx, "forget_asked", actor, now, subscription=held)
    tx.flush()
    for member in members:
        for gift in people.gifts_of(tx, member.id):
            gift.taken_back_at = gift.taken_back_at or now
        tx.flush()
        for offer_id in people.offers_of(tx, member.id):
            access.review(tx, member_id=member.id, offer_id=offer_id, now=now)
    if customer is not None:
        for mandate in mandates.of_customer(tx, customer.id):
            mandate_renewal.owe_revocation(tx, mandate.site_id, mandate.id, now)


def go_on(tx: Tx, ref: str, now: datetime) -> datetime | None:
    """Wipe who she is; when to look again while Kajabi or the mail server has yet to do its part.

    Who bought something again meanwhile is not forgotten.
    """
    kind, _, number = ref.partition(":")
    if kind == "customer":
        customer = tx.get_one(Customer, int(number))
        site_id, email = customer.site_id, customer.email
    else:
        member = tx.get_one(Member, int(number))
        site_id, email = member.site_id, member.email
    site = sites.get(tx, site_id)
    try:
        preview(tx, site, email)
    except Conflict:
        return None
    found, members = _who(tx, site_id, email, held=True)
    ids = [member.id for member in members]
    payer_id = found.id if found else 0
    if not dossier.closed_everywhere(tx, ids) or dossier.has_unsent_mails(tx, site_id, email, payer_id):
        return now + _LOOK_AGAIN
    reader = letters.Reader(email, found.locale if found else site.locale, found.name if found else "")
    if letters.owe_to(tx, "forgotten", site_id, reader, step=f"forgotten:{ref}", now=now, path="portal"):
        return now + _LOOK_AGAIN
    placeholder = f"forgotten-{kind}-{number}{FORGOTTEN}"
    erasing.wipe(tx, site_id, found, members, placeholder)
    for number_of, one in enumerate((found, *members)):
        if one is not None:
            one.email = placeholder if number_of < 2 else f"{number_of}-{placeholder}"
            one.name = ""
    for member in members:
        member.external_user_id = f"forgotten-{member.id}"
        member.blocked_reason, member.kajabi_tags = None, []
    tx.flush()
    return None


def _who(tx: Tx, site_id: int, email: str, *, held: bool = False) -> tuple[Customer | None, list[Member]]:
    """The payer with this address, and the member with all the addresses that she had before."""
    customer = people.customer_by_email(tx, site_id, email)
    member = people.by_email(tx, site_id, email)
    find = people.lock_family if held else people.family
    members = list(find(tx, member.id).values()) if member else []
    return customer, members


def _purchases(tx: Tx, customer: Customer | None, members: list[Member]) -> list[Subscription]:
    found = {one.id: one for member in members for one in subscriptions.of_member(tx, member.id)}
    if customer is not None:
        found |= {one.id: one for one in subscriptions.of_payer(tx, customer.id)}
    return [found[number] for number in sorted(found)]
