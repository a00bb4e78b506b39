"""Reading back at Kajabi what was done there, where its public API is connected."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.ports import Contact, DirectoryKey
from linkpay.services import access
from linkpay.store import grants, journal, people, sites, work
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Grant, Member, Offer
from linkpay.store.tables.people import Access

#: Kajabi does not promise to show at once what it has just done.
_LATER = timedelta(seconds=20)


def owe(tx: Tx, grant: Grant, now: datetime) -> None:
    """Owe a look at what Kajabi has, a little later."""
    site = sites.get(tx, grant.site_id)
    if sites.is_connected(site) and tx.get_one(Offer, grant.offer_id).kajabi_offer_id is not None:
        work.schedule(
            tx, site_id=site.id, kind="verify_grant", ref=str(grant.id), target_id=grant.id,
            run_at=now + _LATER, now=now,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """Whom to look for, and the version of the grant that the answer is about."""

    key: DirectoryKey
    email: str
    version: int


def ask(tx: Tx, grant_id: int, box: SecretBox) -> Question | None:
    """What to look up; None while the grant is not in step, or its site is connected no more."""
    grant = grants.get(tx, grant_id)
    key = sites.directory_key(sites.get(tx, grant.site_id), box)
    if key is None or grant.applied is not grant.wanted or grant.applied_version != grant.version:
        return None
    return Question(key, tx.get_one(Member, grant.member_id).email, grant.version)


def read_back(tx: Tx, grant_id: int, asked: Question, seen: Contact | None, now: datetime) -> None:
    """Compare. A first difference is done anew, a second one is for a person."""
    grant = grants.get(tx, grant_id)
    people.lock_family(tx, grant.member_id)
    grant = grants.get(tx, grant_id)
    if grant.version != asked.version or grant.applied is not grant.wanted:
        return
    if shows(tx, grant, seen):
        grant.verified_at, grant.mismatches = now, 0
        journal.solved(tx, site_id=grant.site_id, kind="drift", subject=f"grant:{grant.id}", now=now)
        return
    grant.mismatches += 1
    gone = seen is None and grant.verified_at is not None
    if grant.mismatches == 1 and not gone:
        do_anew(tx, grant, now)
        return
    journal.need_attention(
        tx, site_id=grant.site_id, kind="drift", subject=f"grant:{grant.id}", now=now,
        problem="gone" if gone else None,
        detail="Nobody has this address at Kajabi." if seen is None else "Kajabi shows the opposite.",
    )  # fmt: skip


def owe_newer(tx: Tx, grant_id: int, asked: Question | None, now: datetime) -> None:
    """Owe a look at what was confirmed while another one was under way: its row could not be moved then."""
    grant = grants.get(tx, grant_id)
    in_step = grant.applied is grant.wanted and grant.applied_version == grant.version
    if in_step and (asked is None or asked.version != grant.version):
        owe(tx, grant, now)


def shows(tx: Tx, grant: Grant, seen: Contact | None) -> bool:
    """Whether Kajabi has what is wanted: the offer itself, and all that it opens where that is shown."""
    offer = tx.get_one(Offer, grant.offer_id)
    has = seen is not None and offer.kajabi_offer_id in seen.offers
    if grant.wanted is not Access.GRANTED:
        return not has
    opens = sites.known_products(offer)
    if seen is None or seen.products is None or opens is None:
        return has
    return has and opens <= seen.products


def do_anew(tx: Tx, grant: Grant, now: datetime) -> None:
    """Do at Kajabi once more what is wanted; what it shows as granted already is not enough."""
    member = tx.get_one(Member, grant.member_id)
    grants.doubt(grant)
    grant.doubted_version = grant.version
    journal.record_about(
        tx, "drift_found", "linkpay", now, member=member, offer_id=grant.offer_id, wanted=grant.wanted.value
    )
    tx.flush()
    access.owe_apply(tx, grant, now)
