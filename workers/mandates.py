"""New bank accounts and cards: waiting until one is valid, and revoking the one that it replaces."""

from linkpay.services import checkout, mandate_renewal
from linkpay.services.mandate_renewal import Retiring
from linkpay.services.parts import Parts
from linkpay.store import charges, people, work
from linkpay.store.tables import Outbox


def renew(parts: Parts, row: Outbox) -> None:
    """Move what is to be collected to a new mandate once it is valid; asks Mollie while it is not."""
    with parts.database.read() as tx:
        unproven = mandate_renewal.unproven(tx, row.target_id)
    key = checkout.site_key(parts, row.site_id)
    seen = parts.payments.fetch_mandate(key, *unproven) if unproven else None
    now = parts.clock.now()
    with parts.database.write() as tx:
        if seen is not None:
            customer_id = charges.payment(tx, row.target_id).customer_id
            people.put_mandate(tx, site_id=row.site_id, customer_id=customer_id, seen=seen, now=now)
        look_at = mandate_renewal.go_on(tx, row.target_id, now)
        if look_at is None:
            work.finish(tx, row, now)
        else:
            work.postpone(tx, row, look_at, "mandate pending", fresh=True)


def revoke(parts: Parts, row: Outbox) -> None:
    """Revoke a mandate that nothing names any more, after the last debit on it. Gone already is done."""
    key = checkout.site_key(parts, row.site_id)
    now = parts.clock.now()
    with parts.database.write() as tx:
        retired = mandate_renewal.retire(tx, row.target_id, now)
        if retired.what is Retiring.IN_USE:
            work.finish(tx, row, now)
        elif retired.at is not None:
            work.postpone(tx, row, retired.at, "a debit runs on it", fresh=True)
    if retired.what is not Retiring.REVOKE:
        return
    parts.payments.revoke_mandate(key, retired.customer, retired.mandate)
    now = parts.clock.now()
    with parts.database.write() as tx:
        mandate_renewal.retired(tx, row.target_id, now)
        work.finish(tx, row, now)
