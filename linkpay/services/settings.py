"""The settings of a site, as its owner changes them at the desk; every change is told to the journal."""

from collections.abc import Mapping
from typing import Any

from linkpay.domain.policy import merge
from linkpay.services.shelf import By
from linkpay.store import journal
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
