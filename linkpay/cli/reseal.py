"""``reseal``: bring all secrets under the newest key of ENCRYPTION_KEYS."""

import click

from linkpay.cli.context import opened
from linkpay.cli.output import Output, speaking
from linkpay.cli.words import count
from linkpay.services import resealing


@click.command()
@speaking
def reseal(output: Output) -> None:
    """Seal all secrets with the first of ENCRYPTION_KEYS; afterwards the older keys can be taken away.

    Backups made before need the older keys: keep those for as long.
    """
    with opened() as (_, parts):
        sealed = resealing.run(parts.database, parts.box)
    output.document({"sealed": sealed})
    output.people.print(f"Sealed {count(sealed, 'secret')} with the newest key.")
    output.people.print(
        "Keys other than the first may now be taken out of ENCRYPTION_KEYS. Keep them elsewhere for as long"
        " as you keep backups made before: their secrets open with nothing else.",
        style="dim",
    )
