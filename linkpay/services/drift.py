"""The nightly comparison of who should have an offer with who has it at Kajabi, page by page.

Strangers, whom LinkPay never let in, are counted and never touched: they bought at Kajabi itself.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from linkpay.ports import Contact, DirectoryKey, DirectoryOffer
from linkpay.services import verifying
from linkpay.store import drift as store
from linkpay.store import grants, journal, people, sites, work
from linkpay.store.db import Tx, insert_once
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import DriftFinding, DriftRun, Grant, Member, Offer, Site
from linkpay.store.tables.people import Access

#: Kajabi names no limit of calls; one a second is what others do (some 60 to 100 a minute).
PAUSE = timedelta(seconds=1)


def begin(tx: Tx, site: Site, offers: Sequence[DirectoryOffer], now: datetime) -> None:
    """Note what each offer opens, and owe a look at everybody who has it."""
    known = {offer.id: offer for offer in offers}
    ours = [offer for offer in sites.all_offers(tx, site.id) if offer.kajabi_offer_id is not None]
    for number, offer in enumerate(ours):
        theirs = known.get(offer.kajabi_offer_id or "")
        if theirs is not None:
            sites.note_products(offer, theirs.products)
        run = DriftRun(site_id=site.id, offer_id=offer.id, created_at=now)
        tx.add(run)
        tx.flush()
        work.add(
            tx, site_id=site.id, kind="drift_page", ref=str(run.id), target_id=run.id, now=now,
            run_at=now + number * PAUSE,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of which offer to ask for."""

    key: DirectoryKey
    offer_id: str
    number: int


def page(tx: Tx, run_id: int, box: SecretBox) -> Page | None:
    """The next page of a run; None when it is finished or cannot go on."""
    run = store.run(tx, run_id)
    key = sites.directory_key(sites.get(tx, run.site_id), box)
    offer = tx.get_one(Offer, run.offer_id)
    if key is None or run.finished_at is not None or offer.kajabi_offer_id is None:
        return None
    return Page(key, offer.kajabi_offer_id, run.next_page)


def book_page(
    tx: Tx, run_id: int, asked: Page, contacts: Sequence[Contact], more: bool, now: datetime
) -> bool:
    """Compare one page with what should be; True while there is another one to ask for."""
    run = store.run(tx, run_id)
    if run.next_page != asked.number or run.finished_at is not None:
        return run.finished_at is None
    run.next_page += 1
    run.holders += len(contacts)
    for contact in contacts:
        grant = _grant_of(tx, run, contact)
        if grant is None:
            run.strangers += 1
        elif grant.wanted is Access.GRANTED:
            grant.verified_at = now
        elif _settled(grant, run):
            _find(tx, run, grant, "extra", now)
    if not more:
        _finish(tx, run, now)
    return more


def _grant_of(tx: Tx, run: DriftRun, contact: Contact) -> Grant | None:
    """What we know of this contact and the offer: by the id we gave her, or by her address."""
    by_id = contact.external_user_id and people.by_external_id(tx, run.site_id, contact.external_user_id)
    member = by_id or people.by_email(tx, run.site_id, contact.email)
    return grants.find(tx, member.id, run.offer_id) if member else None


def _settled(grant: Grant, run: DriftRun) -> bool:
    """Whether Kajabi confirmed this before the run began, so that a difference is no change under way."""
    in_step = grant.applied is grant.wanted and grant.applied_version == grant.version
    return in_step and grant.applied_at is not None and grant.applied_at < run.created_at


def _finish(tx: Tx, run: DriftRun, now: datetime) -> None:
    """Everybody was listed: who should have been and was not is looked at one by one."""
    run.finished_at = now
    tx.flush()
    for grant in store.unseen(tx, run):
        finding_id = _note(tx, run, grant, "missing", now)
        if finding_id is not None:
            # A database may give the number of a finding that was dropped to the next one.
            work.add(
                tx, site_id=run.site_id, kind="check_missing", ref=f"{finding_id}:{uuid.uuid4()}",
                target_id=finding_id, run_at=now, now=now,
            )  # fmt: skip
    tell(tx, run, now)


def _note(tx: Tx, run: DriftRun, grant: Grant, kind: str, now: datetime) -> int | None:
    return insert_once(
        tx, DriftFinding, site_id=run.site_id, run_id=run.id, grant_id=grant.id, kind=kind, created_at=now
    )


def _find(tx: Tx, run: DriftRun, grant: Grant, kind: str, now: datetime) -> None:
    finding_id = _note(tx, run, grant, kind, now)
    if finding_id is not None and _repairs(tx, run.site_id):
        repair(tx, finding_id, now)


def _repairs(tx: Tx, site_id: int) -> bool:
    return sites.policy_of(sites.get(tx, site_id), {}).drift == "repair"


def ask_missing(tx: Tx, finding_id: int, box: SecretBox) -> verifying.Question | None:
    """Whom to look for by herself: people move between pages while a list is read."""
    return verifying.ask(tx, store.finding(tx, finding_id).grant_id, box)


def missing_seen(
    tx: Tx, finding_id: int, asked: verifying.Question | None, seen: Contact | None, now: datetime
) -> None:
    """What that look came to: she is there after all, or it is reported or put right."""
    finding = store.finding(tx, finding_id)
    grant, run = grants.get(tx, finding.grant_id), store.run(tx, finding.run_id)
    if asked is None or grant.version != asked.version:
        tx.delete(finding)  # it changed meanwhile, and is verified by itself
    elif verifying.shows(tx, grant, seen):
        grant.verified_at = now
        tx.delete(finding)
    elif _repairs(tx, run.site_id):
        repair(tx, finding.id, now)
    tx.flush()
    tell(tx, run, now)


def repair(tx: Tx, finding_id: int, now: datetime) -> None:
    """Do at Kajabi what should have been there, unless it changed since or was done."""
    finding = store.finding(tx, finding_id)
    if finding.repaired:
        return
    finding.repaired = True
    grant = grants.get(tx, finding.grant_id)
    people.lock_family(tx, grant.member_id)
    grant = grants.get(tx, grant.id)
    if (grant.wanted is Access.GRANTED) == (finding.kind == "missing"):
        grant.mismatches = 1  # a second difference, right after, is for a person
        verifying.do_anew(tx, grant, now)


def tell(tx: Tx, run: DriftRun, now: datetime) -> None:
    """Ask for a person while the newest run of an offer found what nobody put right."""
    if run.finished_at is None or store.newest_run(tx, run.offer_id) != run.id:
        return
    offer, subject = tx.get_one(Offer, run.offer_id), f"drift:{run.offer_id}"
    if store.open_findings(tx, run.id):
        journal.need_attention(
            tx, site_id=run.site_id, kind="drift_report", subject=subject, now=now, offer=offer.title,
            detail="Kajabi's list of who has this offer differs from what should be.",
        )  # fmt: skip
    else:
        journal.solved(tx, site_id=run.site_id, kind="drift_report", subject=subject, now=now)


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. `kind`: missing or extra."""

    email: str
    kind: str
    repaired: bool


@dataclass(frozen=True, slots=True)
class Report:
    """One run over one offer; `finished_at` is None while it is under way."""

    offer: str
    began_at: datetime
    finished_at: datetime | None
    holders: int
    strangers: int
    found: list[Found]


def reports(tx: Tx, site_id: int, *, runs: int = 1) -> list[Report]:
    """The newest `runs` of every offer, newest first within an offer."""
    return [_report(tx, run) for run in store.newest_runs(tx, site_id, runs)]


def _report(tx: Tx, run: DriftRun) -> Report:
    found = []
    for finding in store.findings(tx, run.id):
        member = tx.get_one(Member, grants.get(tx, finding.grant_id).member_id)
        found.append(Found(member.email, finding.kind, finding.repaired))
    slug = tx.get_one(Offer, run.offer_id).slug
    return Report(slug, run.created_at, run.finished_at, run.holders, run.strangers, found)
