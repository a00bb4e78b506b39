"""``upsell-link``: make a link by which a customer can buy something by one click."""

import click

from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.email import normalise_email
from linkpay.services import upselling
from linkpay.store import sites


@click.command("upsell-link")
@click.option("--email", required=True, help="Who is to buy; she bought at this site before.")
@click.option("--offer", required=True, help="What, by the offer's short name.")
@click.option("--plan", help="How it is paid, by the plan's short name; the offer's first when left out.")
@click.option("--site", help="The site, by the name in its addresses.")
@speaking
def upsell_link(output: Output, email: str, offer: str, plan: str | None, site: str | None) -> None:
    """Print a link that sells OFFER by one click to who has a valid mandate, once, within two weeks."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.write() as tx:
            row = sites.get(tx, chosen.id)
            sold = upselling.plan_of(tx, row, offer, plan)
            secret = upselling.link_for(tx, row, normalise_email(email), sold, parts.clock.now())
        address = f"{parts.base_url}/{chosen.slug}/upsell/{secret}"
    output.document({"url": address, "email": email, "offer": offer, "plan": plan})
    output.people.print(address, soft_wrap=True, markup=False, highlight=False)
