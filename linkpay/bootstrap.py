"""Puts the parts together, once per process: the only place that knows all adapters."""

import gc

from config.settings import Settings
from linkpay.adapters import error_report, traces
from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_api import KajabiApi
from linkpay.adapters.mail import SmtpMailer
from linkpay.adapters.mollie import MollieProvider
from linkpay.adapters.queue import RqBell
from linkpay.clock import Clock, SharedClock, SystemClock
from linkpay.errors import Retryable
from linkpay.ports import Bell, Letter, Mailer
from linkpay.services.parts import Parts
from linkpay.store.db import Database
from linkpay.store.secrets import SecretBox


class NoMailServer:
    """Stands in where no mail server is set (never in production): mails wait until there is one."""

    def send(self, letter: Letter) -> None:
        raise Retryable("SMTP_URL is not set, so mails wait")


#: Seconds that a process nobody waits for may wait for its turn to write to SQLite. Giving up sooner
#: would leave a row held until its lease is over.
UNHURRIED = 12.0


def settle_down() -> None:
    """Keep the garbage collector from walking again and again through what a process loaded at its start.

    Otherwise the request or the row that happens to be its turn waits for that: 60 ms and more.
    """
    gc.collect()
    gc.freeze()


def build(settings: Settings, *, bell: Bell | None = None, lock_timeout: float = 4.0) -> Parts:
    """All parts for one process. `bell` replaces the one that rings through Redis; `lock_timeout`
    (seconds) is how long it waits for other writers of SQLite."""
    ringer = bell or RqBell(settings.redis_url.get_secret_value())
    clock = build_clock(settings)
    production = settings.env == "production"
    return Parts(
        database=Database(
            settings.database_url.get_secret_value(), ring=ringer.ring, lock_timeout=lock_timeout
        ),
        clock=clock,
        box=SecretBox([key.get_secret_value() for key in settings.encryption_keys]),
        payments=MollieProvider(settings.mollie_api_url),
        access=KajabiOffers(
            settings.kajabi_webhook_hosts,
            # Hosts that production must never reach: the sandbox on this machine.
            test_hosts=() if production else settings.kajabi_webhook_hosts,
        ),
        mailer=_mailer(settings, clock),
        directory=KajabiApi(settings.kajabi_api_url),
        base_url=settings.base_url.rstrip("/"),
        operator_email=settings.operator_email,
    )


def tell_outside(settings: Settings, process: str) -> None:
    """Tell of this process's errors, requests and jobs where that is wanted. Raises SettingsError."""
    if settings.sentry_dsn is not None:
        error_report.start(settings.sentry_dsn.get_secret_value(), process)
    if settings.otel_exporter_otlp_endpoint is not None:
        traces.start(settings.otel_exporter_otlp_endpoint.get_secret_value(), process)


def build_clock(settings: Settings) -> Clock:
    """The system's clock, or the one that the sandbox shares through a file."""
    return SystemClock() if settings.clock_file is None else SharedClock(settings.clock_file)


def _mailer(settings: Settings, clock: Clock) -> Mailer:
    if settings.smtp_url is None or settings.mail_from is None:
        return NoMailServer()
    return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from, clock)
