"""The mail to whoever runs LinkPay: what must always be true and is not."""

from linkpay.ports import Letter
from linkpay.services.attention import items
from linkpay.services.attention.items import Item
from linkpay.services.texts import lay_out, one_line, spoken
from linkpay.store import journal, sites
from linkpay.store.db import Tx

#: More lines than this help nobody; the attention list has them all.
_SHOWN = 20
_WORDS = {
    "nl": (
        "LinkPay: {number} keer klopt er iets niet bij {site}",
        "Een controle vond iets dat nooit zo hoort te zijn:",
        "En nog {more}. De hele lijst staat in LinkPay.",
        "Wat elke melding betekent en wat je doet, staat in docs/operations.md. Een melding verdwijnt"
        " vanzelf zodra het weer klopt; over dezelfde krijg je geen tweede mail.",
    ),
    "en": (
        "LinkPay: {number} times something is not right at {site}",
        "A check found something that should never be so:",
        "And {more} more. LinkPay shows the whole list.",
        "What each of them means and what to do is in docs/operations.md. It goes away by itself once it is"
        " right again; you get no second mail about the same one.",
    ),
}


def compose(tx: Tx, item_id: int, operator: str, base_url: str) -> Letter | None:
    """What one check found on one site; None when all of it is right again."""
    first = journal.filed_with(tx, item_id)
    if not first:
        return None
    site = sites.get(tx, first[0].site_id)
    language = spoken(site.locale)
    subject, began, more, ended = _WORDS[language]
    told = [items.one(tx, site.id, item.id, language) for item in first[:_SHOWN]]
    rest = [more.format(more=len(first) - _SHOWN)] if len(first) > _SHOWN else []
    body = "\n\n".join([began, "\n".join(map(_line, told)), *rest, ended])
    written = lay_out(subject.format(number=len(first), site=site.name), body, language, site.name)
    domain = base_url.split("://", 1)[1].split("/", 1)[0].split(":", 1)[0]
    return Letter(
        message_id=f"<linkpay-findings-{item_id}@{domain}>", to=operator, sender_name="LinkPay",
        subject=written.subject, text=written.text, html=written.html,
    )  # fmt: skip


def _line(item: Item) -> str:
    return f"- {item.kind} {item.id}: {one_line(item.happened)}"
