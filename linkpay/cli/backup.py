"""``backup``: one moment of the whole database in a file, while everything runs."""

from contextlib import suppress
from pathlib import Path

import click

from linkpay.cli.context import opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.store import intake
from linkpay.store.backup import BackupFailed, save
from linkpay.store.db import DATABASE_ERRORS


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@speaking
def backup(output: Output, file: Path) -> None:
    """Write the whole database to FILE; nobody has to stop meanwhile.

    It holds members' names and addresses, and secrets that only ENCRYPTION_KEYS open: keep both, apart.
    """
    with opened() as (_, parts):
        with suppress(*DATABASE_ERRORS):  # somebody still writes for long, and they go on waiting
            intake.catch_up(parts.database)
        try:
            size = save(parts.database, file.absolute())
        except BackupFailed as problem:
            raise CommandFailed("backup_failed", str(problem)) from problem
    output.document({"file": str(file), "bytes": size})
    output.people.print(f"{file} holds everything up to now ({size / 1_000_000:.1f} MB).")
