"""Every room of the portal, and its doors."""

from linkpay.web.portal import account, entry, leaving, moving, person, receipts, renewals

BLUEPRINTS = (entry.bp, receipts.bp, leaving.bp, account.bp, renewals.bp, person.bp, moving.bp)
