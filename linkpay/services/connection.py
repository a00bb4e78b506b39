"""A site's key for Kajabi's public API: whether there is one, and what happens when it is refused."""

from datetime import datetime

from linkpay.ports import DirectoryKey
from linkpay.store import journal, sites, work
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Site


def site(tx: Tx, site_id: int) -> Site:
    """The site; it must exist."""
    return sites.get(tx, site_id)


def key_of(tx: Tx, site_id: int, box: SecretBox) -> DirectoryKey | None:
    """The key, or None while the site has none."""
    return sites.directory_key(sites.get(tx, site_id), box)


def connect(tx: Tx, site: Site, key: DirectoryKey, box: SecretBox, now: datetime) -> None:
    """Keep the key, sealed, and look at once."""
    site.kajabi_site_id, site.kajabi_client_id = key.site_id, key.client_id
    site.kajabi_client_secret_sealed = box.seal(site.id, "kajabi_client_secret", key.secret)
    owe_watch(tx, site.id, now)


def owe_watch(tx: Tx, site_id: int, now: datetime) -> None:
    """Owe the daily look, now."""
    work.schedule(
        tx,
        site_id=site_id,
        kind="watch_kajabi",
        ref=f"site:{site_id}",
        target_id=site_id,
        run_at=now,
        now=now,
    )


def key_refused(tx: Tx, site_id: int, why: str, now: datetime) -> None:
    """Tell the owner; access itself goes on by the offers' addresses."""
    journal.need_attention(
        tx, site_id=site_id, kind="kajabi_key", subject=f"site:{site_id}", now=now,
        detail=f"Kajabi refuses the API key of this site: {why}",
    )  # fmt: skip


def key_works(tx: Tx, site_id: int, now: datetime) -> None:
    """Kajabi answered."""
    journal.solved(tx, site_id=site_id, kind="kajabi_key", subject=f"site:{site_id}", now=now)
