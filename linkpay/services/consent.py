"""What a member agreed to when she changed something, kept as she read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.errors import InputError
from linkpay.services import standing
from linkpay.store.db import Tx
from linkpay.store.tables import Consent, Subscription


@dataclass(frozen=True, slots=True)
class Yes:
    """A member's consent: the text in the words she read, in ``nl`` or ``en``."""

    text: str
    locale: str


def require(given: Yes | None, actor: str) -> None:
    """Raise InputError ``consent_missing`` where a member did not agree; an owner need not."""
    if standing.is_member(actor) and (given is None or not given.text.strip()):
        raise InputError("consent_missing", "Agree to it first.", "consent")


def keep(
    tx: Tx, subscription: Subscription, given: Yes | None, kind: str, now: datetime, **facts: Any
) -> Consent | None:
    """Keep the consent with what it meant in figures. None where nobody gave one.

    What she did before is another thing, also in the same words: each time has a row of its own.
    """
    if given is None:
        return None
    kept = Consent(
        site_id=subscription.site_id, customer_id=subscription.customer_id, kind=kind, data=facts,
        subscription_id=subscription.id, locale=given.locale, text=given.text, created_at=now,
    )  # fmt: skip
    tx.add(kept)
    tx.flush()
    return kept
