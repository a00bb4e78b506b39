"""``api-key``: which programs may read a site."""

import getpass

import click

from linkpay.cli import words
from linkpay.cli.context import ROW, chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.services import api_keys
from linkpay.store import api
from linkpay.store.tables import ApiKey

_site = click.option("--site", help="The site, by the name in its addresses.")


@click.group()
def api_key() -> None:
    """Make, list and revoke keys of /api/v1."""


@api_key.command()
@click.argument("name")
@click.option("--may-write", is_flag=True, help="Also cancel subscriptions, and take that back.")
@_site
@speaking
def make(output: Output, /, name: str, may_write: bool, site: str | None) -> None:
    """Make a key; NAME says whose it is. It is shown once."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.write() as tx:
            number, key = api_keys.make(tx, chosen.id, name, _by(), parts.clock.now(), may_write=may_write)
    output.document({"site": chosen.slug, "number": number, "name": name, "key": key, "may_write": may_write})
    output.people.print("This is the only time that the key is shown:")
    output.people.print(f"  {key}", markup=False, soft_wrap=True)


@api_key.command(name="list")
@_site
@speaking
def everything(output: Output, site: str | None) -> None:
    """Every key of a site, without the keys themselves."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.read() as tx:
            keys = api.keys(tx, chosen.id)
    output.document([_shown(key) for key in keys])
    for key in keys:
        may = "reads and writes" if key.may_write else "reads"
        state = "revoked" if key.revoked_at else may
        used = words.day_of(key.used_at, chosen.zone) if key.used_at else "never"
        output.people.print(f"  {key.id}  {key.name}  {state}, last used {used}", markup=False)
    if not keys:
        output.people.print("No program may read this site.", style="dim")


def _by() -> str:
    return f"owner:{getpass.getuser()}"


def _shown(key: ApiKey) -> dict[str, object]:
    return {
        "number": key.id, "name": key.name, "may_write": key.may_write, "made_by": key.made_by,
        "made_at": key.created_at, "used_at": key.used_at, "revoked_at": key.revoked_at,
    }  # fmt: skip


@api_key.command()
@click.argument("number", type=ROW)
@_site
@speaking
def revoke(output: Output, /, number: int, site: str | None) -> None:
    """Let key NUMBER open nothing any more."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.write() as tx:
            api_keys.revoke(tx, chosen.id, number, _by(), parts.clock.now())
    output.document({"site": chosen.slug, "number": number, "revoked": True})
    output.people.print(f"Key {number} opens nothing any more.")
