"""The doctor's look at what others must do for us: Mollie, Kajabi, the mail server, our public address."""

import smtplib
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from config.checks import is_make_believe
from config.settings import Settings
from linkpay.cli.findings import Finding, bad, ok, warn
from linkpay.redaction import clean
from linkpay.services import checkup
from linkpay.services.checkup import Found
from linkpay.services.parts import Parts
from linkpay.store import overview, sites
from linkpay.store.tables import Site

_PATIENCE = 5.0  # seconds


def mollie(parts: Parts) -> Iterator[Finding]:
    """Per site: whether the key works, fits the site's mode, and can start mandates."""
    with parts.database.read() as tx:
        found = sites.all_sites(tx)
    if not found:
        yield warn("mollie", "there is no site yet", "In the sandbox: python -m linkpay demo")
    for site in found:
        yield _of_site(site, checkup.mollie(parts, site))


def _of_site(site: Site, found: Found) -> Finding:
    check, methods = f"mollie {site.slug}", ", ".join(found.methods)
    said, mend = {
        "sealed": ("the key cannot be opened", "See the line about encryption."),
        "no_key": ("the site has no Mollie key", "Connect it to Mollie."),
        "other_mode": (
            f"the key is a {found.facts.get('key')} key, the site is in {site.mode} mode",
            f"Enter the {site.mode} key of this site, or switch its mode.",
        ),
        "refused": ("Mollie refuses the key", "Copy the key again from Mollie's dashboard, Developers."),
        "away": (clean(f"Mollie does not answer as it should: {found.detail}"), "Try again in a minute."),
        "no_first": (
            "no method can start a mandate",
            "Activate iDEAL, Bancontact or cards, and SEPA direct debit, in Mollie's dashboard.",
        ),
        "no_debit": (
            f"SEPA direct debit is not active, so mandates by {methods} cannot be charged",
            "Activate SEPA direct debit in Mollie's dashboard.",
        ),
        "halted": (
            "the key works again, but the site is still halted",
            "It goes on by itself with the next payment that is read.",
        ),
        "works": (f"{site.mode} key works; mandates by {methods}", ""),
    }[found.code]
    return Finding(check, found.level, said, mend)


def kajabi(parts: Parts) -> Iterator[Finding]:
    """Per offer: whether both addresses are there, belong together and may be sent to."""
    with parts.database.read() as tx:
        found = [(site, overview.offers(tx, site.id)) for site in sites.all_sites(tx)]
    for site, offers in found:
        for offer in offers:
            yield _of_offer(f"kajabi {site.slug}/{offer.slug}", checkup.kajabi(parts, offer))


def _of_offer(check: str, found: Found) -> Finding:
    again = "Copy both addresses again from the offer's page in Kajabi."
    said, mend = {
        "sealed": ("the addresses cannot be opened", "See the line about encryption."),
        "missing": ("an address is missing, so nobody gets or loses access", again),
        "shape": (found.detail, again),
        "works": ("both addresses have the right shape", ""),
    }[found.code]
    return Finding(check, found.level, said, mend)


def kajabi_api(parts: Parts) -> Iterator[Finding]:
    """Per connected site: whether its key for Kajabi's public API works."""
    with parts.database.read() as tx:
        found = [site for site in sites.all_sites(tx) if sites.is_connected(site)]
    for site in found:
        yield _of_api(f"kajabi api {site.slug}", checkup.kajabi_api(parts, site))


def _of_api(check: str, found: Found) -> Finding:
    again = "Make a key in Kajabi: Settings, Public API; then run setup again."
    said, mend = {
        "sealed": ("the secret cannot be opened", "See the line about encryption."),
        "refused": ("Kajabi refuses the key, or it is of another site", again),
        "away": (
            clean(f"Kajabi does not answer as it should: {found.detail}"),
            "Try again in a minute; access itself does not need it.",
        ),
        "works": ("the key works; access is read back and compared every night", ""),
    }[found.code]
    return Finding(check, found.level, said, mend)


def own_address(settings: Settings) -> Finding:
    """Whether BASE_URL can be reached by Mollie and buyers, and our web process answers there."""
    parts = urlsplit(settings.base_url)
    production = settings.env == "production"
    if production and (parts.scheme != "https" or is_make_believe(parts.hostname or "")):
        said = f"{settings.base_url} cannot be reached by Mollie"
        return bad("base url", said, "Give BASE_URL the public https address.")
    try:
        answer = requests.get(f"{settings.base_url}/healthz", timeout=_PATIENCE, allow_redirects=False)
    except requests.RequestException as error:
        said = f"nothing answers at {settings.base_url} ({type(error).__name__})"
        return bad("base url", said, "Start the web process, and let this address lead to it.")
    if answer.status_code != 200:
        said = f"{settings.base_url}/healthz answers {answer.status_code}"
        return bad("base url", said, "Let this address lead to the web process.")
    return ok("base url", f"the web process answers at {settings.base_url}")


def mail(settings: Settings) -> Finding:
    """Whether the mail server answers. The password is not tried, so that no account gets locked."""
    if settings.smtp_url is None or settings.mail_from is None:
        return warn("mail", "no mail server is set, so mails wait", "Set SMTP_URL and MAIL_FROM.")
    parts = urlsplit(settings.smtp_url.get_secret_value())
    host, port = parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 587)
    try:
        server = (
            smtplib.SMTP_SSL(host, port, timeout=_PATIENCE, context=ssl.create_default_context())
            if parts.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=_PATIENCE)
        )
        with server:
            server.ehlo()
            takes_password = parts.scheme == "smtps" or server.has_extn("starttls")
    except (OSError, smtplib.SMTPException) as error:
        said = clean(f"{host}:{port} does not answer: {type(error).__name__} {error}".strip())
        return bad("mail", said, "Check SMTP_URL and the mail server.")
    if parts.password and not takes_password:
        said = f"{host}:{port} offers no TLS, so the password would travel in the open"
        return bad("mail", said, "Use a port with TLS: smtps://...:465, or 587 with STARTTLS.")
    return ok("mail", f"{host}:{port} answers")
