"""The doctor's look at what is ours: database, secrets, Redis, workers, clocks, waiting work, the time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain

from redis.exceptions import RedisError

from config.settings import Settings
from linkpay.adapters.queue import connect, require_room, workers_heard
from linkpay.cli.findings import Finding, bad, ok, warn
from linkpay.cli.output import CommandFailed
from linkpay.cli.sandbox import Sandbox
from linkpay.cli.words import count, span
from linkpay.clock import SystemClock
from linkpay.redaction import clean
from linkpay.services import measuring
from linkpay.services.parts import Parts
from linkpay.store import agenda, overview, owners, progress, schema, sites
from linkpay.store.db import STORE_ERRORS, Tx
from linkpay.store.secrets import SealBroken, SecretBox

#: Waiting work that is later than this means that nobody works.
_OVERDUE = timedelta(minutes=10)
#: A clock that is off by more than this moves charges to other days and breaks leases.
_CLOCK_MAY_DIFFER = timedelta(seconds=5)


def database(parts: Parts) -> Finding:
    """Whether the database answers and has all its migrations."""
    kind = "SQLite" if parts.database.is_sqlite else "PostgreSQL"
    if schema.is_absent(parts.database):
        said = f"there is no file {parts.database.url.database}"
        return bad("database", said, "Check DATABASE_URL. A new one is made by: python -m linkpay migrate")
    try:
        behind = schema.missing(parts.database)
    except STORE_ERRORS as error:
        cause = getattr(error, "orig", None) or error
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        return bad(
            "database", clean(f"{kind} does not answer: {first}"), "Check DATABASE_URL and the server."
        )
    if behind:
        said = f"{kind} answers but lacks {count(len(behind), 'migration')}"
        return bad("database", said, "Run: python -m linkpay migrate")
    return ok("database", f"{kind} answers, all migrations are applied")


def secrets(parts: Parts) -> Finding:
    """Whether the present keys open every sealed value."""
    opened, broken = 0, []
    with parts.database.read() as tx:
        for name, is_open in chain(_of_sites(tx, parts.box), _of_owners(tx, parts.box)):
            opened += is_open
            broken += [] if is_open else [name]
    if broken:
        return bad(
            "encryption", f"the present keys do not open {', '.join(broken)}",
            "Put the key that sealed them back into ENCRYPTION_KEYS (old keys go last), or enter them anew.",
        )  # fmt: skip
    return ok("encryption", f"the keys open all {count(opened, 'sealed value')}")


def _of_sites(tx: Tx, box: SecretBox) -> Iterator[tuple[str, bool]]:
    """The name of each secret of a site, and whether it opens in its place."""
    for site in sites.all_sites(tx):
        sealed = [
            ("mollie_key", site.mollie_key_sealed),
            ("kajabi_client_secret", site.kajabi_client_secret_sealed),
        ]
        for offer in overview.offers(tx, site.id):
            sealed += [
                ("activation_url", offer.activation_url_sealed),
                ("deactivation_url", offer.deactivation_url_sealed),
            ]
        for column, value in sealed:
            if value is not None:
                yield f"{column} of {site.slug}", _opens(partial(box.open, site.id, column, value))


def _of_owners(tx: Tx, box: SecretBox) -> Iterator[tuple[str, bool]]:
    for owner_id, value in owners.second_factors(tx):
        yield f"the second factor of owner {owner_id}", _opens(partial(box.rotate, value))


def _opens(open_it: Callable[[], str]) -> bool:
    try:
        open_it()
    except SealBroken:
        return False
    return True


def redis(settings: Settings) -> Iterator[Finding]:
    """Whether Redis answers and a worker listens there."""
    client = connect(settings.redis_url.get_secret_value(), patience=2.0)
    try:
        require_room(client)
        alive = workers_heard(client)
    except RedisError as error:
        yield bad(
            "redis", clean(f"takes no rings: {error}"),
            "Check REDIS_URL, the server and its memory. Until then work waits; it goes on by itself.",
        )  # fmt: skip
        return
    finally:
        client.close()
    yield ok("redis", "answers and has room")
    if alive:
        yield ok("worker", f"{count(len(alive), 'worker')} listening")
    else:
        yield bad("worker", "nobody listens", "Start the worker process: python -m workers.worker")


def clock(parts: Parts) -> Finding:
    """Whether a clock process lives, by the machine's time."""
    now = SystemClock().now()
    with parts.database.read() as tx:
        answers, beat = measuring.clock_answers(tx, now), progress.find(tx, measuring.CLOCK)
    if answers:
        return ok("clock", "a clock process was heard within the last minute")
    silent = f"was heard for {span(now - beat.machine_at)}" if beat else "was ever heard"
    return bad("clock", f"no clock process {silent}, so nothing is charged", "Start: python -m workers.clock")


def waiting(parts: Parts) -> Iterator[Finding]:
    """Whether work is late, or waits for a person."""
    now = parts.clock.now()
    with parts.database.read() as tx:
        late = agenda.overdue(tx, now - _OVERDUE)
        parked, troubles = overview.parked(tx), overview.attention(tx)
    if late:
        yield bad(
            "work", f"{count(late, 'row')} should have been done over 10 minutes ago",
            "Start the worker and clock processes, and look at their logs.",
        )  # fmt: skip
    else:
        yield ok("work", "nothing is late")
    for trouble in troubles:
        yield warn("attention", clean(f"{trouble.subject}: {trouble.detail}"), _mend(trouble.subject))
    named = {trouble.subject for trouble in troubles}
    for row in parked:
        name = f"{row.__tablename__}:{row.id}"
        if name not in named:
            yield warn("parked", clean(f"{name}: {row.last_error or 'set aside'}"), _mend(name))


def _mend(subject: str) -> str:
    kind, _, number = subject.partition(":")
    if kind in ("inbox", "outbox"):
        return f"Mend the cause, then: python -m linkpay replay {kind}:{number}"
    return "See what it says; it goes away by itself once it is solved."


def time(settings: Settings, parts: Parts) -> Finding:
    """Whether our clock agrees with the sandbox's, or with that of the machine Redis runs on."""
    try:
        other, whose = (
            (_redis_time(settings), "Redis's machine")
            if settings.env == "production"
            else (Sandbox(settings.mollie_api_url).now(), "the sandbox")
        )
    except (RedisError, CommandFailed) as error:
        return warn("time", clean(f"has nothing to be compared with: {error}"), "Mend that first.")
    differs = abs(parts.clock.now() - other)
    said = f"{parts.clock.now():%Y-%m-%d %H:%M:%S} UTC, {span(differs)} from {whose}"
    if differs <= _CLOCK_MAY_DIFFER:
        return ok("time", said)
    mend = (
        "Let all machines follow a time server (chrony, systemd-timesyncd)."
        if settings.env == "production"
        else "CLOCK_FILE must name the file that the sandbox moves."
    )
    return bad("time", said, mend)


def _redis_time(settings: Settings) -> datetime:
    client = connect(settings.redis_url.get_secret_value(), patience=2.0)
    try:
        seconds, micros = client.time()
    finally:
        client.close()
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
