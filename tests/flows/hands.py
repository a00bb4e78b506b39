"""What people, banks and other systems do on the stage: buying, paying, refusing, misbehaving."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from linkpay.clock import ManualClock
from linkpay.domain.snapshots import PaymentSnapshot
from linkpay.domain.subscription import SubscriptionEvent
from linkpay.ports import AccessOrder
from linkpay.sandbox.mollie import passage
from linkpay.services import checkout, lifecycle, ordering
from linkpay.services.parts import Parts
from linkpay.store import sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Outbox, Subscription
from tests.flows.books import KEY, Books
from tests.flows.crash import Killed
from tests.flows.shop import Shop

BASE_URL = "https://pay.example.com"
Result = TypeVar("Result")


class Hands(Books, ABC):
    """Acts of everybody but us. `work` does what they cause."""

    clock: ManualClock
    parts: Parts
    hooked: set[str]

    @abstractmethod
    def work(self) -> None:
        """Deliver and do everything that is due now, until nothing is."""

    def begin(self, email: str, plan: str = "monthly", **chosen: Any) -> Charge:
        """Fill in the checkout; the first charge. `chosen` is a coupon, bumps and so on."""
        with self.database.write() as tx:
            return self.begin_in(tx, email, plan, **chosen)

    def begin_in(self, tx: Tx, email: str, plan: str, **chosen: Any) -> Charge:
        """The same in a transaction that is committed whatever comes of it."""
        found = sites.plan(tx, self.shop.site_id, plan)
        assert found is not None
        site = sites.get(tx, self.shop.site_id)
        buyer = ordering.Buyer("Anna de Vries", email, "nl")
        agreed, now = ordering.Agreement("I agree"), self.clock.now()
        return ordering.begin(tx, site, ordering.Order(found, **chosen), buyer, agreed, now)[1]

    def go_pay(self, charge: Charge) -> checkout.Result:
        """Press the pay button of a charge."""
        return checkout.pay(self.parts, charge.id)

    def bank(self, payment_id: str, status: str, reason: str | None = None, **more: Any) -> None:
        """What the bank or the buyer makes of a payment."""
        body = {"status": status} | ({"reason": reason} if reason else {}) | more
        self.sandbox.call("POST", f"/_sandbox/payments/{payment_id}", body)

    def insist(self, act: Callable[[], Result]) -> Result:
        """Do what a person does; when the page dies, she presses again."""
        for _ in range(20):
            try:
                return act()
            except Killed:
                self.clock.advance(timedelta(seconds=2))
        raise AssertionError("the page never works")

    def buy(self, email: str, plan: str = "monthly", **chosen: Any) -> Subscription:
        """A whole purchase, paid, and worked off."""
        charge = self.insist(lambda: self.begin(email, plan, **chosen))
        self.pay_by_link(charge)
        return self.subscription(email)

    def pay_by_link(self, charge: Charge) -> None:
        """Press pay until there is an address, and pay there."""
        for _ in range(20):
            if isinstance(self.insist(lambda: self.go_pay(charge)), checkout.Redirect):
                self.bank(self.mollie_ids(charge.id)[-1], "paid")
                self.work()
                return
            self.clock.advance(timedelta(minutes=4))
        raise AssertionError("no address to pay at")

    def buy_at_kajabi(self, email: str, shape: str = "A") -> None:
        """Buy in Kajabi's own shop: Kajabi lets her in by itself, and tells us in one of its shapes."""
        if shape not in self.hooked:
            target = f"{BASE_URL}/webhooks/kajabi/{self.shop.token}"
            hook = {"site_id": self.shop.kajabi_site, "target_url": target, "shape": shape}
            self.sandbox.call("POST", "/_sandbox/kajabi/hooks", hook)
            self.hooked.add(shape)
        sale = {"offer_id": self.shop.kajabi_offer, "email": email, "name": "Anna de Vries"}
        self.sandbox.call("POST", "/_sandbox/kajabi/purchases", sale)

    def order_at(self, url: str, email: str, external_user_id: str) -> AccessOrder:
        """A grant at an address of Kajabi, as another cart would send it."""
        return AccessOrder(url, grant=True, name="Anna", email=email, external_user_id=external_user_id)

    def make_due(self, row: Outbox) -> None:
        """Let a piece of work be done now, again if it was done."""
        with self.database.write() as tx:
            again = tx.get_one(Outbox, row.id)
            again.done_at, again.parked_at, again.run_at = None, None, self.clock.now()

    def stop(self, email: str) -> None:
        """End her subscription for good."""
        with self.database.write() as tx:
            held = subscriptions.lock(tx, self.subscription(email).id)
            lifecycle.end(tx, held, SubscriptionEvent.STOPPED, "owner", self.clock.now())

    def disturb(self, kind: str, match: str = "", target: str = "mollie", count: int = 1) -> None:
        """Let Mollie or Kajabi misbehave from now on."""
        fault = {"target": target, "match": match, "kind": kind, "count": count}
        self.sandbox.call("POST", "/_sandbox/faults", fault)

    def calm(self) -> None:
        """No more disturbances."""
        self.sandbox.call("DELETE", "/_sandbox/faults")

    # Mollie, beyond what its sandbox offers by itself ------------------------------------------------

    def pay_after_all(self, payment_id: str) -> None:
        """Money arrives for a payment that had come to nothing."""
        world = self.sandbox.world
        with world.books.lock:
            passage.pay(world, world.books.payments.rows[payment_id])

    def bank_view_list(self) -> list[PaymentSnapshot]:
        """Every payment at Mollie, newest first."""
        return list(self.bank_view.list_payments(KEY, limit=1000))

    def newest_at_mollie(self) -> str:
        """The id of the newest payment, seen without a call that could be disturbed."""
        return list(self.sandbox.world.books.payments)[-1].id

    # The test itself ---------------------------------------------------------------------------------

    def replace_part(self, name: str, part: Any) -> None:
        """Give the jobs another clock, network or mail server."""
        self.parts = replace(self.parts, **{name: part})

    def pass_time(self, by: timedelta) -> None:
        """Time passes for us alone: Mollie's events wait."""
        self.clock.advance(by)

    @contextmanager
    def on(self, shop: Shop) -> Iterator[None]:
        """Look at, and act in, another shop meanwhile."""
        before, self.shop = self.shop, shop
        try:
            yield
        finally:
            self.shop = before
