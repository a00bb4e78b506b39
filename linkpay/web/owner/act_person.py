"""What is done for a person at the desk: gifts, blocks, moves, and being forgotten."""

from collections.abc import Sequence

from linkpay.errors import InputError
from linkpay.services import blocks, forgetting, gifts, moves
from linkpay.services.formats import day_text
from linkpay.services.gifts import Present
from linkpay.store import people, sites
from linkpay.store.tables import Offer
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale
from linkpay.web.owner.acting import Action, Case, Field


def _offers(case: Case) -> Sequence[Offer]:
    return sites.all_offers(case.tx, case.desk.site.id)


def _given(case: Case) -> list[Offer]:
    """The offers that she has as a gift."""
    held = {one.offer_id for one in people.gifts_of(case.tx, case.row.member.id)}
    return [offer for offer in _offers(case) if offer.id in held]


def _title(case: Case) -> str:
    found = next((one.title for one in _offers(case) if one.slug == case.text("offer")), None)
    if found is None:
        raise InputError("offer_unknown", "Choose an offer.", "offer")
    return found


def _offer_field(offers: Sequence[Offer], chosen: str) -> Field:
    return Field("offer", _("Offer"), "choice", chosen, tuple((one.slug, one.title) for one in offers))


def _gift_fields(case: Case) -> Sequence[Field]:
    return (
        _offer_field(_offers(case), case.row.offer.slug),
        Field("until", _("First day without it"), "date", hint=_("Empty: for ever.")),
        Field(
            "reason",
            _("Why"),
            hint=_("For you and your colleagues. It is also in the data that the member can download."),
        ),
    )


def _gift_lines(case: Case) -> Sequence[str]:
    until, title = case.day("until"), _title(case)
    if until is None:
        return [_("%(email)s has %(offer)s for ever.", email=case.row.member.email, offer=title)]
    day = day_text(until, locale())
    return [_("%(email)s has %(offer)s until %(day)s.", email=case.row.member.email, offer=title, day=day)]


def _give(case: Case) -> None:
    present = Present(
        case.row.member.email, case.text("offer"), case.day("until"), reason=case.text("reason")
    )
    gifts.give(case.tx, case.site, present, case.actor, case.now)


def _take_back_fields(case: Case) -> Sequence[Field]:
    given = _given(case)
    return (_offer_field(given, given[0].slug if given else ""),)


def _take_back(case: Case) -> None:
    gifts.take_back(case.tx, case.site, case.row.member.email, case.text("offer"), case.actor, case.now)


def _block_fields(_case: Case) -> Sequence[Field]:
    billing = (("stop", _("Everything of this member ends now")), ("go_on", _("Collections go on")))
    return (
        Field(
            "reason",
            _("Why"),
            needed=True,
            hint=_("For you and your colleagues. It is also in the data that the member can download."),
        ),
        Field("billing", _("What is collected"), "choice", "stop", billing),
    )


def _block_lines(case: Case) -> Sequence[str]:
    if not case.text("reason"):
        raise InputError("reason_missing", "Say why.", "reason")
    lines = [_("All access of this member closes, whatever was paid or given.")]
    return [*lines, _("Nothing that was paid is sent back by itself.")]


def _block(case: Case) -> None:
    stops = case.text("billing") != "go_on"
    blocks.block(case.tx, case.row.member.id, case.text("reason"), case.actor, case.now, stop_billing=stops)


def _move_fields(_case: Case) -> Sequence[Field]:
    return (
        Field("email", _("New e-mail address"), "email", needed=True),
        Field("payer_too", _("Mails about money go there, too"), "tick"),
    )


def _move_lines(case: Case) -> Sequence[str]:
    return [
        _("All access of %(old)s moves to %(new)s.", old=case.row.member.email, new=case.text("email")),
        _("The new address is let in before the old one is shut out."),
    ]


def _move(case: Case) -> None:
    moves.move_access(
        case.tx, case.row.member.id, case.text("email"), case.actor, case.now,
        payer_too=case.ticked("payer_too"),
    )  # fmt: skip


def _assign_fields(_case: Case) -> Sequence[Field]:
    return (
        Field("email", _("E-mail address of who gets the access"), "email", needed=True),
        Field("name", _("Name, of somebody new")),
    )


def _assign_lines(case: Case) -> Sequence[str]:
    return [
        _("This purchase counts for %(email)s; the payer stays.", email=case.text("email")),
    ]


def _assign(case: Case) -> None:
    moves.set_member(case.tx, case.id, case.text("email"), case.text("name"), case.actor, case.now)


def _forget_lines(case: Case) -> Sequence[str]:
    loses = forgetting.preview(case.tx, case.site, case.row.customer.email).loses
    lines = [_("Name, address and mails of %(email)s are wiped for good.", email=case.row.customer.email)]
    lines += [_("Access to %(offer)s closes.", offer=title) for title in loses]
    return [*lines, _("Amounts and dates stay, as tax law asks."), _("This cannot be taken back.")]


ACTIONS = (
    Action(
        "gift",
        "person",
        lambda: _("Give access"),
        lambda: _("Give it"),
        lambda: _("The gift is given."),
        _give,
        _gift_lines,
        _gift_fields,
        lambda case: case.row.member.blocked_at is None,
    ),
    Action(
        "take-back",
        "person",
        lambda: _("Take a gift back"),
        lambda: _("Take it back"),
        lambda: _("The gift is taken back."),
        _take_back,
        lambda case: [_("The gift of %(offer)s ends now; what was bought stays.", offer=_title(case))],
        _take_back_fields,
        lambda case: bool(_given(case)),
    ),
    Action(
        "block",
        "person",
        lambda: _("Block"),
        lambda: _("Block this member"),
        lambda: _("The member is blocked."),
        _block,
        _block_lines,
        _block_fields,
        lambda case: case.row.member.blocked_at is None,
    ),
    Action(
        "unblock",
        "person",
        lambda: _("Lift the block"),
        lambda: _("Lift it"),
        lambda: _("The block is lifted."),
        lambda case: blocks.unblock(case.tx, case.row.member.id, case.actor, case.now),
        lambda _case: [_("What was paid and given counts again. What was stopped stays stopped.")],
        offered=lambda case: case.row.member.blocked_at is not None,
    ),
    Action(
        "move",
        "person",
        lambda: _("Another e-mail address"),
        lambda: _("Move it"),
        lambda: _("The access is moved."),
        _move,
        _move_lines,
        _move_fields,
    ),
    Action(
        "assign",
        "person",
        lambda: _("For somebody else"),
        lambda: _("Let it count for them"),
        lambda: _("The purchase counts for somebody else."),
        _assign,
        _assign_lines,
        _assign_fields,
    ),
    Action(
        "forget",
        "person",
        lambda: _("Delete personal data"),
        lambda: _("Delete it for good"),
        lambda: _("The data is being deleted."),
        lambda case: forgetting.ask(case.tx, case.site, case.row.customer.email, case.now, actor=case.actor),
        _forget_lines,
    ),
)
