"""``replay``: handle a message again, or go on with work that was set aside."""

import re
import time

import click

from linkpay.cli.context import opened
from linkpay.cli.output import Output, speaking
from linkpay.redaction import clean
from linkpay.services import replay as service
from linkpay.services.parts import Parts
from linkpay.store.tables import Inbox, Outbox

_ROW = re.compile(r"(?:(inbox|outbox):)?([0-9]{1,18})", re.ASCII)


class _Row(click.ParamType[tuple[bool, int]]):
    name = "row"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[bool, int]:
        match = _ROW.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is neither a number nor outbox:NUMBER", param, ctx)
        return match[1] != "outbox", int(match[2])


@click.command()
@click.argument("row", type=_Row(), metavar="INBOX_ID|outbox:ID")
@click.option("--wait", default=10.0, show_default=True, help="Seconds to wait for what comes of it.")
@speaking
def replay(output: Output, row: tuple[bool, int], wait: float) -> None:
    """Handle a message again, or go on with parked work.

    INBOX_ID names an inbox row, handled or parked; outbox:ID a parked outbox row. It is always safe.
    """
    is_message, row_id = row
    with opened() as (_, parts):
        with parts.database.write() as tx:
            again = service.message if is_message else service.work
            done = again(tx, row_id, parts.clock.now())
        state, said = _what_came(parts, is_message, row_id, wait)
    output.document({"row": done.row, "ref": done.ref, "was": done.was, "is": state, "outcome": said})
    output.people.print(f"{done.row} ({done.kind} {done.ref}) was {done.was} and is due again.", markup=False)
    if state == "waiting":
        output.people.print(
            "No worker took it yet: it stays due. `doctor` says whether one runs.", style="yellow"
        )
    else:
        output.people.print(f"It is {state}{f': {said}' if said else ''}.", markup=False)


def _what_came(parts: Parts, is_message: bool, row_id: int, seconds: float) -> tuple[str, str | None]:
    """(handled, parked or waiting, what was said) once it is decided or time is up."""
    ends = time.monotonic() + seconds
    while True:
        with parts.database.read() as tx:
            row = tx.get_one(Inbox, row_id) if is_message else tx.get_one(Outbox, row_id)
            outcome = row.outcome if isinstance(row, Inbox) else None
        error = clean(row.last_error) if row.last_error else None
        if row.done_at is not None:
            return "handled", outcome
        if row.parked_at is not None:
            return "parked", error
        if time.monotonic() >= ends:
            return "waiting", error
        time.sleep(0.05)
