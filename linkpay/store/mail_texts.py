"""The owners' own words for mails."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from linkpay.store.db import Tx, insert_once
from linkpay.store.tables import MailText


def find(tx: Tx, site_id: int, kind: str, locale: str) -> MailText | None:
    """The site's words for a kind of mail in a language; None where ours are used."""
    return tx.scalar(_SUCH, {"site_id": site_id, "kind": kind, "locale": locale})


_SUCH = (
    select(MailText)
    .where(
        MailText.site_id == bindparam("site_id"), MailText.kind == bindparam("kind"),
        MailText.locale == bindparam("locale"),
    )
    .execution_options(populate_existing=True)
)  # fmt: skip


def of_site(tx: Tx, site_id: int) -> Sequence[MailText]:
    """All own words of a site."""
    query = select(MailText).where(MailText.site_id == site_id)
    return tx.scalars(query.order_by(MailText.kind, MailText.locale)).all()


def put(tx: Tx, site_id: int, kind: str, locale: str, text: str, by: str, now: datetime) -> None:
    """Keep these words, in place of earlier ones."""
    made = insert_once(
        tx, MailText, site_id=site_id, kind=kind, locale=locale, text=text, changed_by=by, changed_at=now,
        created_at=now,
    )  # fmt: skip
    if made is None:
        kept = find(tx, site_id, kind, locale)
        assert kept is not None  # noqa: S101 - the unique rule has just found it
        kept.text, kept.changed_by, kept.changed_at = text, by, now


def drop(tx: Tx, site_id: int, kind: str, locale: str) -> None:
    """Forget the site's words for a kind of mail."""
    tx.execute(
        delete(MailText).where(MailText.site_id == site_id, MailText.kind == kind, MailText.locale == locale)
    )
