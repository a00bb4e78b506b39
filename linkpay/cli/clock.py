"""``clock now`` and ``clock advance``: the sandbox's time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from linkpay.cli import words
from linkpay.cli.advance import Advance, Tally
from linkpay.cli.context import opened, require_sandbox
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.cli.sandbox import Sandbox
from linkpay.domain.calendar import DEFAULT_ZONE
from linkpay.redaction import clean
from linkpay.services.parts import Parts
from linkpay.store import overview


@click.group()
def clock() -> None:
    """Read and move the sandbox's time."""


@clock.command()
@speaking
def now(output: Output) -> None:
    """Say what time it is in the sandbox."""
    with opened() as (settings, parts):
        require_sandbox(settings)
        ours = parts.clock.now()
        theirs = Sandbox(settings.mollie_api_url).now()
    output.document({"now": ours, "sandbox": theirs})
    output.people.print(_date(ours))


@clock.command()
@click.option("--days", default=0, type=click.IntRange(0, 3660), help="How many days.")
@click.option("--hours", default=0.0, type=click.FloatRange(0, 87_840), help="How many hours (more).")
@speaking
def advance(output: Output, days: int, hours: float) -> None:
    """Move time on and do all work that becomes due on the way."""
    duration = timedelta(days=days, hours=hours)
    if not duration:
        raise click.UsageError("Say how far: --days N, --hours N, or both.")
    with opened() as (settings, parts):
        require_sandbox(settings)
        tally = _move(output, parts, Sandbox(settings.mollie_api_url), duration)
        stuck = _stuck(parts)
    output.document(
        {
            "from": tally.began_at,
            "to": tally.now,
            "steps": tally.steps,
            "happened": _happened(tally),
            "stuck": stuck,
        }
    )
    output.people.print(f"It is [bold]{_date(tally.now)}[/]; all due work is done.")
    output.people.print(f"  {_said(tally) or 'nothing happened'}")
    for one in stuck:
        output.people.print(
            f"  waits for a person: {one.subject}: {one.detail}", style="yellow", markup=False
        )


@dataclass(frozen=True, slots=True)
class Stuck:
    """Something that only a person can solve."""

    subject: str
    detail: str


def _stuck(parts: Parts) -> list[Stuck]:
    with parts.database.read() as tx:
        found = [Stuck(one.subject, clean(one.detail)) for one in overview.attention(tx)]
        named = {one.subject for one in found}
        rows = [(f"{row.__tablename__}:{row.id}", row.last_error or "parked") for row in overview.parked(tx)]
    return found + [Stuck(name, clean(why)) for name, why in rows if name not in named]


def _move(output: Output, parts: Parts, sandbox: Sandbox, duration: timedelta) -> Tally:
    columns = (
        TextColumn("[bold]{task.fields[date]}"), BarColumn(bar_width=24), TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=output.notes, transient=True) as progress:
        began = parts.clock.now()
        task = progress.add_task("", total=duration.total_seconds(), date=_date(began))

        def told(tally: Tally) -> None:
            _show(progress, task, tally)

        try:
            return Advance(parts, sandbox, told).by(duration)
        except CommandFailed as problem:
            reached = _date(parts.clock.now())
            raise CommandFailed(problem.code, f"{problem.message} (Time stands at {reached}.)") from None


def _show(progress: Progress, task: TaskID, tally: Tally) -> None:
    passed = (tally.now - tally.began_at).total_seconds()
    progress.update(task, completed=passed, date=_date(tally.now), description=_said(tally))


_KINDS = {
    "charge_raised": "raised",
    "payment": "paid",
    "refund": "refunded",
    "chargeback": "charged back",
    "access_granted": "granted",
    "access_revoked": "revoked",
    "ended": "ended",
    "mail_sent": "mailed",
}


def _happened(tally: Tally) -> dict[str, int]:
    counted = {name.replace(" ", "_"): tally.events.get(kind, 0) for kind, name in _KINDS.items()}
    raised = counted.pop("raised")
    return {"raised": raised, "debited": tally.debits, **counted, "failed": tally.failed_payments}


def _said(tally: Tally) -> str:
    return ", ".join(
        f"{number:,} {words.spaced(name)}" for name, number in _happened(tally).items() if number
    )


def _date(instant: datetime) -> str:
    local = instant.astimezone(ZoneInfo(DEFAULT_ZONE))
    return f"{local:%a} {words.day(local.date())} {local:%H:%M}"
