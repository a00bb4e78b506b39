"""The keys of a site: tried where they come from before they are kept, sealed, and never shown again.

Trying them asks Mollie or Kajabi while the owner waits, always outside of a transaction.
"""

import re
from enum import StrEnum

from linkpay.domain.snapshots import Sequence
from linkpay.errors import Conflict, CredentialsRefused, Missing, ProviderError
from linkpay.ports import DirectoryKey
from linkpay.services import connection
from linkpay.services.parts import Parts
from linkpay.services.shelf import By
from linkpay.store import journal, people, shelf, sites
from linkpay.store.db import Tx
from linkpay.store.secrets import SealBroken, SecretBox
from linkpay.store.tables import Site

MOLLIE_KEY = re.compile(r"(test|live)_\w{6,}", re.ASCII)


class Trouble(StrEnum):
    """Why a key is not taken."""

    SHAPE = "shape"
    REFUSED = "refused"
    OTHER_ACCOUNT = "other_account"
    AWAY = "away"


def mask(secret: str) -> str:
    """Enough of a key to tell it from another one, and no more: ``test_…8kQd``."""
    start = secret[: secret.find("_") + 1] if MOLLIE_KEY.fullmatch(secret) else ""
    shown = secret[-4:] if len(secret) - len(start) >= 12 else ""
    return f"{start}…{shown}"


def masked_mollie_key(site: Site, box: SecretBox) -> str | None:
    """The site's Mollie key as it may be shown; None while there is none."""
    try:
        key = sites.mollie_key(site, box)
    except SealBroken:
        return "…"
    return None if key is None else mask(key)


def try_mollie_key(parts: Parts, site: Site, key: str) -> Trouble | None:
    """Whether Mollie takes the key, and knows under it whom this site has as a customer."""
    if not MOLLIE_KEY.fullmatch(key):
        return Trouble.SHAPE
    with parts.database.read() as tx:
        known = people.newest_at_mollie(tx, site.id)
    try:
        parts.payments.list_methods(key, sequence=Sequence.FIRST, amount=None, locale=None)
        if known is not None and known.mollie_id is not None and key[:4] == site.mode:
            parts.payments.list_mandates(key, known.mollie_id)
    except CredentialsRefused:
        return Trouble.REFUSED
    except Missing:
        return Trouble.OTHER_ACCOUNT
    except ProviderError:
        return Trouble.AWAY
    return None


def put_mollie_key(tx: Tx, site: Site, key: str, box: SecretBox, by: By) -> None:
    """Keep a key that was tried. Raises Conflict ``still_running`` for one of the other mode while somebody
    is a member: what runs in test mode does not exist in live mode, and the reverse.
    """
    other_mode = site.mollie_key_sealed is not None and key[:4] != site.mode
    if other_mode:
        if shelf.anybody_runs(tx, site.id):
            raise Conflict("still_running", "End what runs in the other mode first.", "mollie_key")
        people.leave_account(tx, site.id, by.now)
    site.mollie_key_sealed = box.seal(site.id, "mollie_key", key)
    site.mode, site.halted_at = key[:4], None
    journal.solved(tx, site_id=site.id, kind="mollie_key", subject=f"site:{site.id}", now=by.now)
    journal.record_site(tx, site.id, "mollie_key_replaced", by.actor, by.now, mode=site.mode)


def try_kajabi_key(parts: Parts, key: DirectoryKey) -> Trouble | None:
    """Whether Kajabi's public API takes the key for this site of Kajabi's."""
    try:
        parts.directory.check(key)
    except (CredentialsRefused, Missing):
        return Trouble.REFUSED
    except ProviderError:
        return Trouble.AWAY
    return None


def put_kajabi_key(tx: Tx, site: Site, key: DirectoryKey, box: SecretBox, by: By) -> None:
    """Keep a key of Kajabi's public API that was tried, and look at once."""
    connection.connect(tx, site, key, box, by.now)
    journal.record_site(tx, site.id, "kajabi_key_replaced", by.actor, by.now, kajabi_site=key.site_id)


def drop_kajabi_key(tx: Tx, site: Site, by: By) -> None:
    """Do without Kajabi's public API: access goes on by the offers' addresses."""
    if site.kajabi_client_secret_sealed is not None:
        site.kajabi_site_id = site.kajabi_client_id = site.kajabi_client_secret_sealed = None
        journal.solved(tx, site_id=site.id, kind="kajabi_key", subject=f"site:{site.id}", now=by.now)
        journal.record_site(tx, site.id, "kajabi_key_dropped", by.actor, by.now)
