"""Everything that happened to a person or a payment, in order, to the millisecond."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from linkpay.domain.email import email_to_find
from linkpay.domain.ledger import EntryKind
from linkpay.domain.snapshots import PaymentStatus
from linkpay.errors import NotFound
from linkpay.store import overview as store
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Event, Inbox, LedgerEntry, Member, Payment, Subscription

_MONEY = frozenset(kind.value for kind in EntryKind)
_CAME_TO_NOTHING = (PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `amount_cents` is money that moved: positive when it came in.

    `what` is a stable word: an event's kind, or ``payment_made``, ``payment_asked``,
    ``webhook_arrived``, ``webhook_handled``. `data` holds plain values, never secrets.
    """

    at: datetime
    what: str
    who: str
    subscription_id: int
    payment: str | None = None
    amount_cents: int | None = None
    currency: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Money:
    """Sums over the ledger in cents, all positive, per currency. `outside_cents` came past Mollie."""

    currency: str
    paid_cents: int
    refunded_cents: int
    charged_back_cents: int
    outside_cents: int = 0

    @property
    def kept_cents(self) -> int:
        """What is left; negative is a loss."""
        return self.paid_cents + self.outside_cents - self.refunded_cents - self.charged_back_cents


@dataclass(frozen=True, slots=True)
class Timeline:
    """The moments in order, what the money came to, and the zone in which to show instants."""

    subject: str
    zone: str
    moments: list[Moment]
    money: list[Money]


def of(tx: Tx, subject: str, *, site_id: int | None = None) -> Timeline:
    """The timeline of an e-mail address or of a payment (``tr_...``), on one site when it is named.

    A payment's ends where the next payment of the same subscription begins. Raises NotFound, and
    InputError for a subject that is neither.
    """
    if subject.startswith("tr_"):
        return _of_payment(tx, subject, site_id)
    return of_person(tx, email_to_find(subject), site_id)


def of_person(tx: Tx, email: str, site_id: int | None) -> Timeline:
    """The timeline of a person by her address as it is kept. Raises NotFound."""
    owned, members = store.subscriptions_of(tx, email, site_id), store.members_of(tx, email, site_id)
    if not owned and not members:
        raise NotFound(
            "person_unknown", f"Nobody with the e-mail address {email} ever began to buy.", "subject"
        )
    ids = [subscription.id for subscription in owned]
    payments = store.payments_of(tx, ids)
    return Timeline(
        email,
        _zone(tx, owned[0] if owned else members[0]),
        moments(tx, ids, [member.id for member in members], payments),
        _sums(store.entries_of(tx, [p.id for _, p in payments], outside_of=ids)),
    )


def moments(
    tx: Tx, ids: Sequence[int], member_ids: Sequence[int], payments: Sequence[tuple[int, Payment]]
) -> list[Moment]:  # fmt: skip
    """All that happened to subscriptions and members, in order. `payments` are (subscription id, attempt)."""
    events = _events(tx, ids, payments, member_ids)
    return _in_order([*events, *_payments(tx, payments)])


def _of_payment(tx: Tx, mollie_id: str, site_id: int | None) -> Timeline:
    known = [one for one in store.payments_by_ref(tx, mollie_id) if site_id in (None, one.site_id)]
    if not known:
        raise NotFound("payment_unknown", f"No payment here is called {mollie_id}.", "subject")
    payment, subscription = known[0], store.subscription_of(tx, known[0])
    of_it = store.payments_of(tx, [subscription.id])
    ends_at = min((other.created_at for _, other in of_it if other.id > payment.id), default=None)
    found = [
        moment
        for moment in _events(tx, [subscription.id], of_it)
        if moment.payment == mollie_id
        or (
            moment.payment is None
            and moment.at >= payment.created_at
            and (ends_at is None or moment.at < ends_at)
        )
    ]
    found += _payments(tx, [(subscription.id, payment)])
    return Timeline(
        mollie_id, _zone(tx, subscription), _in_order(found), _sums(store.entries_of(tx, [payment.id]))
    )


def _zone(tx: Tx, owned: Subscription | Member) -> str:
    return sites.get(tx, owned.site_id).zone


def _in_order(moments: Iterable[Moment]) -> list[Moment]:
    return sorted(moments, key=lambda moment: moment.at)


def _events(
    tx: Tx, ids: Sequence[int], payments: Sequence[tuple[int, Payment]], members: Sequence[int] = ()
) -> list[Moment]:  # fmt: skip
    by_id = {payment.id: payment for _, payment in payments}
    currencies = {subscription_id: payment.currency for subscription_id, payment in payments}
    return [_event(event, by_id, currencies) for event in store.events_of(tx, ids, members)]


def _event(event: Event, payments: dict[int, Payment], currencies: dict[int, str]) -> Moment:
    payment = payments.get(event.payment_id or 0)
    subscription_id = event.subscription_id or 0
    data = dict(event.data)
    moved = data.pop("amount_cents", None) if event.kind in _MONEY else None
    return Moment(
        at=event.created_at,
        what=event.kind,
        who=event.actor,
        subscription_id=subscription_id,
        payment=payment.mollie_id if payment else None,
        amount_cents=moved,
        currency=currencies.get(subscription_id),
        data=data,
    )


def _payments(tx: Tx, payments: Sequence[tuple[int, Payment]]) -> list[Moment]:
    found: list[Moment] = []
    refs: dict[int, dict[str, int]] = {}
    for subscription_id, payment in payments:
        found += _attempt(subscription_id, payment)
        if payment.mollie_id is not None:
            refs.setdefault(payment.site_id, {})[payment.mollie_id] = subscription_id
    for site_id, by_ref in refs.items():
        for message in store.messages_about(tx, site_id, by_ref):
            found += _message(by_ref[message.ref], message)
    return found


def _attempt(subscription_id: int, payment: Payment) -> list[Moment]:
    data: dict[str, Any] = {"amount_cents": payment.amount_cents, "sequence": payment.sequence.value}
    if payment.status in _CAME_TO_NOTHING:
        # When it failed is not kept on the payment; that is when the webhook was handled.
        data["came_to"] = " ".join(filter(None, (payment.status.value, payment.failure_code)))
    found = [
        Moment(
            payment.created_at, "payment_made", "linkpay", subscription_id, payment.mollie_id,
            currency=payment.currency, data=data,
        )
    ]  # fmt: skip
    if payment.key_used_at is not None:
        asked = Moment(payment.key_used_at, "payment_asked", "linkpay", subscription_id, payment.mollie_id)
        found.append(asked)
    return found


def _message(subscription_id: int, message: Inbox) -> list[Moment]:
    # A message without a type was noted by us, e.g. by the daily watch; its body says why.
    noted = message.content_type == ""
    who, why = ("linkpay", {"why": message.body.decode(errors="replace")[:80]}) if noted else ("mollie", {})
    arrived = "look_noted" if noted else "webhook_arrived"
    found = [
        Moment(
            message.created_at, arrived, who, subscription_id, message.ref,
            data={"inbox": message.id, **why},
        )
    ]  # fmt: skip
    if message.done_at is not None:
        found.append(
            Moment(
                message.done_at, "webhook_handled", "worker", subscription_id, message.ref,
                data={"inbox": message.id, "outcome": message.outcome or "handled"},
            )
        )  # fmt: skip
    elif message.parked_at is not None:
        found.append(
            Moment(
                message.parked_at, "webhook_parked", "worker", subscription_id, message.ref,
                data={"inbox": message.id, "why": message.last_error or ""},
            )
        )  # fmt: skip
    return found


def _sums(entries: Iterable[LedgerEntry]) -> list[Money]:
    sums: dict[str, dict[str, int]] = {}
    for entry in entries:
        total = sums.setdefault(entry.currency, {"payment": 0, "refund": 0, "chargeback": 0, "outside": 0})
        total[entry.kind.value.removesuffix("_undone")] += entry.amount_cents
    return [
        Money(currency, total["payment"], -total["refund"], -total["chargeback"], total["outside"])
        for currency, total in sorted(sums.items())
    ]
