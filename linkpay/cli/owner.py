"""``owner``: who manages a site, from the command line; the way in for the first one."""

import click

from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.domain.email import normalise_email
from linkpay.domain.roles import Role
from linkpay.services import colleagues, second_factor, signin
from linkpay.store import owners
from linkpay.store.db import Tx
from linkpay.store.tables import Owner


@click.group()
def owner() -> None:
    """Invite people to manage a site, and help who cannot sign in."""


@owner.command()
@click.argument("email")
@click.option("--site", help="The site, by the name in its addresses.")
@click.option("--role", default="owner", type=click.Choice([role.value for role in Role]), show_default=True)
@speaking
def invite(output: Output, /, email: str, site: str | None, role: str) -> None:
    """Print a link by which somebody joins a site and chooses a password."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.write() as tx:
            token = colleagues.invite(tx, chosen.id, email, Role(role), "command line", parts.clock.now())
        link = f"{parts.base_url}/owner/join/{token}"
    output.document({"site": chosen.slug, "email": email, "role": role, "link": link})
    output.people.print(f"Send this link to {email}; it works once, for seven days:", markup=False)
    output.people.print(f"  {link}", markup=False, soft_wrap=True)


@owner.command()
@click.argument("email")
@click.option("--name", default="", help="What she is called at the desk.")
@click.option("--password", help="Asked for when it is not given.")
@speaking
def add(output: Output, /, email: str, name: str, password: str | None) -> None:
    """Let the first owner sign in, before there is any site; she makes hers at the desk."""
    address = normalise_email(email)
    kept = _hash(password)
    with opened() as (_, parts):
        now = parts.clock.now()
        with parts.database.write() as tx:
            found = owners.owner_for(tx, address, now)
            if found.password_hash is not None:
                lost = f"If the password is lost: python -m linkpay owner new-password {address}"
                raise CommandFailed("owner_known", f"{address} signs in already. {lost}")
            found.password_hash, found.name = kept, name
        link = f"{parts.base_url}/owner/"
    output.document({"email": address, "desk": link})
    output.people.print(f"{address} can sign in at {link}", markup=False, soft_wrap=True)


@owner.command(name="list")
@click.option("--site", help="The site, by the name in its addresses.")
@speaking
def everybody(output: Output, site: str | None) -> None:
    """Say who manages a site."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.read() as tx:
            found = [
                {"email": one.email, "role": role.value, "second_step": one.totp_confirmed_at is not None}
                for one, role in owners.of_site(tx, chosen.id)
            ]
    output.document({"site": chosen.slug, "owners": found})
    if not found:
        output.people.print("Nobody yet. `python -m linkpay owner invite EMAIL` makes a link for the first.")
    for one in found:
        second = "with a second step" if one["second_step"] else "by password alone"
        output.people.print(f"  {one['email']}  {one['role']}, signs in {second}", markup=False)


@owner.command(name="forget-second-step")
@click.argument("email")
@speaking
def forget_second_step(output: Output, email: str) -> None:
    """Switch somebody's second step off and sign her out: phone and recovery codes are lost."""
    with opened() as (_, parts):
        now = parts.clock.now()
        with parts.database.write() as tx:
            found = _known(tx, email)
            second_factor.switch_off(tx, found, now)
            owners.end_sessions(tx, found.id, now)
    output.document({"email": email, "second_step": False})
    output.people.print(f"{email} signs in by password alone now.", markup=False)


@owner.command(name="new-password")
@click.argument("email")
@click.option("--password", help="Asked for when it is not given.")
@speaking
def new_password(output: Output, /, email: str, password: str | None) -> None:
    """Give somebody who lost hers another password and sign her out everywhere; her second step stays."""
    with opened() as (_, parts):
        with parts.database.read() as tx:
            _known(tx, email)
        kept, now = _hash(password), parts.clock.now()
        with parts.database.write() as tx:
            found = _known(tx, email)
            found.password_hash = kept
            owners.end_sessions(tx, found.id, now)
    output.document({"email": email, "sessions": "ended"})
    output.people.print(f"{email} signs in with the new password now.", markup=False)


def _known(tx: Tx, email: str) -> Owner:
    found = owners.by_email(tx, email.strip().lower())
    if found is None:
        raise click.UsageError(f"Nobody signs in as {email}.")
    return found


def _hash(password: str | None) -> str:
    if password is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return signin.hash_password(password)
