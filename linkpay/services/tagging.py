"""Tags at Kajabi that follow a member's subscriptions, where its public API is connected. Last state wins."""

from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.tags import Tag, tags_of
from linkpay.ports import DirectoryKey
from linkpay.store import journal, sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.remembering import current
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Member, Site


def owe(tx: Tx, member: Member, now: datetime) -> None:
    """Owe Kajabi the tags where they are not those that it has."""
    site = sites.get(tx, member.site_id)
    if not site.kajabi_tags or not sites.is_connected(site):
        return
    if _wanted(tx, site, member) != set(member.kajabi_tags):
        work.schedule(
            tx, site_id=site.id, kind="sync_tags", ref=f"member:{member.id}", target_id=member.id,
            run_at=now, now=now,
        )  # fmt: skip


def owe_all(tx: Tx, site: Site, now: datetime) -> None:
    """The same for everybody of a site."""
    if site.kajabi_tags:
        for member in sites.members(tx, site.id):
            owe(tx, member, now)


def forget(tx: Tx, site_id: int, name: str, now: datetime) -> None:
    """Kajabi may know this tag by now: give it again to everybody who should have it."""
    for member in sites.members(tx, site_id):
        if name in member.kajabi_tags:
            member.kajabi_tags = [tag for tag in member.kajabi_tags if tag != name]
            owe(tx, member, now)


def _wanted(tx: Tx, site: Site, member: Member) -> set[str]:
    """Names of the tags that a member should have, as far as the site named them."""
    owned = subscriptions.of_member(tx, member.id)
    tags = tags_of(one.state for one in owned if one.started_at is not None)
    names = {Tag(tag): name for tag, name in site.kajabi_tags.items()}
    return {names[tag] for tag in tags if tag in names}


@dataclass(frozen=True, slots=True)
class Tagging:
    """What to set and take off for whom, by name."""

    key: DirectoryKey
    email: str
    wanted: frozenset[str]
    unwanted: frozenset[str]


def plan(tx: Tx, member_id: int, box: SecretBox) -> Tagging | None:
    """The presently wanted tags; None where the site is connected no more."""
    member = current(tx, Member, member_id)
    site = sites.get(tx, member.site_id)
    key = sites.directory_key(site, box)
    if key is None:
        return None
    wanted = _wanted(tx, site, member)
    # Those we gave before, also under a name that the owner changed since.
    ours = set(site.kajabi_tags.values()) | set(member.kajabi_tags)
    return Tagging(key, member.email, frozenset(wanted), frozenset(ours - wanted))


def done(tx: Tx, member_id: int, tagged: Tagging, missing: frozenset[str], now: datetime) -> bool:
    """Kajabi has the tags, but for those it does not know. False when others are wanted meanwhile."""
    member = current(tx, Member, member_id)
    site = sites.get(tx, member.site_id)
    member.kajabi_tags = sorted(tagged.wanted)
    for name in tagged.wanted:
        subject = f"tag:{name}"[:100]
        if name in missing:
            journal.need_attention(
                tx, site_id=site.id, kind="kajabi_tags", subject=subject, now=now, tag=name,
                detail=f"Kajabi has no tag {name}.",
            )  # fmt: skip
        else:
            journal.solved(tx, site_id=site.id, kind="kajabi_tags", subject=subject, now=now)
    return _wanted(tx, site, member) == tagged.wanted
