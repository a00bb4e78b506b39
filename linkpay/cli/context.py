"""What commands work with: the settings, the parts, and the way to wake the workers."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from config.settings import Settings, load_settings
from linkpay.bootstrap import build
from linkpay.cli.output import CommandFailed
from linkpay.services.parts import Parts
from linkpay.store import schema, sites
from linkpay.store.db import Database
from linkpay.store.tables import Site

#: The number of a row, as commands are told it.
ROW = click.IntRange(1, 2**63 - 1)


@contextmanager
def opened() -> Iterator[tuple[Settings, Parts]]:
    """Settings and parts over a database that has all its migrations; closed at the end.

    Raises SettingsError, and CommandFailed when migrations are missing.
    """
    settings = load_settings()
    parts = build(settings)
    try:
        require_migrations(parts.database)
        yield settings, parts
    finally:
        parts.database.dispose()


def require_migrations(database: Database) -> None:
    """Raise CommandFailed while the database lacks migrations."""
    behind = schema.missing(database)
    if behind:
        raise CommandFailed(
            "not_migrated",
            f"The database lacks {len(behind)} of its migrations. Run `python -m linkpay migrate` first.",
        )


def require_sandbox(settings: Settings) -> None:
    """Raise CommandFailed where real money moves."""
    if settings.env == "production":
        raise CommandFailed("sandbox_only", "This works in the sandbox only; LINKPAY_ENV says production.")


def chosen_site(parts: Parts, slug: str | None) -> Site:
    """The named site, or the only one there is. Raises CommandFailed when that is nobody or unclear."""
    with parts.database.read() as tx:
        found = sites.all_sites(tx)
    if slug is not None:
        found = [site for site in found if site.slug == slug]
    if len(found) == 1:
        return found[0]
    if not found:
        named = f"There is no site {slug!r}." if slug else "There is no site yet."
        raise CommandFailed("site_unknown", f"{named} `python -m linkpay demo` makes one in the sandbox.")
    names = ", ".join(site.slug for site in found)
    raise CommandFailed("site_unclear", f"There are several sites; say --site with one of: {names}.")
