"""What a member can open now, as a page: access that can be seen."""

from linkpay.sandbox.pages import page
from linkpay.sandbox.web import Request, Response
from linkpay.sandbox.world import World


def answer(world: World, request: Request) -> Response:
    """``/kajabi/library/<site>/<member>``."""
    parts = request.path.strip("/").split("/")
    with world.books.lock:
        member = world.books.members.get(parts[3]) if len(parts) == 4 else None
        if member is None or member.site_id != parts[2]:
            return page("message.html", 404, title="Not found", text="There is no such member.")
        site = world.books.sites.rows[member.site_id]
        products = world.books.products.rows
        closed = {
            product
            for offer_id in member.grants
            for product in world.books.offers.rows[offer_id].products
            if product not in member.products
        }
        return page(
            "library.html",
            site=site,
            member=member,
            open=[products[each].title for each in member.products],
            closed=sorted(products[each].title for each in closed),
        )
