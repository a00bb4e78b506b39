"""``migrate``: bring the database to the present schema."""

import click

from config.settings import load_settings
from linkpay.cli.output import Output, speaking
from linkpay.cli.words import count
from linkpay.store import schema
from linkpay.store.db import Database


@click.command()
@speaking
def migrate(output: Output) -> None:
    """Bring the database to the present schema; safe to run again."""
    database = Database(load_settings().database_url.get_secret_value())
    try:
        before = schema.missing(database)
        schema.upgrade(database)
        left = set(schema.missing(database))
    finally:
        database.dispose()
    applied = [revision for revision in before if revision not in left]
    output.document({"applied": applied})
    for revision in applied:
        output.people.print(f"  {revision}", style="dim")
    if applied:
        output.people.print(f"Applied {count(len(applied), 'migration')}; the database is up to date.")
    else:
        output.people.print("Nothing to do: the database is up to date.")
