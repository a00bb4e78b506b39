"""``export``: everything of a site as CSV files, for a spreadsheet or for another LinkPay."""

import csv
import os
from pathlib import Path

import click

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.domain.cells import write
from linkpay.store import exports
from linkpay.store.db import Tx

_TELL_EVERY = 10_000


@click.command()
@click.option("--site", help="The site, by the name in its addresses; needed when there are several.")
@click.option(
    "--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into; it is made when it is not there.",
)  # fmt: skip
@speaking
def export(output: Output, site: str | None, folder: Path) -> None:
    """Write everything of a site as CSV files: UTF-8, ISO days, cents.

    A cell that a spreadsheet would run as a formula begins with an apostrophe; `import-csv` takes it
    away again. The files name your members: keep them where nobody else reads them.
    """
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.read() as tx:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                written = {
                    sheet.name: _write(tx, sheet, folder, output) for sheet in exports.sheets(chosen.id)
                }
            except OSError as wrong:
                raise CommandFailed("not_written", f"{wrong.filename}: {wrong.strerror}.") from None
    output.document({"site": chosen.slug, "folder": str(folder), "rows": written})
    for name, count in written.items():
        output.people.print(f"  {name}.csv   {words.count(count, 'row')}")
    output.people.print(f"All of {chosen.slug} is in {folder}.", soft_wrap=True)


def _write(tx: Tx, sheet: exports.Sheet, folder: Path, output: Output) -> int:
    """Write one file beside its name and then put it there, so that no half file is ever found."""
    path, count = folder / f"{sheet.name}.csv", 0
    draft = path.with_suffix(".csv.part")
    with open(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="", encoding="utf-8"
    ) as file:
        lines = csv.writer(file)
        lines.writerow(sheet.columns)
        for row in exports.rows(tx, sheet):
            lines.writerow([write(value) for value in row])
            count += 1
            if count % _TELL_EVERY == 0:
                output.notes.print(f"  {sheet.name}: {count:,} so far", style="dim")
    draft.replace(path)
    return count
