"""``doctor``: checks settings and connections, and says what to do."""

from collections.abc import Iterator, Sequence

import click
from rich.table import Table
from rich.text import Text

from config.settings import Settings, load_settings
from linkpay.bootstrap import build
from linkpay.cli import outside_checks, own_checks
from linkpay.cli.findings import Finding, bad, ok, warn
from linkpay.cli.output import Output, speaking
from linkpay.cli.words import count
from linkpay.errors import SettingsError
from linkpay.services.checkup import Level
from linkpay.services.parts import Parts

_MARKS = {Level.OK: ("✓ ok", "green"), Level.WARN: ("! warn", "yellow"), Level.BAD: ("✗ bad", "bold red")}


@click.command()
@speaking
def doctor(output: Output) -> None:
    """Check settings and connections; say what to do."""
    found: list[Finding] = []
    for finding in _findings():
        found.append(finding)
        output.people.print(_line(finding), soft_wrap=True)
    troubles = [finding for finding in found if finding.level is Level.BAD]
    output.document({"ok": not troubles, "findings": found})
    output.people.print(closing(found))
    if troubles:
        click.get_current_context().exit(1)


def closing(found: Sequence[Finding]) -> Text:
    """The last line: whether all is well, and what is not."""
    levels = [finding.level for finding in found]
    troubles, warnings = levels.count(Level.BAD), levels.count(Level.WARN)
    if troubles:
        return Text(f"\n{troubles} of {len(found)} checks found trouble.", style="bold red")
    if warnings:
        passed = count(len(found) - warnings, "check")
        return Text(f"\n{passed} passed, {count(warnings, 'warning')}.", style="bold yellow")
    return Text(f"\nAll {len(found)} checks are passed.", style="bold green")


def _findings() -> Iterator[Finding]:
    try:
        settings = load_settings()
    except SettingsError as error:
        yield bad("settings", str(error), "Set them; config/env.example has a sentence on each.")
        return
    yield ok("settings", f"complete, for {settings.env}")
    for warning in settings.warnings():
        yield warn("settings", warning, "See config/env.example.")
    parts = build(settings)
    try:
        yield from _of_parts(settings, parts)
    finally:
        parts.database.dispose()


def _of_parts(settings: Settings, parts: Parts) -> Iterator[Finding]:
    state = own_checks.database(parts)
    yield state
    yield from own_checks.redis(settings)
    if state.level is Level.OK:
        yield own_checks.clock(parts)
        yield own_checks.secrets(parts)
        yield from own_checks.waiting(parts)
        yield from outside_checks.mollie(parts)
        yield from outside_checks.kajabi(parts)
        yield from outside_checks.kajabi_api(parts)
    yield outside_checks.own_address(settings)
    yield outside_checks.mail(settings)
    yield own_checks.time(settings, parts)


def _line(finding: Finding) -> Table | Text:
    mark, style = _MARKS[finding.level]
    said = Text(finding.said)
    if finding.mend:
        said.append(f"\n→ {finding.mend}", style="cyan")
    if "\n" in finding.said:  # recipes to be copied are in it, which a column would break
        return Text.assemble((mark, style), f"   {finding.check}: ", said)
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=6, style=style, no_wrap=True)
    line.add_column(width=18, overflow="fold")
    line.add_column(overflow="fold")
    line.add_row(mark, finding.check, said)
    return line
