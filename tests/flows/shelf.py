"""Offers beside the shop's own, some of which open the same things at Kajabi."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from linkpay.errors import NotFound
from linkpay.services import gifts
from linkpay.services.gifts import Present
from linkpay.store import grants, people, sites
from linkpay.store.tables import Grant, Offer
from tests.flows.shop import BOX
from tests.flows.stage import Stage

ANNA = "anna@example.com"


@dataclass(frozen=True)
class Shelf:
    """Offers beside the shop's own, each with its products."""

    stage: Stage

    def put(self, slug: str, *products: str) -> None:
        made = self.stage.sandbox.call(
            "POST", "/_sandbox/kajabi/offers",
            {"site_id": self.stage.shop.kajabi_site, "title": slug, "products": list(products)},
        )  # fmt: skip
        site_id = self.stage.shop.site_id
        with self.stage.database.write() as tx:
            tx.add(
                Offer(
                    site_id=site_id, slug=slug, title=slug, kajabi_offer_id=made["id"],
                    created_at=self.stage.clock.now(), products=list(products),
                    activation_url_sealed=BOX.seal(site_id, "activation_url", made["activation_url"]),
                    deactivation_url_sealed=BOX.seal(site_id, "deactivation_url", made["deactivation_url"]),
                )
            )  # fmt: skip

    def give(self, *slugs: str, until: date | None = None) -> None:
        with self.stage.database.write() as tx:
            site = sites.get(tx, self.stage.shop.site_id)
            for slug in slugs:
                gifts.give(tx, site, Present(ANNA, slug, until), "owner", self.stage.clock.now())
        self.stage.work()

    def take(self, *slugs: str) -> None:
        with self.stage.database.write() as tx:
            site = sites.get(tx, self.stage.shop.site_id)
            for slug in slugs:
                with suppress(NotFound):
                    gifts.take_back(tx, site, ANNA, slug, "owner", self.stage.clock.now())
        self.stage.work()

    def open(self) -> set[str]:
        """What Kajabi lets her see."""
        (member,) = self.stage.sandbox.call("GET", f"/_sandbox/kajabi/members?email={ANNA}")
        products = self.stage.sandbox.world.books.products.rows
        return {products[each].title for each in member["products"]}

    def grant(self, slug: str) -> Grant:
        with self.stage.database.read() as tx:
            offer = sites.offer(tx, self.stage.shop.site_id, slug)
            member = people.by_email(tx, self.stage.shop.site_id, ANNA)
            assert offer is not None
            assert member is not None
            found = grants.find(tx, member.id, offer.id)
            assert found is not None
            return found
