"""``policies``: what happens when life gets in the way, in words, for a site or a plan."""

from itertools import groupby

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.domain.calendar import local_day
from linkpay.services import policy_page
from linkpay.services.formats import LOCALES
from linkpay.services.policy_words import Said, effective, sentences, words
from linkpay.store import sites

_STYLES = {"site": "cyan", "plan": "magenta"}


@click.command()
@click.option("--site", help="The site, by the name in its addresses; needed when there are several.")
@click.option("--plan", help="A plan of the site, with its own values over the site's.")
@click.option("--lang", type=click.Choice(list(LOCALES)), help="The language; the site's when not given.")
@click.option("--markdown", is_flag=True, help="Print docs/policies.md: all policies with their defaults.")
@speaking
def policies(output: Output, site: str | None, plan: str | None, lang: str | None, markdown: bool) -> None:
    """Show every policy in words, with an example that begins today."""
    if markdown:
        click.echo(policy_page.markdown(), nl=False)
        return
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        own = None
        if plan is not None:
            with parts.database.read() as tx:
                found = sites.plan(tx, chosen.id, plan)
            if found is None:
                raise CommandFailed("plan_unknown", f"The site has no plan {plan!r} that can be bought.")
            own = found.policy
        policy, sources = effective(chosen.policy, own)
        language = lang or chosen.locale
        today = local_day(parts.clock.now(), chosen.zone)
        said = sentences(policy, language, on=today, zone=chosen.zone, sources=sources)
    output.document({"site": chosen.slug, "plan": plan, "policies": said})
    output.people.print(_table(said, language))


def _table(said: list[Said], language: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_header=False)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(ratio=2, overflow="fold")
    named = words(language, "sources")
    for group, policies_of in groupby(said, key=lambda one: one.group):
        table.add_row(Text(group, style="bold"), "")
        for one in policies_of:
            value = Text.assemble(
                one.title, "\n", (one.value, "bold"), " ",
                (f"({named[one.source]})", _STYLES.get(one.source, "dim")), f"\n{one.name}",
            )  # fmt: skip
            value.stylize("dim", len(value) - len(one.name))
            table.add_row(value, Text.assemble(one.sentence, "\n", (one.example, "italic dim")))
            table.add_row()
    return table
