"""``backup``: one moment of the whole database in a file, while everything runs."""

from pathlib import Path

import click

from linkpay.cli.context import opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.store.backup import BackupFailed, save


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@speaking
def backup(output: Output, file: Path) -> None:
    """Write the whole database to FILE; nobody has to stop meanwhile.

    It holds members' names and addresses, and secrets that only ENCRYPTION_KEYS open: keep both, apart.
    """
    with opened() as (_, parts):
        try:
            size = save(parts.database, file.absolute())
        except BackupFailed as problem:
            raise CommandFailed("backup_failed", str(problem)) from problem
    output.document({"file": str(file), "bytes": size})
    output.people.print(f"{file} holds everything up to now ({size / 1_000_000:.1f} MB).")
