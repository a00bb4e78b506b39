"""Every table, so that the metadata is whole wherever it is imported."""

from linkpay.store.tables.base import Base as Base
from linkpay.store.tables.messages import Attention, Event, Inbox, Mail, MailText, Outbox
from linkpay.store.tables.money import Charge, Credit, LedgerEntry, Payment, Refund
from linkpay.store.tables.people import Consent, Customer, Gift, Grant, Mandate, Member, Visit
from linkpay.store.tables.sites import Bump, Coupon, Offer, Owner, Plan, Site, SiteOwner
from linkpay.store.tables.subscriptions import (
    Notice,
    PriceChange,
    Redemption,
    Subscription,
    Takeover,
    Withdrawal,
)

__all__ = [
    "Attention", "Base", "Bump", "Charge", "Consent", "Coupon", "Credit", "Customer", "Event", "Gift",
    "Grant", "Inbox", "LedgerEntry", "Mail", "MailText", "Mandate", "Member", "Notice", "Offer", "Outbox",
    "Owner", "Payment", "Plan", "PriceChange", "Redemption", "Refund", "Site", "SiteOwner", "Subscription",
    "Takeover", "Visit", "Withdrawal",
]  # fmt: skip
