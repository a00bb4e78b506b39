"""``member``: what is decided about one subscription; `--dry-run` shows what would come of it."""

import functools
import getpass
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click

from linkpay.cli import forecast as telling
from linkpay.cli.context import ROW, chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.domain.email import email_to_find
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.errors import NotFound
from linkpay.services import forecast, membership, pausing, reactivation, switching
from linkpay.store import people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Site, Subscription

Act = Callable[[Tx, Subscription, str, datetime], object]
_RUNNING = LIVE | {SubscriptionState.PENDING}
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def member() -> None:
    """Decide about one member: cancel, pause, another plan, let it run again."""


def _command(
    name: str, states: frozenset[SubscriptionState]
) -> Callable[[Callable[..., Act]], click.Command]:
    """A command about one subscription of EMAIL that is in one of these states."""

    def wrap(decide: Callable[..., Act]) -> click.Command:
        @functools.wraps(decide)
        def run(output: Output, /, **given: Any) -> None:
            email, number, site = given.pop("email"), given.pop("subscription"), given.pop("site")
            dry_run, locale = given.pop("dry_run"), given.pop("locale")
            act = decide(**given)
            with opened() as (_, parts):
                found = chosen_site(parts, site)
                begin = parts.database.rehearse if dry_run else parts.database.write
                with begin() as tx:
                    now = parts.clock.now()
                    held = _find(tx, found, email_to_find(email), number, states)
                    act(tx, held, _who(), now)
                    tx.flush()
                    then = forecast.of(tx, subscriptions.get(tx, held.id), now)
            output.document({"done": not dry_run, "forecast": then})
            output.people.print("This would come of it:" if dry_run else "It is done. What comes now:")
            telling.show(output, then, locale)

        run.__doc__ = decide.__doc__
        return _with_options(name, run)

    return wrap


def _with_options(name: str, run: Callable[..., None]) -> click.Command:
    """The command with what all of them take."""
    options = (
        click.argument("email"),
        click.option("--subscription", type=ROW, help="Its number, where EMAIL has several."),
        click.option("--dry-run", is_flag=True, help="Show what would come of it and do nothing."),
        click.option(
            "--locale", type=click.Choice(["nl", "en"]), default="en", show_default=True, help="Language."
        ),
        click.option("--site", help="The site, by the name in its addresses."),
    )
    command: Any = speaking(run)
    for option in reversed(options):
        command = option(command)
    made: click.Command = member.command(name)(command)
    return made


def _who() -> str:
    return f"owner:{getpass.getuser()}"[:60]


def _find(
    tx: Tx, site: Site, email: str, number: int | None, states: frozenset[SubscriptionState]
) -> Subscription:
    """The one subscription that is meant. Raises NotFound and CommandFailed."""
    payer, let_in = people.customer_by_email(tx, site.id, email), people.by_email(tx, site.id, email)
    owned = [*(subscriptions.of_payer(tx, payer.id) if payer else [])]
    owned += subscriptions.of_member(tx, let_in.id) if let_in else []
    found = {one.id: one for one in owned if one.origin != "bump"}
    if number is not None:
        if number not in found:
            raise NotFound(
                "subscription_unknown", f"{email} has no subscription {number} here.", "subscription"
            )
        return found[number]
    fitting = [one for one in found.values() if one.state in states]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise NotFound(
            "subscription_unknown", f"{email} has nothing here that this could be done to.", "email"
        )
    numbers = ", ".join(str(one.id) for one in fitting)
    raise CommandFailed(
        "subscription_unclear", f"{email} has several; say --subscription with one of: {numbers}."
    )


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@_command("cancel", _RUNNING)
@click.option(
    "--mode", type=click.Choice([mode.value for mode in CancelMode]), default="period_end", show_default=True
)
@click.option("--on", type=_DAY, help="The day, for --mode date.")
@click.option("--reason", default="", help="Why; colleagues see it.")
def cancel(mode: str, on: datetime | None, reason: str) -> Act:
    """Cancel what EMAIL has: at the end of what is paid, of the term, now, or on a day."""
    return lambda tx, held, actor, now: membership.cancel(
        tx, held.id, mode=CancelMode(mode), on=_day(on), reason=reason, actor=actor, now=now
    )


@_command("undo", frozenset({SubscriptionState.CANCELING}))
def undo() -> Act:
    """Take a cancellation back, until its day."""
    return lambda tx, held, actor, now: membership.undo_cancel(tx, held.id, actor, now)


@_command("pause", LIVE)
@click.option("--until", type=_DAY, required=True, help="The day on which it goes on.")
@click.option(
    "--keep-access/--no-access", default=None, help="Access meanwhile; the policy says when left out."
)
def pause(until: datetime, keep_access: bool | None) -> Act:
    """Collect nothing from the end of what is paid until a day."""
    return lambda tx, held, actor, now: pausing.pause(
        tx, held.id, resume_on=until.date(), keeps_access=keep_access, actor=actor, now=now
    )


@_command("resume", LIVE)
def resume() -> Act:
    """End a pause today, or call one off that has not begun."""
    return lambda tx, held, actor, now: pausing.resume(tx, held.id, actor, now)


@_command("switch", LIVE)
@click.option("--plan", required=True, help="The plan, by its short name.")
@click.option(
    "--now/--next-period", "at_once", default=False, help="At once with credit, or with the next period."
)
def switch(plan: str, at_once: bool) -> Act:
    """Go over to another plan of the same offer."""

    def act(tx: Tx, held: Subscription, actor: str, now: datetime) -> None:
        wanted = sites.plan(tx, held.site_id, plan)
        if wanted is None:
            raise NotFound("plan_unknown", f"There is no plan {plan!r}.", "plan")
        switching.switch(tx, held.id, wanted.id, at_once=at_once, given=None, actor=actor, now=now)

    return act


@_command("stay", LIVE)
def stay() -> Act:
    """Keep the present plan, where another was chosen for the next period."""
    return lambda tx, held, actor, now: switching.undo_switch(tx, held.id, actor, now)


@_command("reactivate", frozenset({SubscriptionState.ENDED, SubscriptionState.CANCELING}))
def reactivate() -> Act:
    """Let it run again: paid days first, then a new period from today."""
    return lambda tx, held, actor, now: reactivation.reactivate(tx, held.id, given=None, actor=actor, now=now)
