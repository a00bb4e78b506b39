"""``restore``: a backup in the place of the database, so that nobody is charged twice by it."""

from pathlib import Path

import click

from config.settings import load_settings
from linkpay.bootstrap import build
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.clock import SystemClock
from linkpay.services import measuring
from linkpay.store import backup
from linkpay.store.db import STORE_ERRORS, Database


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Replace what is in the database now.")
@speaking
def restore(output: Output, file: Path, yes: bool) -> None:
    """Put the backup FILE in the place of the database. Stop web, workers and clock first.

    After the start Mollie's payments are read before anything is charged, and access is given anew.
    """
    parts = build(load_settings())
    machine = SystemClock().now()
    try:
        backup.require_backup(parts.database, file.absolute())
        if _is_used(parts.database):
            raise CommandFailed(
                "still_running",
                "A clock process was heard within the last minute. Stop web, workers and clock, wait a minute"
                " and run this again.",
            )
        if backup.is_live(parts.database) and not yes:
            raise CommandFailed(
                "not_empty",
                "There are sites in this database. Back it up, then say --yes to replace all of it.",
            )
        made_at = backup.restore(parts.database, file.absolute(), parts.clock.now(), machine)
    except backup.BackupFailed as problem:
        raise CommandFailed("restore_failed", str(problem)) from problem
    finally:
        parts.database.dispose()
    output.document({"file": str(file), "knows_until": made_at})
    output.people.print(f"The database is as it was on {made_at:%Y-%m-%d %H:%M:%S} UTC.")
    output.people.print("Start everything again: Mollie's payments since then are read before any charge.")


def _is_used(database: Database) -> bool:
    try:
        with database.read() as tx:
            return measuring.clock_answers(tx, SystemClock().now())
    except STORE_ERRORS:
        return False  # nothing there yet
