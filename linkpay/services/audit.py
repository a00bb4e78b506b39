"""What people did to a site, in words: what was done, to what, by whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.services import policy_words, timeline_words
from linkpay.services.timeline_words import Words
from linkpay.store import audit
from linkpay.store.db import Tx


def _w(nl: str, en: str) -> Words:
    return {"nl": nl, "en": en}


#: By kind of event; what was done to members has its words in `timeline_words`.
KINDS: dict[str, Words] = {
    "offer_made": _w("aanbod gemaakt", "made an offer"),
    "offer_changed": _w("aanbod gewijzigd", "changed an offer"),
    "offer_archived": _w("aanbod uit de verkoop gehaald", "took an offer off sale"),
    "offer_restored": _w("aanbod te koop gezet", "put an offer on sale"),
    "offer_copied": _w("aanbod gekopieerd", "copied an offer"),
    "plan_made": _w("betaalplan gemaakt", "made a plan"),
    "plan_changed": _w("betaalplan gewijzigd", "changed a plan"),
    "plan_archived": _w("betaalplan uit de verkoop gehaald", "took a plan off sale"),
    "plan_restored": _w("betaalplan te koop gezet", "put a plan on sale"),
    "plan_copied": _w("betaalplan gekopieerd", "copied a plan"),
    "bump_put": _w("iets ernaast te koop gezet", "put something beside an offer"),
    "bump_dropped": _w("iets ernaast weggehaald", "took something away beside an offer"),
    "coupon_made": _w("kortingscode gemaakt", "made a coupon"),
    "coupon_changed": _w("kortingscode gewijzigd", "changed a coupon"),
    "coupon_archived": _w("kortingscode ingetrokken", "withdrew a coupon"),
    "coupon_restored": _w("kortingscode weer toegestaan", "let a coupon be used again"),
    "policy_changed": _w("regels gewijzigd", "changed policies"),
    "site_made": _w("site gemaakt", "made the site"),
    "site_changed": _w("gegevens van de site gewijzigd", "changed what the site says of itself"),
    "accent_changed": _w("kleur gewijzigd", "changed the colour"),
    "logo_changed": _w("logo geplaatst", "put up a logo"),
    "logo_dropped": _w("logo weggehaald", "took the logo away"),
    "parents_changed": _w("pagina's voor de bestelpagina gewijzigd", "changed where the checkout may stand"),
    "retention_changed": _w("bewaartermijnen gewijzigd", "changed how long things are kept"),
    "mollie_key_replaced": _w("sleutel van Mollie vervangen", "replaced Mollie's key"),
    "kajabi_key_replaced": _w("sleutel van Kajabi vervangen", "replaced Kajabi's key"),
    "kajabi_key_dropped": _w("sleutel van Kajabi verwijderd", "removed Kajabi's key"),
    "mail_text_kept": _w("tekst van een mail gewijzigd", "changed the words of a mail"),
    "mail_text_reset": _w("tekst van een mail teruggezet", "went back to our words of a mail"),
    "mail_tried": _w("proefmail verstuurd", "sent a mail on trial"),
    "grant_tried": _w("toegang op proef gegeven en ingetrokken", "gave and revoked access on trial"),
    "colleague_invited": _w("collega uitgenodigd", "invited a colleague"),
    "colleague_joined": _w("collega kwam erbij", "joined"),
    "colleague_changed": _w("rol van een collega gewijzigd", "changed a colleague's role"),
    "colleague_dropped": _w("collega weggehaald", "took a colleague's access away"),
    "program_let_in": _w("sleutel voor een programma gemaakt", "made a key for a program"),
    "program_shut_out": _w("sleutel van een programma ingetrokken", "revoked a program's key"),
    "invitation_withdrawn": _w("uitnodiging ingetrokken", "withdrew an invitation"),
}
_ROLES = {
    "owner": _w("eigenaar", "owner"),
    "support": _w("ondersteuning", "support"),
    "read_only": _w("alleen kijken", "read only"),
}
#: What of an event's data is told, in this order.
_TOLD = (
    "offer", "plan", "copy", "code", "email", "role", "mode", "mail", "locale", "accent", "program", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """One act in words. `who` is an e-mail address, or empty for the command line."""

    number: int
    at: datetime
    who: str
    what: str
    details: str
    about: str


def read(
    tx: Tx, site_id: int, locale: str, *, who: str | None = None, before: int | None = None, limit: int = 50
) -> list[Done]:  # fmt: skip
    """What was done, newest first, by one person when asked."""
    actor = f"owner:{who}"[:60] if who else None
    rows = audit.acts(tx, site_id, actor=actor, before=before, limit=limit)
    return [
        Done(
            row.event.id, row.event.created_at, row.event.actor.partition(":")[2],
            what(row.event.kind, locale), _details(row.event.data, locale), row.about,
        )
        for row in rows
    ]  # fmt: skip


def what(kind: str, locale: str) -> str:
    """What was done; a kind without words is shown as its own name."""
    said = KINDS.get(kind) or timeline_words.EVENTS.get(kind)
    return said[_language(locale)] if said else kind.replace("_", " ")


def _details(data: Mapping[str, Any], locale: str) -> str:
    told = [_detail(name, str(data[name]), locale) for name in _TOLD if data.get(name)]
    if isinstance(data.get("changed"), list):
        titles = policy_words.titles(_language(locale))
        told += [titles.get(name, name.replace("_", " ")) for name in data["changed"]]
    told += [str(origin) for origin in data.get("origins", [])]
    return ", ".join(told)


def _detail(name: str, value: str, locale: str) -> str:
    return _ROLES[value][_language(locale)] if name == "role" and value in _ROLES else value


def _language(locale: str) -> str:
    return locale if locale in ("nl", "en") else "nl"
