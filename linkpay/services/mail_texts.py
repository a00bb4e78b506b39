"""Mails in the owner's own words: reading, trying, keeping and forgetting them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.errors import InputError, NotFound
from linkpay.ports import Letter
from linkpay.services import checkup, owner_words
from linkpay.services.formats import LOCALES
from linkpay.services.letters import SITE_KINDS
from linkpay.services.mail_facts import Facts, SiteFacts
from linkpay.services.notices import Coming
from linkpay.services.owner_words import Broken
from linkpay.services.texts import Written, kinds, names, our_words, spoken, write_texts
from linkpay.store import journal
from linkpay.store import mail_texts as store
from linkpay.store.db import Tx
from linkpay.store.tables import Site

_DATA: dict[str, Any] = {
    "debit_runs": False,
    "next_debit_on": "2026-05-08",
    "debits_on": ["2026-05-08", "2026-05-11"],
    "collected": [{"starts_on": "2026-05-03", "ends_on": "2026-06-03", "on": "2026-05-05"}],
    "let_go": [{"starts_on": "2026-04-03", "ends_on": "2026-05-03"}],
}
_DECLARED_AT = datetime(2026, 5, 10, 12, 5, 9, tzinfo=UTC)
_STATEMENT = "I withdraw from my contract for A calm back. Anna de Vries, anna@example.com."
_TRIAL = {"nl": "proef", "en": "trial"}


class WordsRefused(InputError):
    """An owner's words that cannot be sent; `broken` says why for pages, the message in English."""

    def __init__(self, broken: Broken) -> None:
        super().__init__("mail_text", str(broken), "text")
        self.broken = broken


@dataclass(frozen=True, slots=True)
class Text:
    """The words of one kind of mail in one language; `changed_by` and `changed_at` are None for ours."""

    kind: str
    locale: str
    text: str
    changed_by: str | None
    changed_at: datetime | None


def overview(tx: Tx, site: Site) -> list[Text]:
    """The words of every kind of mail in every language, the owner's where there are any."""
    own = {(one.kind, one.locale): one for one in store.of_site(tx, site.id)}
    found = []
    for kind in kinds():
        for locale in LOCALES:
            kept = own.get((kind, locale))
            found.append(
                Text(kind, locale, kept.text, kept.changed_by, kept.changed_at)
                if kept
                else Text(kind, locale, our_words(kind, locale), None, None)
            )
    return found


def get(tx: Tx, site: Site, kind: str, locale: str) -> Text:
    """The words that are used now. Raises NotFound for a kind or language that there is none of."""
    _check_kind(kind, locale)
    kept = store.find(tx, site.id, kind, locale)
    if kept is None:
        return Text(kind, locale, our_words(kind, locale), None, None)
    return Text(kind, locale, kept.text, kept.changed_by, kept.changed_at)


def known_names(kind: str, locale: str) -> list[str]:
    """What the words of this kind may speak of."""
    return sorted(names(locale, sample(kind), _DATA))


def preview(site: Site, kind: str, locale: str, text: str) -> Written:
    """The mail as it would look with these words. Raises InputError with the line that is wrong, NotFound."""
    _check_kind(kind, locale)
    try:
        _try(site, kind, locale, text)
        return _write(kind, locale, sample(kind, site), text)
    except Broken as broken:
        raise WordsRefused(broken) from None


def save(tx: Tx, site: Site, kind: str, locale: str, text: str, actor: str, now: datetime) -> Written:
    """Keep these words for every mail that is written from now on. Raises as `preview` does."""
    written = preview(site, kind, locale, text)
    store.put(tx, site.id, kind, locale, text, actor, now)
    journal.record_site(tx, site.id, "mail_text_kept", actor, now, mail=kind, locale=locale)
    journal.solved(tx, site_id=site.id, kind="mail_text", subject=f"mail_text:{kind}:{locale}", now=now)
    return written


def reset(tx: Tx, site: Site, kind: str, locale: str, now: datetime, actor: str = "owner") -> None:
    """Use our words again. Raises NotFound."""
    _check_kind(kind, locale)
    if store.find(tx, site.id, kind, locale) is not None:
        journal.record_site(tx, site.id, "mail_text_reset", actor, now, mail=kind, locale=locale)
    store.drop(tx, site.id, kind, locale)
    journal.solved(tx, site_id=site.id, kind="mail_text", subject=f"mail_text:{kind}:{locale}", now=now)


def on_trial(site: Site, to: str, written: Written, base_url: str) -> Letter:
    """A mail as its owner sends it to herself to see it: marked, and about nobody."""
    return Letter(
        message_id=checkup.message_id(base_url), to=to, sender_name=site.name,
        subject=f"[{_TRIAL[spoken(site.locale)]}] {written.subject}", text=written.text, html=written.html,
        reply_to=site.support_email,
    )  # fmt: skip


def sent_on_trial(tx: Tx, site: Site, kind: str, locale: str, actor: str, now: datetime) -> None:
    """Somebody sent herself a mail to see it."""
    journal.record_site(tx, site.id, "mail_tried", actor, now, mail=kind, locale=locale)


def sample(kind: str, site: Site | None = None) -> Facts | SiteFacts:
    """Facts as a mail of this kind may have them, all of them known."""
    name, home = (site.name, site.slug) if site else ("Studio Vecht", "studio")
    base = f"https://pay.example.com/{home}"
    support = (site.support_email if site else None) or "hello@example.com"
    if kind in SITE_KINDS:
        url = f"{base}/portal/enter/secret"
        return SiteFacts(
            name, "Europe/Amsterdam", "Anna de Vries", url, support, "A calm back", _DECLARED_AT, _STATEMENT
        )
    return Facts(
        site_name=name, zone="Europe/Amsterdam", offer_title="A calm back", customer_name="Anna de Vries",
        member_email="anna@example.com", amount=Money(5000), next_charge_on=date(2026, 6, 3),
        account_hint="4321", mandate_valid=True, order_url=f"{base}/order/secret",
        pay_url=f"{base}/pay/secret",
        portal_url=f"{base}/portal", cancel_url=f"{base}/portal/subscriptions/secret/cancel",
        old_amount=Money(4500), new_amount=Money(5000), starts_on=date(2026, 6, 3),
        buy_url=f"{base}/buy/members", course_url="https://example.com/login",
        failure_code="AM04", until=datetime(2026, 5, 16, 22, 0, tzinfo=UTC), support_email=support,
        ends_on=date(2026, 6, 3), last_charge_on=date(2026, 5, 3), refund=Money(1250), may_undo=True,
        access_open=True, received_at=_DECLARED_AT, statement=_STATEMENT, pro_rata=True,
        debit=Coming(
            Money(5000), date(2026, 6, 3), Interval(Unit.MONTH), 1, "STUDIO-MD1", "NL08ZZZ502057730000",
            "4321",
        ),
    )  # fmt: skip


_BARE_DEBIT = Coming(Money(5000), date(2026, 6, 3), None, 1, None, None, None)


def _sparse(kind: str) -> Facts | SiteFacts:
    """As little as a mail of this kind may know."""
    full = sample(kind)
    if isinstance(full, SiteFacts):
        return replace(full, customer_name="", support_email=None)
    return replace(
        full, customer_name="anna@example.com", next_charge_on=None, account_hint=None, pay_url=None,
        course_url=None, failure_code=None, until=None, support_email=None, ends_on=None, last_charge_on=None,
        refund=None, may_undo=False, by_seller=True, keeps_access=True, mandate_valid=False,
        access_open=False, pro_rata=False, debit=_BARE_DEBIT if kind == "debit_notice" else None,
    )  # fmt: skip


def _try(site: Site, kind: str, locale: str, text: str) -> None:
    """Fill the words in with much and with little. Raises Broken."""
    owner_words.check(text, names(locale, sample(kind), _DATA), locale)
    for facts in (sample(kind, site), _sparse(kind)):
        for data in _variants():
            _write(kind, locale, facts, text, data)


def _variants() -> Iterator[dict[str, Any]]:
    yield _DATA
    yield {}
    yield {"debit_runs": True, "next_debit_on": None}


def _write(
    kind: str, locale: str, facts: Facts | SiteFacts, text: str, data: dict[str, Any] | None = None
) -> Written:
    return write_texts(
        kind,
        locale,
        facts,
        _DATA if data is None else data,
        render=lambda known: owner_words.fill_in(text, known),
    )


def _check_kind(kind: str, locale: str) -> None:
    if kind not in kinds():
        raise NotFound("mail_unknown", f"There is no mail called {kind!r}.", "kind")
    if locale not in LOCALES:
        raise NotFound("locale_unknown", f"Mails speak {' and '.join(LOCALES)}.", "locale")
