"""``buy``: buy as a person would, through the real pages, and see how fast access follows."""

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from linkpay.cli import words
from linkpay.cli.buyer import Buyer, Wish
from linkpay.cli.context import chosen_site, opened, require_sandbox
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.cli.timeline import show
from linkpay.domain.email import normalise_email
from linkpay.services import overview, timeline
from linkpay.services.overview import Passage
from linkpay.services.parts import Parts
from linkpay.store import sites
from linkpay.store.tables import Offer, Site

_STATUSES = ("paid", "failed", "canceled", "expired", "open")
_PATIENCE = 30.0  # seconds until access must be there
_LOOK_EVERY = 0.05  # seconds
_RANKS = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True, slots=True)
class Bought:
    """What came of one purchase."""

    email: str
    ends_at: str
    passage: Passage | None
    problem: str | None = None

    @property
    def is_granted(self) -> bool:
        """Whether access is there."""
        return self.passage is not None and self.passage.granted_at is not None

    @property
    def milliseconds(self) -> float | None:
        """From the paid webhook to Kajabi's answer, if both were seen in this order."""
        return self.passage.milliseconds if self.passage else None


@click.command()
@click.option("--plan", required=True, help="The plan, by its short name (see `demo`).")
@click.option("--email", required=True, help="Who buys; with --count, +1 to +N is added before the @.")
@click.option("--method", default="ideal", show_default=True, help="How she pays at Mollie.")
@click.option("--coupon", default="", help="A discount code.")
@click.option("--bump", "bumps", multiple=True, help="A plan to add at the checkout; may be given again.")
@click.option("--name", default="Anna de Vries", show_default=True, help="Her name.")
@click.option("--site", help="The site, by the name in its addresses.")
@click.option(
    "--status", default="paid", type=click.Choice(_STATUSES), show_default=True, help="What her bank says."
)
@click.option(
    "--count", default=1, type=click.IntRange(1, 10_000), show_default=True, help="How many buyers."
)
@click.option(
    "--parallel", default=4, type=click.IntRange(1, 64), show_default=True, help="How many at a time."
)
@speaking
def buy(
    output: Output, /, *, site: str | None, count: int, parallel: int, bumps: tuple[str, ...], **wanted: str
) -> None:  # fmt: skip
    """Buy through the real pages and wait for access (sandbox only)."""
    email = normalise_email(wanted["email"])
    with opened() as (settings, parts):
        require_sandbox(settings)
        seller = chosen_site(parts, site)
        offer = _offer(parts, seller, wanted["plan"])
        address = f"{parts.base_url}/{seller.slug}/buy/{offer.slug}"
        wishes = [
            Wish(
                address,
                wanted["plan"],
                wanted["name"],
                one,
                wanted["method"],
                wanted["status"],
                wanted["coupon"],
                bumps,
            )
            for one in _emails(email, count)
        ]
        shop = _Shop(parts, seller, offer)
        if count == 1:
            _one(output, parts, shop.serve(wishes[0]), wishes[0])
        else:
            _many(output, list(_served(output, shop, wishes, parallel)))


def _offer(parts: Parts, site: Site, slug: str) -> Offer:
    with parts.database.read() as tx:
        plan = sites.plan(tx, site.id, slug)
        if plan is None:
            known = ", ".join(overview.plan_slugs(tx, site.id)) or "none"
            raise CommandFailed("plan_unknown", f"{site.slug} sells no plan {slug!r}; there is {known}.")
        return tx.get_one(Offer, plan.offer_id)


def _emails(email: str, count: int) -> list[str]:
    if count == 1:
        return [email]
    local, _, domain = email.rpartition("@")
    return [f"{local}+{number}@{domain}" for number in range(1, count + 1)]


@dataclass(frozen=True, slots=True)
class _Shop:
    """Where the buyers go, and how it is seen what became of them. Safe to share between threads."""

    parts: Parts
    site: Site
    offer: Offer

    def serve(self, wish: Wish) -> Bought:
        """One purchase from the first page until access is there, or what was chosen has happened."""
        ends_at = Buyer().buy(wish)
        ends = time.monotonic() + _PATIENCE
        while True:
            with self.parts.database.read() as tx:
                passage = overview.passage(tx, self.site.id, wish.email, self.offer.id)
            if _is_over(passage, wish.status):
                return Bought(wish.email, ends_at, passage)
            if time.monotonic() > ends:
                missing = (
                    "access was not granted" if wish.status == "paid" else f"it did not become {wish.status}"
                )
                return Bought(wish.email, ends_at, passage, f"{missing} within {_PATIENCE:.0f} s")
            time.sleep(_LOOK_EVERY)


def _is_over(passage: Passage | None, wanted: str) -> bool:
    if passage is None:
        return False
    return passage.granted_at is not None if wanted == "paid" else passage.status == wanted


def _served(output: Output, shop: _Shop, wishes: list[Wish], parallel: int) -> Iterator[Bought]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=output.notes) as progress,
        ThreadPoolExecutor(parallel, thread_name_prefix="buyer") as pool,
    ):
        task = progress.add_task("buying", total=len(wishes))
        running = {pool.submit(shop.serve, wish): wish for wish in wishes}
        for done in as_completed(running):
            problem = done.exception()
            if problem is None:
                yield done.result()
            elif isinstance(problem, CommandFailed):
                yield Bought(running[done].email, "", None, problem.message)
            else:
                raise problem
            progress.advance(task)


def _one(output: Output, parts: Parts, bought: Bought, wish: Wish) -> None:
    with parts.database.read() as tx:
        found = timeline.of(tx, wish.email)
    output.document(
        {
            "email": bought.email,
            "ends_at": bought.ends_at,
            "status": wish.status,
            "granted": bought.is_granted,
            "milliseconds": bought.milliseconds,
            "passage": bought.passage,
            "problem": bought.problem,
            "timeline": found.moments,
        }
    )
    show(output.people, found)
    if bought.problem:
        raise CommandFailed("not_finished", f"{bought.email}: {bought.problem}. `doctor` may say why.")
    output.people.print(_result(bought, wish.status))


def _result(bought: Bought, status: str) -> str:
    if not bought.is_granted:
        return f"[yellow]The payment is {status}; no access was given.[/]"
    if bought.milliseconds is None:
        return "[green]Access is open[/]; it was seen by asking Mollie, before any webhook came."
    return f"[green]Access is open[/], [bold]{bought.milliseconds:.0f} ms[/] after the paid webhook arrived."


def _many(output: Output, bought: list[Bought]) -> None:
    took = sorted(one.milliseconds for one in bought if one.milliseconds is not None)
    figures = {name: rank(took, share) for name, share in _RANKS.items()}
    granted = sum(one.is_granted for one in bought)
    troubles = [{"email": one.email, "problem": one.problem} for one in bought if one.problem]
    output.document(
        {
            "count": len(bought),
            "granted": granted,
            "measured": len(took),
            "milliseconds": figures,
            "problems": troubles,
        }
    )
    output.people.print(f"{words.count(len(bought), 'purchase')}, {granted} granted")
    if took:
        said = ", ".join(f"{name} [bold]{value:.0f} ms[/]" for name, value in figures.items())
        output.people.print(f"From the paid webhook to Kajabi's answer: {said}")
    for trouble in troubles[:10]:
        output.people.print(f"  {trouble['email']}: {trouble['problem']}", style="red", markup=False)
    if troubles:
        raise CommandFailed("not_finished", f"{words.count(len(troubles), 'purchase')} came to no end.")


def rank(ordered: list[float], share: float) -> float | None:
    """The value below or at which this share of the ordered values lies (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
