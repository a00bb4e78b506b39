"""Where a mail about no subscription leads to; a secret that opens a door is made as the mail is written."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from linkpay.store import people, upsells, visits, withdrawals
from linkpay.store.db import Tx
from linkpay.store.tables import Mail

#: Mails that hold a link to press once: the kind of door it opens, and its page on the site.
_DOORS = {"sign_in": ("link", "portal/enter"), "email_change": ("move", "portal/email/confirm")}
#: How long such a link can be pressed, from when the mail leaves.
LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the site, the secret in its address where there is one, and what else the mail tells."""

    path: str
    secret: str | None = None
    told: dict[str, Any] = field(default_factory=dict)


def behind(tx: Tx, mail: Mail, now: datetime) -> Door | None:
    """Where a mail leads; None for one that leaves only if its reader is known here, and she is not."""
    match mail.kind:
        case "withdrawal_received":
            made = withdrawals.get(tx, mail.data["withdrawal_id"])
            told = {"received_at": made.received_at, "statement": made.statement}
            return Door(f"withdraw/{made.token}", made.token, told)
        case "upsell_link":
            return _to_buy(tx, mail, now)
        case "sign_in" if not visits.is_known(tx, mail.site_id, mail.to or ""):
            return None
        case kind if kind in _DOORS:
            opens, page = _DOORS[kind]
            secret = visits.make(
                tx, site_id=mail.site_id, kind=opens, email=mail.to or "", expires_at=now + LIFE, now=now,
                moves_from=mail.data.get("moves_from"),
            )  # fmt: skip
            return Door(f"{page}/{secret}", secret)
    return Door(mail.data.get("path", ""))


def _to_buy(tx: Tx, mail: Mail, now: datetime) -> Door | None:
    customer = people.customer_by_email(tx, mail.site_id, mail.to or "")
    if customer is None:
        return None
    plan_id = mail.data["plan_id"]
    secret = upsells.make(tx, site_id=mail.site_id, customer_id=customer.id, plan_id=plan_id, now=now)
    return Door(f"upsell/{secret}", secret)
