"""Every room of the portal, and its door."""

from linkpay.web.portal import entry, receipts

BLUEPRINTS = (entry.bp, receipts.bp)
