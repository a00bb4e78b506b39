"""The settings of a site, as its owner changes them at the desk; every change is told to the journal."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from linkpay.domain import colour
from linkpay.domain.picture import Picture
from linkpay.domain.policy import merge
from linkpay.services.shelf import By
from linkpay.store import branding, journal
from linkpay.store.db import Tx
from linkpay.store.tables import Plan, Site


def choose_policy(tx: Tx, site: Site, own: Mapping[str, Any], by: By) -> None:
    """The site's own values in place of its earlier ones. Raises PolicyError.

    They count at once, also for who is a member, unless her plan has a value of its own.
    """
    merge(own)
    changed = _differing(site.policy, own)
    site.policy = dict(own)
    if changed:
        journal.record_site(tx, site.id, "policy_changed", by.actor, by.now, changed=changed)


def choose_plan_policy(tx: Tx, plan: Plan, own: Mapping[str, Any], by: By) -> None:
    """The plan's own values, for who orders from now on: running ones keep theirs. Raises PolicyError."""
    merge(own)
    changed = _differing(plan.policy, own)
    plan.policy = dict(own)
    if changed:
        journal.record_site(
            tx, plan.site_id, "policy_changed", by.actor, by.now, changed=changed, plan=plan.title
        )


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@dataclass(frozen=True, slots=True)
class About:
    """What a site is called, the language that it speaks, and where its people are reached."""

    name: str
    locale: str
    support_email: str | None
    login_url: str | None
    creditor_id: str | None


def tell_about(tx: Tx, site: Site, about: About, by: By) -> None:
    """Another name, language or address; mails and pages say it from now on."""
    before = About(site.name, site.locale, site.support_email, site.login_url, site.creditor_id)
    site.name, site.locale, site.creditor_id = about.name, about.locale, about.creditor_id
    site.support_email, site.login_url = about.support_email, about.login_url
    changed = _differing(asdict(before), asdict(about))
    if changed:
        journal.record_site(tx, site.id, "site_changed", by.actor, by.now, changed=changed)


def choose_accent(tx: Tx, site: Site, chosen: str | None, by: By) -> None:
    """The site's own colour, or ours again. Raises ValueError for what is no colour."""
    accent = colour.accent(chosen).chosen if chosen else None
    if accent != site.accent:
        site.accent = accent
        journal.record_site(tx, site.id, "accent_changed", by.actor, by.now, accent=accent or "")


def put_logo(tx: Tx, site: Site, picture: Picture, by: By) -> None:
    """Show this picture on the pages of the site."""
    branding.put_logo(tx, site.id, picture.media_type, picture.content, by.now)
    site.logo_digest = hashlib.sha256(picture.content).hexdigest()[:16]
    journal.record_site(tx, site.id, "logo_changed", by.actor, by.now)


def drop_logo(tx: Tx, site: Site, by: By) -> None:
    """Show the first letter of its name again."""
    if site.logo_digest is not None:
        branding.drop_logo(tx, site.id)
        site.logo_digest = None
        journal.record_site(tx, site.id, "logo_dropped", by.actor, by.now)


def allow_parents(tx: Tx, site: Site, origins: Sequence[str], by: By) -> None:
    """Let the checkout stand in pages of these origins and of no others."""
    if list(origins) != list(site.embed_parents):
        site.embed_parents = list(origins)
        journal.record_site(tx, site.id, "parents_changed", by.actor, by.now, origins=list(origins))


def keep_for(tx: Tx, site: Site, messages_days: int, mails_days: int, by: By) -> None:
    """How long handled messages and sent mails are kept, in days; the daily watch lets older ones go."""
    if (messages_days, mails_days) != (site.keep_messages_days, site.keep_mails_days):
        site.keep_messages_days, site.keep_mails_days = messages_days, mails_days
        journal.record_site(
            tx, site.id, "retention_changed", by.actor, by.now, messages=messages_days, mails=mails_days
        )
