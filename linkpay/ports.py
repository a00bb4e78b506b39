"""The outside world in our words: what services and jobs may ask of it.

Each protocol has one adapter in production and the same adapter against the sandbox in tests;
nothing here knows HTTP. All methods may raise `Retryable`, `OutcomeUnknown` (writes only) or a
`Permanent`; see `linkpay.errors`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from linkpay.domain.money import Money
from linkpay.domain.snapshots import (
    ChargebackSnapshot,
    CustomerSnapshot,
    MandateSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    SubscriptionSnapshot,
)
from linkpay.domain.snapshots import Sequence as PaymentSequence


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What we ask the provider to collect.

    `idempotency_key` is a UUID that was committed before this object was made. A `recurring` order
    always names its `mandate_id`; a `first` or `oneoff` order always has a `redirect_url`.
    """

    idempotency_key: str
    amount: Money
    description: str
    sequence: PaymentSequence
    webhook_url: str
    customer_id: str | None = None
    mandate_id: str | None = None
    method: str | None = None
    redirect_url: str | None = None
    locale: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method the site's Mollie account offers now; limits in cents, None when unlimited."""

    id: str
    description: str
    minimum_cents: int
    maximum_cents: int | None


class SubscriptionProvider(Protocol):
    """Subscriptions that Mollie charges by itself, made by others: read, and stopped to be taken over."""

    def list_customers(self, key: str) -> Sequence[CustomerSnapshot]:
        """Everybody who ever paid at this account, newest first."""

    def list_subscriptions(self, key: str) -> Sequence[SubscriptionSnapshot]:
        """Every subscription of the account, whatever its status, newest first."""

    def fetch_subscription(self, key: str, customer_id: str, subscription_id: str) -> SubscriptionSnapshot:
        """One subscription as it is now. `Missing` when it, or its customer, is not this account's."""

    def cancel_subscription(self, key: str, customer_id: str, subscription_id: str) -> None:
        """Stop it for good; its mandate stays. May be repeated: `fetch_subscription` says what came of it.

        Raises `Permanent` when Mollie refuses, which it also does for one that is canceled already.
        """

    def list_subscription_payments(
        self, key: str, customer_id: str, subscription_id: str
    ) -> Sequence[PaymentSnapshot]:
        """What the subscription made so far, newest first, without refunds and chargebacks."""


class PaymentProvider(SubscriptionProvider, Protocol):
    """Mollie. `key` is the site's secret API key; `now`-free: the provider has its own clock."""

    def create_customer(
        self,
        key: str,
        *,
        idempotency_key: str,
        name: str,
        email: str,
        locale: str | None,
        metadata: Mapping[str, str],
    ) -> str:
        """Make a customer and return its id (``cst_...``)."""

    def create_payment(self, key: str, order: PaymentOrder) -> PaymentSnapshot:
        """Ask for money. The same order with the same key within the hour is the same payment."""

    def fetch_payment(self, key: str, payment_id: str) -> PaymentSnapshot:
        """The payment with its refunds and chargebacks. `Missing` when it is not this account's."""

    def cancel_payment(self, key: str, payment_id: str) -> PaymentSnapshot:
        """Stop a payment that can still be stopped; `Permanent` when it cannot."""

    def list_customer_payments(self, key: str, customer_id: str) -> Iterable[PaymentSnapshot]:
        """All payments of one customer, newest first, without refunds and chargebacks."""

    def list_payments(self, key: str, *, limit: int) -> Iterable[PaymentSnapshot]:
        """The account's newest payments, newest first, at most `limit`."""

    def list_payments_since(self, key: str, since: datetime) -> Sequence[PaymentSnapshot]:
        """Every payment of the account made at or after an instant, newest first, with its totals only."""

    def list_chargebacks(self, key: str, *, limit: int) -> Iterable[tuple[str, ChargebackSnapshot]]:
        """The account's newest chargebacks as (payment id, chargeback), newest first."""

    def list_refunds(self, key: str, *, limit: int) -> Iterable[tuple[str, RefundSnapshot]]:
        """The account's newest refunds as (payment id, refund), newest first."""

    def fetch_mandate(self, key: str, customer_id: str, mandate_id: str) -> MandateSnapshot:
        """The mandate; one that is gone comes back with status `revoked`, not as an error."""

    def list_mandates(self, key: str, customer_id: str) -> Sequence[MandateSnapshot]:
        """All mandates of one customer, newest first."""

    def revoke_mandate(self, key: str, customer_id: str, mandate_id: str) -> None:
        """Revoke; one that is gone already is success."""

    def refund(
        self,
        key: str,
        payment_id: str,
        *,
        idempotency_key: str,
        amount: Money,
        description: str,
        metadata: Mapping[str, str],
    ) -> RefundSnapshot:
        """Send money back."""

    def list_payment_refunds(self, key: str, payment_id: str) -> Sequence[RefundSnapshot]:
        """All refunds of one payment, newest first."""

    def list_methods(
        self, key: str, *, sequence: PaymentSequence, amount: Money | None, locale: str | None
    ) -> Sequence[Method]:
        """Methods the account really offers for such a payment."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A purchase that Kajabi tells of: a hint, never a reason to grant or to move money.

    `offer_id` is Kajabi's; `email` is normalised; `name` may be empty. `ignored` holds the reason
    why the message is no business of ours, and then nothing else is set.
    """

    offer_id: str = ""
    email: str = ""
    name: str = ""
    external_user_id: str | None = None
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class AccessOrder:
    """One grant or revoke at Kajabi: `url` is the secret activation or deactivation address."""

    url: str
    grant: bool
    name: str
    email: str
    external_user_id: str
    send_offer_mail: bool = False


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """Kajabi took the order. `was_so_already` when it only confirmed what was there."""

    status: int
    body: str
    was_so_already: bool


class AccessProvider(Protocol):
    """Kajabi's offer addresses."""

    def read_announcement(self, content_type: str, body: bytes) -> Announcement:
        """What one of Kajabi's own webhooks says. Raises InputError when it cannot be understood."""

    def check_url(self, url: str, *, grant: bool) -> None:
        """Raise InputError when this cannot be an offer address we may send to."""

    def check_pair(self, activation_url: str, deactivation_url: str) -> None:
        """Raise InputError unless both addresses belong to one offer and each does its own work."""

    def mask_url(self, url: str) -> str:
        """The address with its secret hidden but for its end, to tell one from another on a page."""

    def apply(self, order: AccessOrder) -> AccessAnswer:
        """Send the order. Raises `IdentityConflict`, `Missing`, `Permanent`, `Retryable` or
        `OutcomeUnknown`; repeating is harmless, so callers may treat the last two alike."""


@dataclass(frozen=True, slots=True)
class DirectoryKey:
    """How one site is reached in Kajabi's public API. `secret` never leaves the adapter."""

    site_id: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at Kajabi. `email` is in lower case; `products` is None where the API does not show them."""

    id: str
    email: str
    external_user_id: str | None
    offers: frozenset[str] = frozenset()
    products: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DirectoryOffer:
    """An offer at Kajabi with the ids of its products."""

    id: str
    title: str
    products: tuple[str, ...]


class KajabiDirectory(Protocol):
    """Kajabi's public API: reading back, and tags. Optional per site; nothing is granted or revoked by it.

    All methods may raise `CredentialsRefused` for the key, and everything may be repeated.
    """

    def check(self, key: DirectoryKey) -> None:
        """Raise unless the key reaches this site."""

    def find_contact(self, key: DirectoryKey, email: str) -> Contact | None:
        """The contact with exactly this e-mail (lower case), with the offers that she has now."""

    def set_external_id(self, key: DirectoryKey, contact_id: str, external_user_id: str) -> None:
        """Give a customer the id by which we name her. `Permanent` when somebody else has it."""

    def holders(self, key: DirectoryKey, offer_id: str, page: int) -> tuple[Sequence[Contact], bool]:
        """One page (from 1) of who has an offer now, and whether there are more; without their offers."""

    def offers(self, key: DirectoryKey) -> Sequence[DirectoryOffer]:
        """Every offer of the site that can be granted."""

    def tags(self, key: DirectoryKey) -> Mapping[str, str]:
        """Ids of the site's tags by name."""

    def add_tags(self, key: DirectoryKey, contact_id: str, tag_ids: Sequence[str]) -> None:
        """Tag a contact; one that she has already is no error."""

    def remove_tags(self, key: DirectoryKey, contact_id: str, tag_ids: Sequence[str]) -> None:
        """Take tags off a contact; one that she has not is no error."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished mail. `message_id` is ours and stable, so a doubled send is recognisable."""

    message_id: str
    to: str
    sender_name: str
    subject: str
    text: str
    html: str
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Mailer(Protocol):
    """The mail server."""

    def send(self, letter: Letter) -> None:
        """Hand the letter over; returns when the server accepted it."""


class Bell(Protocol):
    """Wakes workers for rows that were just committed. Losing a ring costs seconds, never work."""

    def ring(
        self, inbox_ids: Sequence[int] = (), outbox_ids: Sequence[int] = (), patient_ids: Sequence[int] = ()
    ) -> None:
        """Never raises and never waits for the network. `patient_ids` are outbox rows that can wait."""
