"""How a site looks: its logo."""

from datetime import datetime

from sqlalchemy import delete, select

from linkpay.store.db import Tx
from linkpay.store.tables import Logo


def logo(tx: Tx, site_id: int) -> Logo | None:
    """The site's picture."""
    return tx.scalar(select(Logo).where(Logo.site_id == site_id))


def put_logo(tx: Tx, site_id: int, media_type: str, content: bytes, now: datetime) -> None:
    """Keep this picture in place of an earlier one."""
    drop_logo(tx, site_id)
    tx.add(Logo(site_id=site_id, media_type=media_type, content=content, created_at=now))


def drop_logo(tx: Tx, site_id: int) -> None:
    """Forget the site's picture."""
    tx.execute(delete(Logo).where(Logo.site_id == site_id))
