"""``setup``: connect a real site from a file that its owner wrote."""

import tomllib
from pathlib import Path

import click
from pydantic import ValidationError

from linkpay.cli.context import opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.services import setup as desk
from linkpay.services.specs import SiteSpec


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@speaking
def setup(output: Output, file: Path) -> None:
    """Make a site with its offers and plans from FILE, or bring it up to date.

    config/site.example.toml shows what FILE holds. It has secrets in it: keep it off other
    machines, or delete it afterwards; LinkPay keeps its own sealed copy.
    """
    spec = _read(file)
    with opened() as (_settings, parts):
        desk.check(spec, parts.access)
        with parts.database.write() as tx:
            site = desk.apply(tx, spec, parts.box, parts.clock.now())
            token, mode = site.token, site.mode
    links = {offer.slug: f"{parts.base_url}/{spec.slug}/buy/{offer.slug}" for offer in spec.offers}
    hook = f"{parts.base_url}/webhooks/kajabi/{token}"
    output.document({"site": spec.slug, "mode": mode, "checkouts": links, "kajabi_webhook": hook})
    output.people.print(f"The site {spec.slug} is set up, in Mollie's {mode} mode.")
    for slug, url in links.items():
        output.people.print(f"  checkout of {slug}   [cyan]{url}[/]", soft_wrap=True)
    output.people.print(f"  for Kajabi's own webhooks   [cyan]{hook}[/]", soft_wrap=True)
    output.people.print("Check the connections with: python -m linkpay doctor")


def _read(file: Path) -> SiteSpec:
    try:
        return SiteSpec.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        raise CommandFailed("unreadable", f"{file.name} is not written in UTF-8; save it so.") from None
    except tomllib.TOMLDecodeError as wrong:
        raise CommandFailed("unreadable", f"{file.name} is not TOML: {wrong}") from None
    except ValidationError as wrong:
        found = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in wrong.errors()]
        raise CommandFailed("invalid", f"{file.name} needs attention:\n  " + "\n  ".join(found)) from None
