"""The demo site's owner: a sign-in that everybody may know, since the sandbox holds nothing real."""

from linkpay.domain.roles import Role
from linkpay.services import signin
from linkpay.services.parts import Parts
from linkpay.store import owners, sites

EMAIL = "mira@studiovecht.example.com"
PASSWORD = "studio vecht demo"  # noqa: S105 - made for the sandbox, which refuses to be production


def put(parts: Parts, slug: str) -> None:
    """See to it that the demo's owner can sign in to this site; what she changed herself stays."""
    with parts.database.read() as tx:
        known = owners.by_email(tx, EMAIL)
    kept = None if known is not None and known.password_hash else signin.hash_password(PASSWORD)
    now = parts.clock.now()
    with parts.database.write() as tx:
        site = sites.by_slug(tx, slug)
        assert site is not None, "made just before"  # noqa: S101 - said to mypy
        owner = owners.owner_for(tx, EMAIL, now)
        if kept is not None:
            owner.password_hash, owner.name = kept, "Mira"
        owners.put_role(tx, site.id, owner.id, Role.OWNER, now)
