"""What must always be true, checked in production: gather evidence, judge it, ask for a person.

Everything reads but `file` and `close`. What is found is told once: to the owner on the attention list, to
the operator by mail. It goes away by itself when it is right again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.coverage import Source
from linkpay.domain.invariants import (
    APPLIED_WITHIN,
    DONE_WITHIN,
    AccessEvidence,
    Broken,
    Finding,
    judge_access,
    judge_charge,
    judge_debit,
)
from linkpay.redaction import clean
from linkpay.services import access, holding
from linkpay.store import invariants as store
from linkpay.store import journal, sites, work
from linkpay.store.db import Tx
from linkpay.store.tables import Attention, Grant, Inbox, Outbox
from linkpay.store.tables.people import Access

#: More of one kind than this in one round tells nobody anything new.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows to look at, by id."""

    charges: Collection[int] = ()
    payments: Collection[int] = ()
    grants: Collection[int] = ()
    subscriptions: Collection[int] = ()


def look(tx: Tx, rows: Rows, now: datetime) -> list[Finding]:
    """What is broken about these rows."""
    found = [broken for seen in store.charges(tx, rows.charges) for broken in judge_charge(seen, now)]
    found += [broken for seen in store.debits(tx, rows.payments) for broken in judge_debit(seen)]
    for evidence in (*_of_grants(tx, rows.grants, now), *_of_purchases(tx, rows.subscriptions, now)):
        broken = judge_access(evidence, now)
        found += [broken] if broken is not None else []
    return found


def _of_grants(tx: Tx, ids: Collection[int], now: datetime) -> Iterable[AccessEvidence]:
    for grant in store.grants(tx, ids):
        yield AccessEvidence(
            f"grant:{grant.id}", grant.site_id, grant.wanted is Access.GRANTED, grant.wanted_at,
            _covered(tx, grant, now), _covered(tx, grant, now - DONE_WITHIN),
        )  # fmt: skip


def _covered(tx: Tx, grant: Grant, at: datetime) -> bool:
    site = sites.get(tx, grant.site_id)
    wanted = access.wanted_access(tx, site, grant.member_id, grant.offer_id, at)
    if wanted.granted:
        # What Kajabi announced alone lets nobody in again.
        return wanted.source is not Source.SIGNUP or grant.wanted is Access.GRANTED
    return holding.kept_open(tx, site, grant, access.wanted_access, at) is not None


def _of_purchases(tx: Tx, ids: Collection[int], now: datetime) -> Iterable[AccessEvidence]:
    """Purchases that should give access and never gave any."""
    for bought in store.without_grant(tx, ids):
        site = sites.get(tx, bought.site_id)
        covered = [
            access.wanted_access(tx, site, bought.member_id, bought.offer_id, at).granted
            for at in (now, now - DONE_WITHIN)
        ]
        began_at = bought.started_at or bought.created_at
        yield AccessEvidence(f"subscription:{bought.id}", bought.site_id, False, began_at, *covered)


def look_everywhere(tx: Tx, now: datetime) -> list[Finding]:
    """What is late, or stands still unseen, on all sites; by indexes that hold little else."""
    found = [
        Finding(
            Broken.ACCESS_LATE, grant.site_id, f"grant:{grant.id}",
            f"Wanted since {grant.wanted_at:%Y-%m-%d %H:%M} UTC and not confirmed yet.",
        )
        for grant in store.behind(tx, now - APPLIED_WITHIN, _MOST)
    ]  # fmt: skip
    tables: tuple[type[Inbox] | type[Outbox], ...] = (Inbox, Outbox)
    for table in tables:
        found += [
            Finding(
                Broken.UNSEEN, row.site_id, f"{table.__tablename__}:{row.id}", clean(row.last_error or "")
            )
            for row in store.unseen(tx, table, _MOST)
        ]
    for site_id, number in store.overdue_by_site(tx, now - DONE_WITHIN).items():
        detail = f"{number} rows should have been done over ten minutes ago"
        found.append(Finding(Broken.OVERDUE, site_id, f"site:{site_id}", detail, {"number": number}))
    return found


def overstayed(tx: Tx, now: datetime) -> list[int]:
    """Grants whose time was over a while ago and that are wanted all the same."""
    before = now - DONE_WITHIN
    return [
        grant_id for site in sites.all_sites(tx) for grant_id in store.over_time(tx, site.id, before, _MOST)
    ]


def again(tx: Tx) -> tuple[Sequence[Attention], Rows]:
    """What is open already, and the rows to look at again because of it."""
    items = journal.open_findings(tx, _MOST)
    ids: dict[str, list[int]] = {"charge": [], "payment": [], "grant": [], "subscription": []}
    for item in items:
        what, _, number = item.subject.partition(":")
        if what in ids and number.isdigit():
            ids[what].append(int(number))
    return items, Rows(ids["charge"], ids["payment"], ids["grant"], ids["subscription"])


def file(tx: Tx, found: Iterable[Finding], now: datetime) -> int:
    """Put what is new on the attention list and owe the operator one mail a site; how much is new."""
    new: dict[int, list[int]] = {}
    for finding in found:
        item_id = journal.file_finding(tx, finding, now)
        if item_id is not None:
            new.setdefault(finding.site_id, []).append(item_id)
    for site_id, item_ids in new.items():
        work.add(
            tx, site_id=site_id, kind="tell_operator", ref=str(min(item_ids)), target_id=min(item_ids),
            run_at=now, now=now,
        )  # fmt: skip
    return sum(map(len, new.values()))


def close(tx: Tx, items: Iterable[Attention], still: Iterable[Finding], now: datetime) -> None:
    """Take off the list what was looked at again and is right. `still` is all that is broken now."""
    broken = {(finding.broken.value, finding.subject) for finding in still}
    many = {kind for kind, number in Counter(kind for kind, _ in broken).items() if number >= _MOST}
    for item in items:
        if item.kind not in many and (item.kind, item.subject) not in broken:
            journal.solved(tx, site_id=item.site_id, kind=item.kind, subject=item.subject, now=now)
