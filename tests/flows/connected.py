"""A shop whose site is connected to Kajabi's public API, and what is changed at Kajabi behind our back."""

from linkpay.store.tables import Site
from tests.flows.stage import Stage

ANNA, EVA = "anna@example.com", "eva@example.com"


def connect(stage: Stage, *, repair: bool = False, tags: dict[str, str] | None = None) -> None:
    """Enter the key of Kajabi's API."""
    (theirs,) = [
        site
        for site in stage.sandbox.call("GET", "/_sandbox/kajabi/sites")
        if site["id"] == stage.shop.kajabi_site
    ]
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        site.kajabi_site_id, site.kajabi_client_id = theirs["id"], theirs["client_id"]
        site.kajabi_client_secret_sealed = stage.parts.box.seal(
            site.id, "kajabi_client_secret", theirs["client_secret"]
        )
        site.policy, site.kajabi_tags = {"drift": "repair" if repair else "report"}, tags or {}


def at_kajabi(stage: Stage, email: str, action: str) -> None:
    """Somebody changes at Kajabi, behind our back, what she has."""
    world = stage.sandbox.world
    with world.books.lock:
        (member,) = [m for m in world.books.members if m.email == email]
        state = {"revoke": "revoked", "grant": "granted"}[action]
        member.grants[stage.shop.kajabi_offer] = {
            **member.grants.get(stage.shop.kajabi_offer, {"times": 1}), "state": state,
        }  # fmt: skip
        products = world.books.offers.rows[stage.shop.kajabi_offer].products
        member.products = [] if action == "revoke" else list(products)
        world.books.members.save(member)


def make_drift(stage: Stage) -> None:
    """Anna lost what she should have, Eva has what she should not have."""
    stage.buy(ANNA)
    stage.buy(EVA)
    stage.advance(minutes=5)
    payment = stage.mollie_ids(stage.charges(EVA)[0].id)[0]
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment}/refunds", {})
    stage.post(payment)
    stage.advance(minutes=5)
    assert not stage.has_access(EVA)
    at_kajabi(stage, ANNA, "revoke")
    at_kajabi(stage, EVA, "grant")
