"""Customers, members, mandates and consents."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import bindparam, or_, select, update

from linkpay.domain.snapshots import MandateSnapshot
from linkpay.store.db import FOR_CHANGE, Tx, insert_once, insert_row_once
from linkpay.store.remembering import TOLD, asked_once, asked_until_written, read_anew
from linkpay.store.tables import Consent, Customer, Gift, Grant, Mandate, Member, Subscription

#: Characters of a name that are kept. Without a name an address stands for one, and may be longer.
_NAME = 200


def customer_for(tx: Tx, site_id: int, email: str, name: str, locale: str, now: datetime) -> Customer:
    """The site's customer with this e-mail (lower case), made when there is none.

    `name` and `locale` are for a new one: what is known of a customer is not changed by a message.
    """
    insert_once(
        tx, Customer, site_id=site_id, email=email, name=name[:_NAME], locale=locale, created_at=now,
        idempotency_key=str(uuid.uuid4()),
    )  # fmt: skip
    return tx.scalars(select(Customer).where(Customer.site_id == site_id, Customer.email == email)).one()


def customer_by_email(tx: Tx, site_id: int, email: str) -> Customer | None:
    """The site's customer with this e-mail (lower case)."""
    return tx.scalar(select(Customer).where(Customer.site_id == site_id, Customer.email == email))


def newest_at_mollie(tx: Tx, site_id: int) -> Customer | None:
    """The last customer whom the site made at Mollie."""
    known = select(Customer).where(Customer.site_id == site_id, Customer.mollie_id.is_not(None))
    return tx.scalar(known.order_by(Customer.id.desc()).limit(1))


def leave_account(tx: Tx, site_id: int, now: datetime) -> None:
    """Customers and mandates of the site are of a Mollie account that it has left: nothing is asked there."""
    tx.execute(update(Customer).where(Customer.site_id == site_id).values(mollie_id=None))
    tx.execute(
        update(Mandate)
        .where(Mandate.site_id == site_id, Mandate.unusable_at.is_(None))
        .values(unusable_at=now, unusable_code="other_account")
    )


def member_for(
    tx: Tx, site_id: int, email: str, name: str, external_user_id: str | None, now: datetime
) -> Member:
    """The site's member with this e-mail, made when there is none.

    A new member's external id is the given one or, as most carts do, the e-mail; an existing
    member keeps hers for ever, since Kajabi knows her by it. An id given by Kajabi that a member
    has already is that member's, under an e-mail that changed; a buyer whose e-mail is by chance
    another member's id gets an id that nobody has, and never that member's access.
    """
    for external_id in (external_user_id or email, f"linkpay-{uuid.uuid4()}"):
        insert_once(
            tx, Member, site_id=site_id, email=email, name=name[:_NAME], created_at=now,
            external_user_id=external_id,
        )  # fmt: skip
        known = tx.scalar(select(Member).where(Member.site_id == site_id, Member.email == email))
        if known is None and external_user_id is not None:
            known = by_external_id(tx, site_id, external_user_id)
        if known is not None:
            return known
    raise AssertionError("an id that nobody has was refused")


def by_external_id(tx: Tx, site_id: int, external_user_id: str) -> Member | None:
    """The site's member whom Kajabi knows by this id."""
    return tx.scalar(_BY_EXTERNAL_ID, {"site_id": site_id, "external_user_id": external_user_id})


_BY_EXTERNAL_ID = select(Member).where(
    Member.site_id == bindparam("site_id"), Member.external_user_id == bindparam("external_user_id")
)


def lock_member(tx: Tx, member_id: int) -> Member:
    """The member, held against other transactions that decide on her access."""
    return tx.scalars(_LOCKED, {"member_id": member_id}).one()


_LOCKED = select(Member).where(Member.id == bindparam("member_id")).with_for_update(**FOR_CHANGE)


def lock_family(tx: Tx, *member_ids: int) -> dict[int, Member]:
    """Members with everybody whose access moved to or from them, held in one order (by id)."""
    known = _locked(tx)
    if not set(member_ids) <= known.keys():
        read_anew(tx, Grant, Gift)
        _know_families(known, _family(tx, member_ids, held=True))
    return {one.id: one for member_id in sorted(member_ids) for one in known[member_id]}


def _locked(tx: Tx) -> dict[int, list[Member]]:
    """The families that this transaction holds already, by each of their members."""
    return cast("dict[int, list[Member]]", tx.info.setdefault("families", {}))


def _know_families(known: dict[int, list[Member]], found: dict[int, Member]) -> None:
    """Put the members who are tied by moves together; who is tied to nobody is a family of her own."""
    for member in found.values():
        known[member.id] = [member]
    for member in found.values():
        if member.moved_to_id in found and known[member.id] is not known[member.moved_to_id]:
            joined = sorted(known[member.id] + known[member.moved_to_id], key=lambda one: one.id)
            for one in joined:
                known[one.id] = joined


def family(tx: Tx, member_id: int) -> dict[int, Member]:
    """The same, only to look at."""
    return _family(tx, (member_id,), held=False)


def _family(tx: Tx, member_ids: Iterable[int], *, held: bool) -> dict[int, Member]:
    wanted = set(member_ids)
    while True:
        found = tx.scalars(_HELD_FAMILY if held else _FAMILY, {"ids": list(wanted)}).all()
        connected = {member.id for member in found}
        connected |= {member.moved_to_id for member in found if member.moved_to_id is not None}
        if connected == wanted:
            return {member.id: member for member in found}
        wanted = connected


_FAMILY = (
    select(Member)
    .where(
        or_(
            Member.id.in_(bindparam("ids", expanding=True)),
            Member.moved_to_id.in_(bindparam("ids", expanding=True)),
        )
    )
    .order_by(Member.id)
    .execution_options(populate_existing=True)
)
# What was read of others before stays as it was: `lock_family` says what does not.
_HELD_FAMILY = _FAMILY.with_for_update(**FOR_CHANGE).execution_options(**TOLD)


def by_email(tx: Tx, site_id: int, email: str) -> Member | None:
    """The site's member with this e-mail (lower case)."""
    return tx.scalar(select(Member).where(Member.site_id == site_id, Member.email == email))


@asked_until_written(Gift)
def gifts(tx: Tx, member_id: int, offer_id: int) -> Sequence[Gift]:
    """What an owner gave this member of an offer and did not take back; at most one."""
    return tx.scalars(_GIFTS, {"member_id": member_id, "offer_id": offer_id}).all()


_GIFTS = select(Gift).where(
    Gift.member_id == bindparam("member_id"), Gift.offer_id == bindparam("offer_id"),
    Gift.taken_back_at.is_(None),
)  # fmt: skip


@asked_once
def gifts_of(tx: Tx, member_id: int) -> Sequence[Gift]:
    """All that an owner gave this member and did not take back."""
    return tx.scalars(select(Gift).where(Gift.member_id == member_id, Gift.taken_back_at.is_(None))).all()


def offers_of(tx: Tx, member_id: int) -> list[int]:
    """Every offer that this member bought, was given or was let into, by id."""
    found: set[int] = set()
    for table in (Subscription, Gift, Grant):
        found |= set(tx.scalars(select(table.offer_id).where(table.member_id == member_id)))
    return sorted(found)


def put_mandate(tx: Tx, *, site_id: int, customer_id: int, seen: MandateSnapshot, now: datetime) -> Mandate:
    """Record what Mollie says of a mandate, new or known.

    Of one that is gone it says nothing but that: what was known of it stays, since it proves the debits made.
    """
    said = {
        "status": seen.status, "method": seen.method, "account_hint": seen.account_hint,
        "reference": seen.reference, "signed_on": seen.signed_on,
    }  # fmt: skip
    mandate = insert_row_once(
        tx, Mandate, site_id=site_id, customer_id=customer_id, mollie_id=seen.id, created_at=now, **said
    )
    if mandate is None:
        mandate = tx.scalars(_MANDATE, {"site_id": site_id, "mollie_id": seen.id}).one()
        for name, value in said.items():
            setattr(mandate, name, value or getattr(mandate, name))
    return mandate


_MANDATE = select(Mandate).where(
    Mandate.site_id == bindparam("site_id"), Mandate.mollie_id == bindparam("mollie_id")
)


def distrust_mandate(tx: Tx, mandate_id: int, code: str | None, now: datetime) -> None:
    """Never debit this mandate again: its bank, or its owner there, refused it for good."""
    mandate = tx.get_one(Mandate, mandate_id)
    if mandate.unusable_at is None:
        mandate.unusable_at, mandate.unusable_code = now, code


@asked_until_written(Consent, "subscription_id")
def consents(tx: Tx, subscription_id: int) -> Sequence[Consent]:
    """What was agreed to for this subscription, oldest first."""
    return tx.scalars(_CONSENTS, {"subscription_id": subscription_id}).all()


_CONSENTS = (
    select(Consent).where(Consent.subscription_id == bindparam("subscription_id")).order_by(Consent.id)
)
