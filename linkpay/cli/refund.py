"""``refund``: send money of a charge back, whole or in parts."""

import secrets

import click

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.errors import NotFound
from linkpay.services import refunds
from linkpay.store import charges
from linkpay.store.db import Tx


@click.command()
@click.argument("subject", metavar="tr_...|CHARGE")
@click.option("--cents", type=int, help="How much; all that is kept when left out.")
@click.option("--name", help="Names this refund: the same name again sends nothing more.")
@click.option(
    "--despite-reversal", is_flag=True, help="Also while the member's bank may still reverse the debit."
)
@click.option("--site", help="The site, by the name in its addresses.")
@speaking
def refund(
    output: Output,
    subject: str,
    cents: int | None,
    name: str | None,
    despite_reversal: bool,
    site: str | None,
) -> None:
    """Send money back to who paid it.

    SUBJECT is a payment's id at Mollie or the number of a charge, as `debt list` and `timeline` show them.
    """
    reason = name or f"owner:{secrets.token_hex(4)}"
    with opened() as (_, parts):
        site_id = chosen_site(parts, site).id
        with parts.database.write() as tx:
            made = refunds.order(
                tx, _charge_id(tx, site_id, subject), cents, reason, "owner", parts.clock.now(),
                despite_reversal=despite_reversal,
            )  # fmt: skip
            total, currency = sum(one.amount_cents for one in made), made[0].currency
    output.document({"name": reason, "cents": total, "currency": currency, "refunds": len(made)})
    output.people.print(f"{words.money(total, currency)} goes back (named {reason}).", markup=False)


def _charge_id(tx: Tx, site_id: int, subject: str) -> int:
    if subject.startswith("tr_"):
        payment = charges.payment_by_mollie_id(tx, site_id, subject)
        if payment is None:
            raise NotFound("payment_unknown", f"No payment here is called {subject}.", "subject")
        return payment.charge_id
    if not subject.isascii() or not subject.isdigit() or len(subject) > 18:
        raise NotFound("charge_unknown", f"{subject!r} is neither a payment's id nor a charge.", "subject")
    return charges.of_site(tx, site_id, int(subject)).id
