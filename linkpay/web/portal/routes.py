"""Every room of the portal, and its doors."""

from linkpay.web.portal import (
    account,
    entry,
    leaving,
    moving,
    pausing,
    person,
    receipts,
    renewals,
    switching,
    withdrawing,
)

BLUEPRINTS = (
    entry.bp, receipts.bp, leaving.bp, pausing.bp, switching.bp, account.bp, renewals.bp, person.bp,
    moving.bp, withdrawing.bp,
)  # fmt: skip
