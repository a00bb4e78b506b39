"""Every table, so that the metadata is whole wherever it is imported."""

from linkpay.store.tables.base import Base as Base
from linkpay.store.tables.bulk import BulkItem, BulkRun, SavedView
from linkpay.store.tables.drift import DriftFinding, DriftRun
from linkpay.store.tables.messages import Attention, Event, Inbox, Mail, MailText, Outbox
from linkpay.store.tables.money import Charge, Credit, LedgerEntry, Payment, Refund
from linkpay.store.tables.operations import ApiCall, ApiKey, BookCheck, Counter, KeptNumbers, Progress
from linkpay.store.tables.owners import Attempt, Invitation, Owner, OwnerSession, RecoveryCode, SiteOwner
from linkpay.store.tables.people import Consent, Customer, Gift, Grant, Mandate, Member, Renewal, Visit
from linkpay.store.tables.sites import Bump, Coupon, Logo, Offer, Plan, Site
from linkpay.store.tables.subscriptions import (
    Notice,
    PriceChange,
    Redemption,
    Subscription,
    Takeover,
    Upsell,
    Withdrawal,
    WorthChange,
)

__all__ = [
    "ApiCall", "ApiKey", "Attempt", "Attention", "Base", "BookCheck", "BulkItem", "BulkRun", "Bump",
    "Charge", "Consent", "Counter", "Coupon", "Credit", "Customer", "DriftFinding", "DriftRun", "Event",
    "Gift", "Grant", "Inbox", "Invitation", "KeptNumbers", "LedgerEntry", "Logo", "Mail", "MailText",
    "Mandate", "Member", "Notice", "Offer", "Outbox", "Owner", "OwnerSession", "Payment", "Plan",
    "PriceChange", "Progress", "RecoveryCode", "Redemption", "Refund", "Renewal", "SavedView", "Site",
    "SiteOwner", "Subscription", "Takeover", "Upsell", "Visit", "Withdrawal", "WorthChange",
]  # fmt: skip
