"""What a member can open now, as a page: access that can be seen."""

from linkpay.sandbox.kajabi import people
from linkpay.sandbox.kajabi.records import Member, Site
from linkpay.sandbox.pages import page
from linkpay.sandbox.web import Request, Response
from linkpay.sandbox.world import World


def answer(world: World, request: Request) -> Response:
    """``/kajabi/library/<site>/<member>``, or ``/kajabi/library/<site>?email=`` to find the member."""
    parts = request.path.strip("/").split("/")
    with world.books.lock:
        site = world.books.sites.get(parts[2]) if len(parts) > 2 else None
        if site is None:
            return page("message.html", 404, title="Not found", text="There is no such site.")
        if len(parts) == 3:
            email = dict(request.pairs()).get("email", "")
            return _show(world, site, people.by_email(world, site.id, email), email)
        member = world.books.members.get(parts[3])
        return _show(world, site, member if member and member.site_id == site.id else None, "?")


def _show(world: World, site: Site, member: Member | None, asked: str) -> Response:
    """The member's library; without a member the form that asks who she is."""
    if member is None:
        return page("library_door.html", 404 if asked else 200, site=site, asked=asked)
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
