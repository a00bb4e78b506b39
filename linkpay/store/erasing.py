"""Taking who somebody is out of every row of a site; amounts, dates and what was agreed stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, or_, select, update

from linkpay.store.db import Tx, core
from linkpay.store.tables import (
    ApiCall,
    Attention,
    BulkRun,
    Consent,
    Customer,
    Event,
    Gift,
    Grant,
    Inbox,
    Mail,
    Mandate,
    Member,
    Outbox,
    SavedView,
    Subscription,
    Takeover,
    Upsell,
    Visit,
    Withdrawal,
)
from linkpay.store.traces import Traces

#: Texts in which an address may stand, whoever they are about.
_TEXTS: tuple[tuple[type[Any], str], ...] = (
    (Attention, "detail"), (Attention, "data"), (Event, "data"), (Takeover, "why"), (Inbox, "last_error"),
    (Outbox, "last_error"), (BulkRun, "wanted"), (BulkRun, "params"), (ApiCall, "answer"),
)  # fmt: skip
#: Mails to who pays that name who is let in, where that is somebody else.
MAILS_THAT_NAME = ("access_open", "access_back", "already_running")
_OF_MAIL = ("subject", "text", "html", "data")
_AT_ONCE = 500
_DETAIL = 500  # characters


@dataclass(frozen=True, slots=True)
class _Person:
    """Who is forgotten: what shows her, and the numbers of what is hers. The payer is 0 where she is none."""

    site_id: int
    customer_id: int
    member_ids: tuple[int, ...]
    traces: Traces

    @property
    def bought(self) -> Select[int]:
        """What she paid for."""
        return select(Subscription.id).where(Subscription.customer_id == self.customer_id)


def wipe(
    tx: Tx, site_id: int, customer: Customer | None, members: Sequence[Member], placeholder: str
) -> None:
    """Take name, address and words of a person out of every row but those of `customer` and `members`
    themselves; amounts and dates stay."""
    both = [one for one in (customer, *members) if one is not None]
    emails = {one.email for one in both}
    traces = Traces(
        emails=frozenset(emails | _earlier(tx, site_id, emails)),
        names=frozenset(one.name for one in both if one.name),
        # One that looks like an address may be another member's by chance.
        external_ids=frozenset(one.external_user_id for one in members if "@" not in one.external_user_id),
        placeholder=placeholder,
    )
    ids = tuple(member.id for member in members)
    her = _Person(site_id, customer.id if customer else 0, ids, traces)
    _wipe_mails(tx, her)
    _wipe_doors(tx, her)
    _wipe_purchases(tx, her)
    _wipe_access(tx, her)
    _wipe_events(tx, her)
    _wipe_withdrawals(tx, her)
    _wipe_texts(tx, her)
    _wipe_views(tx, her)
    for row in _messages(tx, site_id):
        if traces.in_message(row.body):
            row.body = b""


def _earlier(tx: Tx, site_id: int, emails: set[str]) -> set[str]:
    """Addresses from which she moved as one who only pays: of a member each is a member of its own.

    The mail to the old address says that the move was made. Whoever is known by it now is somebody else.
    """
    found: set[str] = set()
    while True:
        came = select(Visit).where(
            Visit.site_id == site_id, Visit.kind == "move", Visit.email.in_(emails | found),
            Visit.moves_from.not_in(emails | found), Visit.ended_at.is_not(None),
        )  # fmt: skip
        new = {
            visit.moves_from
            for visit in tx.scalars(came)
            if visit.moves_from is not None and _was_made(tx, visit) and not _is_known(tx, visit)
        }
        if not new:
            return found
        found |= new


def _was_made(tx: Tx, move: Visit) -> bool:
    told = select(Mail.id).where(Mail.site_id == move.site_id, Mail.step == f"email_changed:{move.id}")
    return tx.scalar(told) is not None


def _is_known(tx: Tx, move: Visit) -> bool:
    return any(
        tx.scalar(select(table.id).where(table.site_id == move.site_id, table.email == move.moves_from))
        for table in (Customer, Member)
    )


def _wipe_mails(tx: Tx, her: _Person) -> None:
    """Mails to her, about what she bought, and to a new address that she asked for and never confirmed."""
    moves_from = Mail.data["moves_from"].as_string()
    asked = (Mail.site_id == her.site_id, Mail.kind == "email_change", moves_from.in_(her.traces.emails))
    _empty(tx, Mail.site_id == her.site_id, Mail.to.in_(her.traces.emails))
    _empty(tx, Mail.subscription_id.in_(her.bought))
    _empty(tx, *asked)
    for name in _OF_MAIL:
        _mend(tx, her, Mail, name, Mail.kind.in_(MAILS_THAT_NAME))


def _empty(tx: Tx, *which: Any) -> None:
    tx.execute(
        update(Mail)
        .where(*which)
        .values({"subject": "", "text": "", "html": "", "to": "", "data": {}})
        .execution_options(synchronize_session=False)
    )


def _wipe_doors(tx: Tx, her: _Person) -> None:
    emails = her.traces.emails
    hers = or_(Visit.email.in_(emails), Visit.moves_from.in_(emails))
    tx.execute(delete(Visit).where(Visit.site_id == her.site_id, hers))
    tx.execute(delete(Upsell).where(Upsell.customer_id == her.customer_id))


def _wipe_purchases(tx: Tx, her: _Person) -> None:
    for subscription in tx.scalars(select(Subscription).where(Subscription.customer_id == her.customer_id)):
        subscription.cancel_reason = _of_the_list(subscription.cancel_reason) or None
        subscription.company = subscription.vat_number = None
    for mandate in tx.scalars(select(Mandate).where(Mandate.customer_id == her.customer_id)):
        mandate.account_hint = None
    for consent in tx.scalars(select(Consent).where(Consent.customer_id == her.customer_id)):
        consent.text = her.traces.without(consent.text)


def _of_the_list(reason: str | None) -> str:
    """The reason from the list is the owner's to count; what she wrote beside it is hers."""
    return (reason or "").partition(":")[0]


def _wipe_access(tx: Tx, her: _Person) -> None:
    """What an owner wrote of her beside a gift, and Kajabi's answers, which may repeat her in any way."""
    for gift in tx.scalars(select(Gift).where(Gift.member_id.in_(her.member_ids))):
        gift.reason = ""
    grants = tx.scalars(select(Grant).where(Grant.member_id.in_(her.member_ids))).all()
    for grant in grants:
        grant.answer_body = None
    numbers = [grant.id for grant in grants]
    for row in tx.scalars(select(Outbox).where(Outbox.kind == "apply_grant", Outbox.target_id.in_(numbers))):
        row.last_error = None
    for trouble in _wiped_troubles(tx, her, [f"grant:{number}" for number in numbers]):
        trouble.detail = ""


def _wipe_events(tx: Tx, her: _Person) -> None:
    """What happened to her and to what she bought: in these her name is hers, and no namesake's."""
    about = or_(
        Event.customer_id == her.customer_id, Event.subscription_id.in_(her.bought),
        Event.member_id.in_(her.member_ids),
    )  # fmt: skip
    for event in tx.scalars(select(Event).where(about)):
        said = her.traces.without(event.data)
        if event.kind == "cancel_asked" and "reason" in said:
            said["reason"] = _of_the_list(said["reason"])
        if event.kind in ("gift_given", "member_blocked"):
            said["why"] = ""
        event.data = said
    _wiped_troubles(tx, her, [f"subscription:{number}" for number in tx.scalars(her.bought)])


def _wiped_troubles(tx: Tx, her: _Person, subjects: Sequence[str]) -> Sequence[Attention]:
    """What a person was asked for about these, without her name, and without what she typed."""
    which = select(Attention).where(Attention.site_id == her.site_id, Attention.subject.in_(subjects))
    troubles = tx.scalars(which).all()
    blank = {"email": her.traces.placeholder, "reference": ""}
    for trouble in troubles:
        typed = {name: value for name, value in blank.items() if name in trouble.data}
        trouble.data = her.traces.without(trouble.data) | typed
        trouble.detail = her.traces.without(trouble.detail)[:_DETAIL]
    return troubles


def _wipe_withdrawals(tx: Tx, her: _Person) -> None:
    """What was declared in her name, or for what she bought, under whatever address was typed there."""
    table = core(Withdrawal).c
    hers = or_(table.email.in_(her.traces.emails), table.subscription_id.in_(her.bought))
    blanked = (
        update(core(Withdrawal))
        .where(table.site_id == her.site_id, hers)
        .values(email=her.traces.placeholder, name="", reference="", statement="")
        .returning(table.id)
    )
    names = [f"withdrawal:{number}" for number in tx.scalars(blanked)]
    _empty(tx, Mail.site_id == her.site_id, Mail.step.in_(names))
    _wiped_troubles(tx, her, names)


def _wipe_texts(tx: Tx, her: _Person) -> None:
    for table, name in _TEXTS:
        _mend(tx, her, table, name)
    for run in tx.scalars(select(BulkRun).where(BulkRun.site_id == her.site_id)):
        run.wanted = her.traces.not_named(run.wanted)


def _mend(tx: Tx, her: _Person, table: type[Any], name: str, *which: Any) -> None:
    """Take her out of one column of the rows that name her by an address."""
    column, longest = getattr(table, name), getattr(core(table).c[name].type, "length", None)
    named = select(table).where(table.site_id == her.site_id, *which, her.traces.named_in(column))
    for row in tx.scalars(named):
        kept = getattr(row, name)
        if her.traces.names_her(kept):
            without = her.traces.without(kept)
            # What stands for her may be longer than she was.
            setattr(row, name, without[:longest] if isinstance(without, str) else without)


def _wipe_views(tx: Tx, her: _Person) -> None:
    """A view of the members that somebody kept to find her finds nobody any more, and goes."""
    for view in tx.scalars(select(SavedView).where(SavedView.site_id == her.site_id)):
        kept = [view.name, view.wanted]
        if her.traces.names_her(kept) or her.traces.is_her_name(kept):
            tx.delete(view)


def _messages(tx: Tx, site_id: int) -> Iterator[Inbox]:
    """Kajabi's messages, a few at a time: they are raw, so each has to be read."""
    after = 0
    query = select(Inbox).where(Inbox.site_id == site_id, Inbox.source == "kajabi").order_by(Inbox.id)
    while rows := tx.scalars(query.where(Inbox.id > after).limit(_AT_ONCE)).all():
        yield from rows
        after = rows[-1].id
