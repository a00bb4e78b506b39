"""Every table, so that the metadata is whole wherever it is imported."""

from linkpay.store.tables.base import Base as Base
from linkpay.store.tables.messages import Attention, Event, Inbox, Mail, Outbox
from linkpay.store.tables.money import Charge, LedgerEntry, Payment, Refund
from linkpay.store.tables.people import Consent, Customer, Grant, Mandate, Member
from linkpay.store.tables.sites import Offer, Owner, Plan, Site, SiteOwner
from linkpay.store.tables.subscriptions import Subscription

__all__ = [
    "Attention", "Base", "Charge", "Consent", "Customer", "Event", "Grant", "Inbox", "LedgerEntry",
    "Mail", "Mandate", "Member", "Offer", "Outbox", "Owner", "Payment", "Plan", "Refund", "Site",
    "SiteOwner", "Subscription",
]  # fmt: skip
