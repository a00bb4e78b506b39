"""What there is: read from our database, and from the sandbox's books with a second pair of eyes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from linkpay.adapters.mollie import MollieProvider
from linkpay.domain.charge import ChargeState
from linkpay.sandbox.app import Sandbox
from linkpay.store import charges, subscriptions
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Attention, Charge, Grant, Inbox, Mail, Member, Outbox, Subscription
from linkpay.store.tables.people import Access
from tests.flows.shop import Shop

KEY = "test_stageofourown"


class Books:
    """Questions about one site; nothing here changes anything."""

    database: Database
    sandbox: Sandbox
    bank_view: MollieProvider
    shop: Shop

    def subscription(self, email: str) -> Subscription:
        """The member's newest subscription."""
        with self.database.read() as tx:
            member = self._member(tx, email)
            return subscriptions.for_access(tx, member.id, self.shop.offer_id)[-1]

    def charges(self, email: str) -> Sequence[Charge]:
        """All charges of the member's newest subscription."""
        with self.database.read() as tx:
            return charges.of_subscription(tx, self.subscription(email).id)

    def grant(self, email: str) -> Grant | None:
        """The member's grant."""
        with self.database.read() as tx:
            member = self._member(tx, email)
            return next(
                (g for g in tx.query(Grant).filter_by(member_id=member.id, offer_id=self.shop.offer_id)), None
            )

    def _member(self, tx: Tx, email: str) -> Member:
        return tx.query(Member).filter_by(site_id=self.shop.site_id, email=email).one()

    def mollie_ids(self, charge_id: int) -> list[str]:
        """Ids at Mollie of all attempts for a charge."""
        with self.database.read() as tx:
            return [p.mollie_id for p in charges.payments(tx, charge_id) if p.mollie_id]

    def has_access(self, email: str) -> bool:
        """Whether Kajabi, not we, lets the member in."""
        members = self.sandbox.call("GET", f"/_sandbox/kajabi/members?email={email}")
        return any(offer["state"] == "granted" for offer in self._ours(members))

    def inside(self) -> int:
        """How often Kajabi lets somebody in, over all offers."""
        members = self.sandbox.call("GET", "/_sandbox/kajabi/members")
        return sum(offer["state"] == "granted" for member in members for offer in member["offers"])

    def _ours(self, members: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [o for member in members for o in member["offers"] if o["id"] == self.shop.kajabi_offer]

    def kajabi_calls(self, email: str) -> list[str]:
        """What Kajabi was asked to do for her: ``activate 200`` and so on, oldest first."""
        members = self.sandbox.call("GET", f"/_sandbox/kajabi/members?email={email}")
        return [f"{call['action']} {call['status']}" for member in members for call in member["calls"]]

    def sandbox_calls(self, part: str) -> list[str]:
        """Paths of the newest calls that hold `part`."""
        return [line["path"] for line in self.sandbox.call("GET", "/_sandbox/log") if part in line["path"]]

    def kajabi_mails(self, email: str) -> int:
        """How often Kajabi itself mailed her."""
        return sum(mail["to"] == email for mail in self.sandbox.call("GET", "/_sandbox/mail"))

    def in_step(self, email: str) -> bool:
        """Whether what we wanted, what we applied and what Kajabi has are the same."""
        grant = self.grant(email)
        wanted = grant is not None and grant.wanted is Access.GRANTED
        applied = grant is not None and grant.applied is Access.GRANTED
        return wanted == applied == self.has_access(email)

    def status(self, payment_id: str) -> str:
        """A payment's status at Mollie."""
        return self.bank_view.fetch_payment(KEY, payment_id).status.value

    def open_at_mollie(self) -> list[str]:
        """Ids of payments that buyers can still pay, newest first."""
        return [p.id for p in self.bank_view.list_payments(KEY, limit=100) if p.status.value == "open"]

    def kept_cents(self) -> int:
        """What Mollie holds for the site after refunds and chargebacks."""
        paid = [p for p in self.bank_view.list_payments(KEY, limit=1000) if p.status.value == "paid"]
        return sum(p.amount.cents - p.refunded_cents - p.charged_back_cents for p in paid)

    def mail_kinds(self) -> list[str]:
        """Kinds of all mails that left, oldest first."""
        with self.database.read() as tx:
            return [mail.kind for mail in tx.query(Mail).order_by(Mail.sent_at, Mail.id) if mail.sent_at]

    def promised_until(self, kind: str) -> list[datetime]:
        """Until when each mail of a kind promised access, oldest first."""
        with self.database.read() as tx:
            told = tx.query(Mail).filter_by(kind=kind).order_by(Mail.id)
            return [datetime.fromisoformat(mail.data["until"]) for mail in told]

    def running_debits(self, email: str) -> int:
        """How many debits of the member's newest subscription are under way."""
        return sum(charge.state is ChargeState.COLLECTING for charge in self.charges(email))

    def troubles(self) -> list[str]:
        """Kinds of what is open on the attention list, oldest first."""
        with self.database.read() as tx:
            return [
                item.kind for item in tx.query(Attention).filter_by(solved_at=None).order_by(Attention.id)
            ]

    def messages(self) -> list[Inbox]:
        """Every message received, oldest first."""
        with self.database.read() as tx:
            return tx.query(Inbox).order_by(Inbox.id).all()

    def jobs(self, kind: str) -> list[Outbox]:
        """All work of one kind, oldest first."""
        with self.database.read() as tx:
            return tx.query(Outbox).filter_by(kind=kind).order_by(Outbox.id).all()
