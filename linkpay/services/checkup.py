"""Whether what a site needs of others works: Mollie, Kajabi's addresses, Kajabi's public API, mail.

The doctor asks for every site, the guided set-up for the one at which an owner looks; each has its own
words for what is found here. These ask outside systems while somebody waits, never within a transaction.
"""

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from linkpay.domain.email import normalise_email
from linkpay.domain.snapshots import Sequence
from linkpay.errors import Conflict, CredentialsRefused, InputError, Missing, ProviderError
from linkpay.ports import AccessOrder
from linkpay.services.parts import Parts
from linkpay.services.shelf import By
from linkpay.store import journal, people, sites
from linkpay.store.db import Tx
from linkpay.store.secrets import SealBroken
from linkpay.store.tables import Offer, Site

#: Methods whose first payment makes a SEPA mandate rather than one of their own (Mollie, recurring payments).
_VIA_SEPA = frozenset({"ideal", "bancontact", "belfius", "kbc", "eps", "trustly", "paybybank"})
DEBIT = "directdebit"


class Level(StrEnum):
    """ok; warn: works, but deserves a thought; bad: something does not work."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: a stable `code`, and what the words about it need. `detail` is a provider's wording."""

    level: Level
    code: str
    detail: str = ""
    methods: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)


def _bad(code: str, detail: str = "") -> Found:
    return Found(Level.BAD, code, detail)


def mollie(parts: Parts, site: Site) -> Found:
    """Whether the site's key works, fits its mode, and can start mandates that can be charged."""
    try:
        key = sites.mollie_key(site, parts.box)
    except SealBroken:
        return _bad("sealed")
    if key is None:
        return _bad("no_key")
    if key.partition("_")[0] != site.mode:
        return Found(Level.BAD, "other_mode", facts={"key": key.partition("_")[0], "mode": site.mode})
    try:
        first = _methods(parts, key, Sequence.FIRST)
        later = _methods(parts, key, Sequence.RECURRING)
    except CredentialsRefused:
        return _bad("refused")
    except ProviderError as problem:
        return _bad("away", problem.detail)
    if not first:
        return _bad("no_first")
    useless = tuple(sorted(set(first) & _VIA_SEPA)) if DEBIT not in later else ()
    if useless:
        return Found(Level.BAD, "no_debit", methods=useless)
    ways, mode = tuple(sorted(first)), {"mode": site.mode}
    if site.halted_at is not None:
        return Found(Level.WARN, "halted", methods=ways, facts=mode)
    return Found(Level.OK, "works", methods=ways, facts=mode)


def _methods(parts: Parts, key: str, sequence: Sequence) -> list[str]:
    return [
        method.id for method in parts.payments.list_methods(key, sequence=sequence, amount=None, locale=None)
    ]


def note_methods(parts: Parts, site_id: int, key: str) -> None:
    """Keep which methods the account offers now, for the pages of buyers: they never wait for Mollie."""
    asked = {"first": Sequence.FIRST, "once": Sequence.ONEOFF}
    offered = {
        name: [
            [method.id, method.description]
            for method in parts.payments.list_methods(key, sequence=sequence, amount=None, locale=None)
        ]
        for name, sequence in asked.items()
    }
    with parts.database.write() as tx:
        site = sites.get(tx, site_id)
        if site.methods != offered:
            site.methods = offered


def kajabi(parts: Parts, offer: Offer) -> Found:
    """Whether both addresses are there, belong together and may be sent to. Sends nothing."""
    try:
        activation = sites.kajabi_url(offer, parts.box, grant=True)
        deactivation = sites.kajabi_url(offer, parts.box, grant=False)
    except SealBroken:
        return _bad("sealed")
    if activation is None or deactivation is None:
        return _bad("missing")
    try:
        parts.access.check_pair(activation, deactivation)
        parts.access.check_url(activation, grant=True)
        parts.access.check_url(deactivation, grant=False)
    except InputError as problem:
        return Found(Level.BAD, "shape", problem.message, facts={"why": problem.code})
    return Found(Level.OK, "works")


def kajabi_api(parts: Parts, site: Site) -> Found:
    """Whether the site's key for Kajabi's public API works."""
    try:
        key = sites.directory_key(site, parts.box)
        if key is None:
            return Found(Level.WARN, "no_key")
        parts.directory.check(key)
    except SealBroken:
        return _bad("sealed")
    except (CredentialsRefused, Missing):
        return _bad("refused")
    except ProviderError as problem:
        return Found(Level.WARN, "away", problem.detail)
    return Found(Level.OK, "works")


@dataclass(frozen=True, slots=True)
class Trial:
    """What Kajabi answered to a grant and to the revoke after it; None for what was not tried."""

    email: str
    granted: bool
    revoked: bool | None
    said: str = ""


def may_try(tx: Tx, site: Site, typed: str) -> str:
    """The address, where access can be given to it on trial and taken back.

    Raises InputError for what is no address, Conflict ``is_member`` for somebody's own: she would lose hers.
    """
    email = normalise_email(typed)
    if people.by_email(tx, site.id, email) is not None:
        raise Conflict("is_member", "Somebody with this address is a member; take another one.", "email")
    return email


def try_access(parts: Parts, offer: Offer, email: str) -> Trial:
    """Let Kajabi give somebody access and take it back at once, as for a member. Never leaves it open
    unsaid: what could not be taken back is in the answer."""
    try:
        _apply(parts, offer, email, grant=True)
    except ProviderError as problem:
        return Trial(email, granted=False, revoked=None, said=problem.detail)
    try:
        _apply(parts, offer, email, grant=False)
    except ProviderError as problem:
        return Trial(email, granted=True, revoked=False, said=problem.detail)
    return Trial(email, granted=True, revoked=True)


def _apply(parts: Parts, offer: Offer, email: str, *, grant: bool) -> None:
    url = sites.kajabi_url(offer, parts.box, grant=grant)
    assert url is not None, "looked at before"  # noqa: S101 - said to mypy
    # Her e-mail is the id that a first purchase would choose as well (`people.member_for`).
    parts.access.apply(AccessOrder(url, grant, _NAME, email, email))


_NAME = "LinkPay test"


def tried(tx: Tx, site: Site, offer: Offer, trial: Trial, by: By) -> None:
    """Keep that it was tried, and how it went."""
    went_well = trial.granted and trial.revoked is True
    journal.record_site(
        tx, site.id, "grant_tried", by.actor, by.now, offer=offer.title, offer_id=offer.id, email=trial.email,
        ok=went_well,
    )  # fmt: skip


def message_id(base_url: str) -> str:
    """A name for a mail that no row stands behind."""
    host = base_url.partition("://")[2].partition("/")[0].partition(":")[0]
    return f"<linkpay-trial-{uuid.uuid4()}@{host}>"
